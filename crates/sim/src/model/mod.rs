//! What Redis's commands do to a few keys, written down a second time and as plainly as possible: the sequential
//! object that histories are checked against.
//!
//! The object is a **group** of keys: all that share a hash tag in one database, so that commands over several of
//! them (`RENAME`, `MSETNX`, `MGET`) are one atomic action on it. Most groups have one key.
//!
//! - `action`: what a client asks of a group, and the words it sends
//! - `group`: the state, and what each action makes of it

mod action;
mod group;
#[cfg(test)]
mod tests;

pub use action::{Action, Key, Life, Names, OnlyIf, Write};
pub use group::{Entry, Group, Strings};
