//! What shards of one node ask of each other.

use std::sync::Arc;

use corelane_settings::Settings;
use corelane_store::commands::steps::{Answer, Step};
use corelane_store::{Command, Continuation};

use crate::batch::{Batch, Call};
use crate::change::Pairs;
use crate::clients::{Census, Counted, Traveller};
use crate::memory::MemoryUse;
use crate::owned::OwnedArgs;
use crate::report::ShardReport;
use crate::room::SharedRoom;
use crate::routing::Load;
use crate::stats::Stats;
use crate::tls::{Made, Secured};

/// A request to a shard. All are answered at once; what takes long is asked for in slices.
#[derive(Debug)]
pub enum Request {
    /// Commands of a pipeline.
    Batch(Box<Batch>),
    /// One command, or the next slice of one.
    Run(Box<Run>),
    /// Steps of a command whose keys lie on several shards, in this order.
    Steps(Vec<Step>),
    /// The shard's state, for `INFO` and the like.
    Report,
    /// What is wanted of clients.
    Census(Census),
    /// Takes in a connection from another shard.
    Welcome(Box<Traveller>),
    /// There are more shards than before: sends those that have come their part of this one's clients.
    SpreadClients {
        /// Shards that served before.
        before: usize,
        /// Shards that serve now.
        shards: usize,
    },
    /// Sets counters back to zero.
    ResetStats,
    /// Turns the active expiry of keys on or off (`DEBUG SET-ACTIVE-EXPIRE`).
    ActiveExpire(bool),
    /// New TLS connections are accepted with this.
    Secure(Secured),
    /// What TLS connections are accepted with.
    TellTls,
    /// Has the files of TLS read anew.
    ReloadTls,
    /// New settings take effect.
    Apply(Arc<Settings>),
    /// `CONFIG SET` at the shard that decides.
    Configure {
        /// Names and values, all or none.
        pairs: Pairs,
        /// For a change of TLS, what connections are accepted with then.
        made: Option<Box<Made>>,
    },
    /// What would come of it.
    Try(Pairs),
    /// The settings in force: for a shard that has just been woken.
    Settings,
    /// What a shard has counted that goes to sleep, so that nothing of it is lost.
    Inherit(Box<Stats>),
}

/// One command on its way.
#[derive(Debug)]
pub struct Run {
    pub(crate) command: &'static Command,
    pub(crate) call: Call,
    pub(crate) args: OwnedArgs,
    /// What is left to do; `None` at the start, and again once the reply is written.
    pub(crate) rest: Option<Continuation>,
    pub(crate) output: Vec<u8>,
    /// The room of the reply that this one is a part of.
    pub(crate) room: Option<Arc<SharedRoom>>,
    /// The reply would be too long; there is none.
    pub(crate) is_too_large: bool,
    /// Keys in the database, for choices in proportion.
    pub(crate) keys: u64,
}

/// A shard's answer.
#[derive(Debug)]
pub enum Reply {
    /// The batch, with its replies.
    Batch(Box<Batch>),
    /// The command, with its reply or with what is left to do.
    Ran(Box<Run>),
    /// What came of the steps, in their order.
    Answers(Vec<Answer>),
    /// The shard's state.
    Report(Box<ShardReport>),
    /// The clients.
    Counted(Box<Counted>),
    /// What TLS connections are accepted with.
    Tls(Secured),
    /// Done.
    Done,
    /// The settings as they are now, or why nothing changed.
    Configured(Result<Arc<Settings>, String>),
    /// Another change of TLS has come first.
    Overtaken,
}

/// What reaches a shard on the control lane, which data cannot block.
#[derive(Debug)]
pub enum Control {
    /// Another shard's memory use, for the node-wide limits.
    Memory(MemoryUse),
    /// A shard that has just been woken asks what the others use, and how busy they are.
    TellMemory,
    /// How busy another shard is.
    Load(Load),
}
