//! What a session knows between commands, and how a command that concerns the session is written.

use std::rc::Rc;

use corelane_node::{Asking, Client, CommandFuture, Node};
use corelane_wire::spec::CommandSpec;
use corelane_wire::{Args, Proto, Reply};

use super::registry::Registry;

/// A command about the connection itself, or one this crate must wait for.
#[derive(Debug)]
pub struct Command {
    /// What it is.
    pub spec: CommandSpec,
    /// How it runs; `None` for a container of subcommands.
    pub run: Option<Run>,
}

/// How a command runs.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// On the shards that own its keys.
    Data(&'static corelane_store::Command),
    /// At once, on the session.
    Session(fn(&mut SessionState, Args<'_>, &mut Reply<'_>)),
    /// After everything before it was answered; nothing after it starts until it has been.
    Wait(fn(Node, Asking) -> CommandFuture),
}

/// Which replies the client wants (`CLIENT REPLY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyMode {
    /// All.
    On,
    /// None.
    Off,
    /// Not the one of the next command.
    SkipNext,
    /// Not the one of the command that is running.
    SkipThis,
}

/// What a connection's commands see of its session.
#[derive(Debug)]
pub struct SessionState {
    /// The shard's list entry for this client: database, protocol, name.
    pub client: Rc<Client>,
    /// The node behind it.
    pub node: Node,
    /// All commands.
    pub registry: &'static Registry,
    /// What the client may do and wants.
    pub standing: Standing,
    /// Set by `QUIT` and by errors after which the stream means nothing: answer, then close.
    pub closing: bool,
}

/// What a client may do and wants, beside what its [`Client`] shows to others. Goes along to another shard.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Whether it may use more than `AUTH`, `HELLO` and `QUIT`.
    pub authenticated: bool,
    /// `CLIENT REPLY`.
    pub reply_mode: ReplyMode,
}

impl SessionState {
    /// Selected database.
    pub fn db(&self) -> u16 {
        self.client.db.get()
    }

    /// Whether it may use every command: it has the password, or none is needed any more.
    pub fn is_admitted(&self) -> bool {
        self.standing.authenticated || !self.node.needs_password()
    }

    /// Protocol of the replies.
    pub fn proto(&self) -> Proto {
        self.client.proto.get()
    }
}
