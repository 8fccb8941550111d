//! What a command is, before anything runs: its name, arity, flags, keys and documentation.
//!
//! Every crate that has commands writes one static [`CommandSpec`] per command beside its handler; routing,
//! access checks, `COMMAND` and the reference pages all read it.

mod arg;
mod categories;
mod command;
mod docs;
mod flags;
mod info;
mod keys;
mod locate;
#[cfg(test)]
mod tests;

pub use arg::{Arg, ArgKind};
pub use categories::Categories;
pub use command::{Change, CommandSpec, Deprecated, Group};
pub use flags::Flags;
pub use keys::{Begin, Find, KeyFlags, KeyRange, KeySpec};
pub use locate::NoKeys;
