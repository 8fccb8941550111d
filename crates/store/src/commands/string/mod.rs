//! Strings: one file per command or family, each with spec, handler and tests.

pub(super) mod append;
mod deadline;
pub(super) mod get;
pub(super) mod getex;
pub(super) mod incr;
pub(super) mod incrbyfloat;
pub(super) mod lcs;
pub(super) mod many;
pub(super) mod msetnx;
pub(super) mod range;
mod read;
pub(super) mod set;
pub(super) mod set_as;
