//! What a command sees while it runs, and what it leaves behind.
//!
//! A command is a plain function over [`Exec`]: it parses its arguments, acts on [`Data`], writes
//! one reply, and says what happened through [`Effects`] (for logs and replicas) and [`Touched`]
//! (for watchers). Nothing in here allocates for a small command.

mod command;
mod data;
mod effects;
mod touched;

pub use command::{Command, Continuation, Fold, Outcome, Split};
pub use data::Data;
pub use effects::{Effect, Effects};
pub use touched::{Class, Event, Touched, TouchedKey};

use corelane_wire::spec::Flags;
use corelane_wire::{Args, Reply};

/// Everything one command may use. The fields are apart from each other so that a value borrowed
/// from [`data`](Self::data) can be written to [`reply`](Self::reply) without a copy.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The keys: the shard's keyspace as seen from the selected database at this command's time.
    pub data: Data<'a>,
    /// Where the one reply goes.
    pub reply: Reply<'a>,
    /// The shard's randomness (`RANDOMKEY`).
    pub rng: &'a mut fastrand::Rng,
    /// Limits that settings put on commands.
    pub limits: &'a Limits,
}

impl Exec<'_> {
    /// Runs `command`, unless it may add to memory and there is none left.
    ///
    /// Arity and permission have been checked by the caller. An error is an ordinary reply.
    #[inline]
    pub fn run(&mut self, command: &Command, args: Args<'_>) -> Outcome {
        if command.spec.flags.has(Flags::DENYOOM)
            && self.data.space.over_limit(self.limits.max_memory_bytes)
        {
            self.reply
                .error("OOM command not allowed when used memory > 'maxmemory'.");
            return Outcome::Done;
        }
        (command.run)(self, args)
    }
}

/// Limits that settings put on commands; the same on every shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest string value, in bytes (`proto-max-bulk-len`).
    pub max_bulk_bytes: u64,
    /// Memory this shard's keyspace may use before commands that add to it are refused, in bytes;
    /// 0 means no limit (`maxmemory`, this shard's share of it).
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    /// Redis's defaults: strings up to 512 MB, no memory limit.
    fn default() -> Self {
        Self {
            max_bulk_bytes: 512 * 1024 * 1024,
            max_memory_bytes: 0,
        }
    }
}
