//! The data commands, one file per command or tight family.
//!
//! A command is one block: its spec with what `COMMAND DOCS` says, its handler, its tests. A handler parses, acts and
//! replies in one place; it says what it did through effects (canonical commands with absolute times, one per slot
//! that changed) and touched keys. Replies are Redis 7.0's, byte for byte, but for these:
//!
//! - the order of `KEYS` and `SCAN`, the choice of `RANDOMKEY`, and what `MEMORY USAGE` measures are our own;
//! - `OBJECT ENCODING` and `OBJECT REFCOUNT` differ in two corners that their docs name;
//! - `HELP` texts are our own.
//!
//! What commands over keys of several shards do is in [`steps`].

mod container;
mod errors;
mod expiry;
mod generic;
mod prelude;
mod put;
pub mod steps;
mod string;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use generic::scan::parse_cursor;
pub use string::many::pairs_ok;

use crate::exec::Command;
use generic::{
    copy, dbsize, del, exists, expire, flush, keys, memory, object, persist, randomkey, relocate,
    rename, scan, swapdb, ttl, type_of,
};
use string::{append, get, getex, incr, incrbyfloat, lcs, many, msetnx, range, set, set_as};

/// Every command of this crate, containers and subcommands included.
pub static COMMANDS: &[&Command] = &[
    // Strings.
    &append::APPEND,
    &get::GET,
    &get::GETDEL,
    &get::STRLEN,
    &getex::GETEX,
    &incr::DECR,
    &incr::DECRBY,
    &incr::INCR,
    &incr::INCRBY,
    &incrbyfloat::INCRBYFLOAT,
    &lcs::LCS,
    &many::MGET,
    &many::MSET,
    &msetnx::MSETNX,
    &range::GETRANGE,
    &range::SETRANGE,
    &range::SUBSTR,
    &set::SET,
    &set_as::GETSET,
    &set_as::PSETEX,
    &set_as::SETEX,
    &set_as::SETNX,
    // Keys of any type.
    &copy::COPY,
    &dbsize::DBSIZE,
    &del::DEL,
    &del::UNLINK,
    &exists::EXISTS,
    &exists::TOUCH,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &keys::KEYS,
    &memory::MEMORY,
    &memory::MEMORY_HELP,
    &memory::MEMORY_USAGE,
    &object::OBJECT,
    &object::OBJECT_ENCODING,
    &object::OBJECT_FREQ,
    &object::OBJECT_HELP,
    &object::OBJECT_IDLETIME,
    &object::OBJECT_REFCOUNT,
    &persist::PERSIST,
    &randomkey::RANDOMKEY,
    &relocate::MOVE,
    &rename::RENAME,
    &rename::RENAMENX,
    &scan::SCAN,
    &swapdb::SWAPDB,
    &ttl::EXPIRETIME,
    &ttl::PEXPIRETIME,
    &ttl::PTTL,
    &ttl::TTL,
    &type_of::TYPE,
];
