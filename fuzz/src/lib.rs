//! What the fuzz targets share: input taken apart, and a connection's reads played to a parser.

#![forbid(unsafe_code)]

mod feed;
mod input;

pub use feed::{End, Outcome, feed};
pub use input::Input;
