//! The type of a command: its spec, its handler, and how it runs when its keys lie apart.

use std::fmt;

use corelane_wire::Args;
use corelane_wire::spec::CommandSpec;

use super::Exec;

/// One data command. Each is one `static` beside its handler, listed in [`crate::COMMANDS`].
#[derive(Debug)]
pub struct Command {
    /// Name, arity, flags, keys and documentation.
    pub spec: CommandSpec,
    /// What to do when its keys lie on several shards.
    pub split: Split,
    /// The handler.
    pub run: fn(&mut Exec<'_>, Args<'_>) -> Outcome,
}

/// How a command is run when its keys lie on several shards.
///
/// The parts of a split command run one after the other or at once, not atomically, until
/// cross-shard transactions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The first key decides; all keys are expected there. Commands without keys run where they arrive.
    Single,
    /// Each key on its own shard; the integer replies are added (`DEL`, `UNLINK`, `EXISTS`, `TOUCH`).
    Sum,
    /// Each key with its value on its own shard; OK if all parts are (`MSET`).
    AllOk,
    /// Each key on its own shard; one array in the caller's order (`MGET`).
    InOrder,
    /// Argument 1 is a SCAN cursor: runs on the owner of the partition in which the cursor stands
    /// ([`crate::keyspace::slot_of_cursor`]).
    Cursor,
    /// Runs on every shard; the replies are folded into one.
    AllShards(Fold),
    /// The node runs it in steps of its own (`RENAME`, `COPY`, `MSETNX`, `LCS`).
    Steps,
}

impl Split {
    /// Whether a command of this kind is cut by its keys into one command per shard.
    pub fn by_key(self) -> bool {
        matches!(self, Split::Sum | Split::AllOk | Split::InOrder)
    }
}

/// How the replies of all shards become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// The integers are added (`DBSIZE`).
    Sum,
    /// OK if all are (`FLUSHALL`, `FLUSHDB`, `SWAPDB`).
    AllOk,
    /// The arrays are joined (`KEYS`).
    Concat,
    /// One of the replies that are not null, chosen by chance in proportion to the shards' keys
    /// (`RANDOMKEY`).
    AnyOf,
}

/// How far a command got.
#[derive(Debug)]
pub enum Outcome {
    /// The reply is written.
    Done,
    /// The command works in slices and has more to do. Let others run, then
    /// [`Continuation::resume`]. A long reply may have been begun: what follows goes right behind it.
    More(Continuation),
}

/// The rest of a sliced command.
pub struct Continuation(Box<Rest>);

type Rest = dyn FnOnce(&mut Exec<'_>, Args<'_>) -> Outcome + Send;

impl Continuation {
    /// Wraps the rest of a command. What it must remember between slices is moved into `rest`.
    pub fn new(rest: impl FnOnce(&mut Exec<'_>, Args<'_>) -> Outcome + Send + 'static) -> Self {
        Self(Box::new(rest))
    }

    /// Runs the next slice, with the arguments the command was first called with.
    pub fn resume(self, exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
        (self.0)(exec, args)
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Continuation")
    }
}
