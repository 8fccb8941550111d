//! Is a history linearizable? A pure question about a list of operations, each with the times of its call and of
//! its return: is there an order of all of them, in keeping with those times, in which one copy of the state
//! would have given every reply that was given?
//!
//! The method is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's memory of
//! what was tried ("Testing for linearizability", 2017), as in Porcupine. Three things are our own: operations of
//! one **process** (a connection, with its pipeline) keep their order even where their times overlap, which
//! is what a connection promises, and makes a configuration as small as one position per process; operations
//! that can never change a state are taken at once, without branching; and values that were seen are not lost before
//! they were.
//!
//! - `history`: operations and how they ended
//! - `model`: what a state is and which replies it allows
//! - `search`: the check itself
//! - `values`: choices that lead nowhere, because they lose what somebody saw later
//! - `shrink`: a smaller history that is still impossible, to be read by people

mod history;
mod model;
mod search;
mod shrink;
#[cfg(test)]
mod tests;
mod values;

pub use history::{End, Op};
pub use model::Model;
pub use search::{Impossible, Verdict, check};
pub use shrink::{Shrunk, shrink};
