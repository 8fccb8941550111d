//! Requests as a server reads them: RESP arrays of bulk strings, and inline commands.

mod error;
mod inline;
mod limits;
mod parser;
#[cfg(test)]
mod tests;

pub use error::ProtocolError;
pub use limits::Limits;
pub use parser::{Parsed, Parser};
