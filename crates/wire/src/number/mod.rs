//! Which bytes are numbers, and how numbers are written, as Redis has it.

mod binary;
mod float;
mod integer;
mod long_double;
mod natural;
mod text;

#[cfg(test)]
mod tests;

pub use float::{format_f64, parse_f64};
pub use integer::{format_i64, parse_i64};
pub use long_double::LongDouble;
pub use text::NumberText;
