//! Replies as a server writes them.

mod allowance;
pub(crate) mod head;
#[cfg(test)]
mod tests;
mod writer;

pub use allowance::Allowance;
pub use writer::{Proto, Reply};
