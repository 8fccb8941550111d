//! Replies as a server writes them.

pub(crate) mod head;
mod writer;

pub use writer::{Proto, Reply};
