//! Why a server did not start, or why it ended. Each says what to do.

use std::io;

use corelane::{LaunchError, NodeFailure};
use corelane_topology::{PlanError, ReadError};

/// A server's failure. [`is_usage`](Self::is_usage) tells whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {hint}")]
    Listen {
        /// The address, or the socket's path.
        address: String,
        /// What is wrong with it and what helps.
        hint: String,
    },
    /// TLS cannot be spoken as the settings have it.
    #[error("cannot speak TLS: {0}")]
    Tls(String),
    /// The working directory cannot be used.
    #[error("cannot use dir = {path}: {source}")]
    Dir {
        /// The directory.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The machine could not be read.
    #[error("cannot read this machine's processors and limits: {0}")]
    Machine(#[from] ReadError),
    /// What was asked for cannot be had here.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// All shards would own connections, and none the data.
    #[error(
        "io-shards = {io_shards} leaves no shard for the data of {shards} ({reason}); {remedy} \
         with cpu-allocation"
    )]
    IoShards {
        /// How many shards were to own connections.
        io_shards: usize,
        /// How many shards there are, in words.
        shards: String,
        /// Why so many.
        reason: String,
        /// What would work.
        remedy: String,
    },
    /// Room for another number of shards than processors are named.
    #[error(
        "max-shards = {max_shards}, but cpu-allocation names {named} processor{}; \
         give a number of processors there, or leave one of the two out",
        if *named == 1 { "" } else { "s" }
    )]
    Room {
        /// How many shards there was to be room for.
        max_shards: usize,
        /// Processors that are named.
        named: usize,
    },
    /// More shards, or fewer, than can serve.
    #[error(
        "shards = {shards}, but {least} to {room} can serve here; more need room, \
         which max-shards makes"
    )]
    Shards {
        /// How many were to serve.
        shards: usize,
        /// As many as own connections alone, and one.
        least: usize,
        /// How many there is room for.
        room: usize,
    },
    /// The system lets the server open too few files.
    #[error(
        "the system allows {limit} open files, and the server needs {own} before a client comes; \
         raise the limit (ulimit -n, LimitNOFILE), or let fewer shards serve"
    )]
    Descriptors {
        /// How many it allows.
        limit: u64,
        /// What the shards, listeners and files need.
        own: u64,
    },
    /// A shard did not start.
    #[error("{0}")]
    Launch(#[from] LaunchError),
    /// A shard failed.
    #[error("{0}")]
    Failed(#[from] NodeFailure),
    /// Signals cannot be caught.
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
}

impl ServerError {
    /// Whether what was asked for is at fault (exit 2), rather than the running node (exit 1).
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Listen { .. }
            | Self::Tls(_)
            | Self::Dir { .. }
            | Self::Plan(_)
            | Self::IoShards { .. }
            | Self::Room { .. }
            | Self::Shards { .. } => true,
            Self::Machine(_)
            | Self::Descriptors { .. }
            | Self::Launch(_)
            | Self::Failed(_)
            | Self::Signals(_) => false,
        }
    }
}
