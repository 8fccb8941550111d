//! Tests over all commands at once.

mod effects;
mod redis;
mod requests;
mod specs;
mod touched;
