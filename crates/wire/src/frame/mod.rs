//! Replies as a client reads them: skipped over at no cost, or decoded into values.

mod decoder;
mod error;
mod scan;
#[cfg(test)]
mod tests;
mod value;

pub use decoder::{Decoder, skip};
pub use error::{DecodeError, DecodeFault};
pub use value::Value;
