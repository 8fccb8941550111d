//! Hostile: a flood of broken input and ill-mannered clients, and whether it leaves anything behind.
//!
//! `bytes` makes what is sent, all from a seed; `crowd` is the clients who send it and what they see;
//! `run` lets the flood come twice and then holds the server against its state before: alive, no
//! panic, descriptors and clients gone, memory bounded, counters adding up.
//!
//! The first two are also what a black-box test uses, so they name nothing of this program.

mod bytes;
mod crowd;
mod run;

pub(crate) use run::{Options, measure};
