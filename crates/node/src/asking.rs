//! A command that must wait for other shards: what it is given, and what it returns.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use corelane_wire::spec::CommandSpec;
use corelane_wire::{Args, Proto, Reply};

use crate::catalog::CommandId;
use crate::clients::Client;
use crate::node::Node;
use crate::owned::OwnedArgs;

/// The reply of a command that waits, ready to be sent.
pub type CommandFuture = Pin<Box<dyn Future<Output = Vec<u8>>>>;

/// A command of the node itself.
#[derive(Debug)]
pub struct Command {
    /// What it is.
    pub spec: CommandSpec,
    /// How it runs; `None` for a container of subcommands.
    pub run: Option<fn(Node, Asking) -> CommandFuture>,
}

/// A command's arguments and who asks, with a lifetime of their own.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The arguments.
    pub args: OwnedArgs,
    /// Who asks.
    pub client: Rc<Client>,
    /// The command's number.
    pub id: CommandId,
}

impl Asking {
    /// Copies the arguments.
    pub fn new(args: Args<'_>, client: Rc<Client>, id: CommandId) -> Self {
        Self {
            args: OwnedArgs::copy(args),
            client,
            id,
        }
    }

    /// The protocol of the reply.
    pub fn proto(&self) -> Proto {
        self.client.proto.get()
    }

    /// The selected database.
    pub fn db(&self) -> u16 {
        self.client.db.get()
    }

    /// The argument at `index`, as text; bytes that are no text become replacement characters.
    pub fn text(&self, index: usize) -> String {
        let arg = self.args.args().get(index).unwrap_or_default();
        String::from_utf8_lossy(arg).into_owned()
    }

    /// Waits for `future`, unless who asks is ended first, by whatever ends clients or because the node stops.
    pub async fn unless_ended<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        // Whoever ends a client wakes its session, which waits for this.
        poll_fn(|cx| match self.client.ending() {
            Some(_) => Poll::Ready(None),
            None => future.as_mut().poll(cx).map(Some),
        })
        .await
    }

    /// Writes a reply into a buffer of its own.
    pub fn reply(&self, write: impl FnOnce(&mut Reply<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Reply::new(&mut out, self.proto()));
        out
    }
}

/// The reply when a shard has stopped under a command that asked it.
pub fn gone() -> Vec<u8> {
    crate::merge::SHARD_GONE.to_vec()
}
