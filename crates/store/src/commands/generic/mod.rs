//! Keys as such, whatever they hold: one file per command or family, each with spec, handler and tests.

pub(super) mod copy;
pub(super) mod dbsize;
pub(super) mod del;
pub(super) mod exists;
pub(super) mod expire;
pub(super) mod flush;
pub(super) mod keys;
pub(super) mod memory;
pub(super) mod object;
pub(super) mod persist;
pub(super) mod randomkey;
pub(super) mod relocate;
pub(super) mod rename;
pub(super) mod scan;
pub(super) mod swapdb;
pub(super) mod ttl;
pub(super) mod type_of;
pub(super) mod walk;
