//! Replies as a server writes them.

pub(crate) mod head;
#[cfg(test)]
mod tests;
mod writer;

pub use writer::{Proto, Reply};
