//! The lanes of a node, made once before its shards start: for every ordered pair one for requests,
//! one back for replies, and one for control.
//!
//! Both data lanes of a pair have room for as many messages as the pair may have requests
//! outstanding. So a request that has a credit always fits, and so does its reply: no
//! shard ever waits for room, and two shards cannot wait for each other.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use corelane_channel::{Receiver, Sender, lane};

use super::replies::ReplyKey;
use crate::service::Rejection;
use crate::{CallOptions, Mesh, PARTITIONS, Service};

/// Messages a control lane holds. They are rare and handled first in every turn; a peer that has
/// left this many unread is wedged.
pub(crate) const CONTROL_CAPACITY: usize = 256;

/// Of these, kept free for the mesh's own errands (moves, resizes), which must not be refused because a
/// service talks much. One coordinator at a time has at most a handful under way to each shard.
pub(crate) const CONTROL_RESERVED: usize = 32;

/// The partition that a request is addressed to, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(u16);

impl Tag {
    /// Addressed to a shard.
    pub(crate) const NONE: Self = Self(u16::MAX);

    /// # Panics
    /// If `partition` is not below [`PARTITIONS`].
    pub(crate) fn of(partition: usize) -> Self {
        assert!(
            partition < PARTITIONS,
            "there is no partition {partition}: they are 0 to {}",
            PARTITIONS - 1
        );
        Self(partition as u16)
    }

    pub(crate) fn partition(self) -> Option<usize> {
        (self != Self::NONE).then_some(usize::from(self.0))
    }
}

/// A request and the slot that its reply goes to.
pub(crate) struct Request<S: Service> {
    pub(crate) key: ReplyKey,
    pub(crate) body: Body<S>,
    /// Boxed, for most calls have none.
    pub(crate) options: Option<Box<CallOptions>>,
}

/// What a shard is asked to do.
pub(crate) enum Body<S: Service> {
    /// To handle this.
    Ask(S::Request),
    /// To run this. Boxed twice: a request is no larger for what it seldom is.
    Task(Box<Task<S>>),
}

impl<S: Service> Body<S> {
    /// A task with a result of any type, which its sender knows.
    pub(crate) fn task<R, F>(task: F) -> Self
    where
        R: Send + 'static,
        F: AsyncFnOnce(Mesh<S>) -> R + Send + 'static,
    {
        let task: Task<S> = Box::new(move |mesh| {
            Box::pin(async move {
                let result: Box<dyn Any + Send> = Box::new(task(mesh).await);
                result
            })
        });
        Self::Task(Box::new(task))
    }
}

/// Code sent to a shard, with a result of any type.
pub(crate) type Task<S> =
    Box<dyn FnOnce(Mesh<S>) -> Pin<Box<dyn Future<Output = Box<dyn Any + Send>>>> + Send>;

/// A reply and the slot it goes to.
pub(crate) struct Reply<S: Service> {
    pub(crate) key: ReplyKey,
    pub(crate) answer: Answer<S>,
}

/// What came of a request. Everything but a reply is boxed: it is rare, and a reply in its lane is as small as
/// its type allows.
pub(crate) enum Answer<S: Service> {
    Reply(S::Reply),
    Else(Box<NoReply<S>>),
}

/// What came of a request instead of a reply.
pub(crate) enum NoReply<S: Service> {
    /// What a [`Body::Task`] returned.
    Task(Box<dyn Any + Send>),
    /// Not here; back to the caller.
    Moved(Body<S>),
    /// The shard has no service at this moment; back to the caller.
    Down(Body<S>),
    Rejected(Rejection),
    Expired,
    Cancelled,
    Panicked,
}

impl<S: Service> From<NoReply<S>> for Answer<S> {
    fn from(why: NoReply<S>) -> Self {
        Self::Else(Box::new(why))
    }
}

/// What travels on the control lane.
pub(crate) enum Control<S: Service> {
    /// The service's own.
    User(S::Control),
    /// The caller of this request has given up.
    Cancel(ReplyKey),
    /// The mesh's own business between its shards.
    Errand(Errand<S>),
}

/// Code of the mesh for another shard, which answers by a channel of its own.
pub(crate) type Errand<S> = Box<dyn FnOnce(Mesh<S>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// One shard's ends of all its lanes, by peer; `None` at its own index.
pub(crate) struct Ends<S: Service> {
    pub(crate) to: Vec<Option<EndsTo<S>>>,
    pub(crate) from: Vec<Option<EndsFrom<S>>>,
}

/// For what this shard asks of one peer.
pub(crate) struct EndsTo<S: Service> {
    pub(crate) requests: Sender<Request<S>>,
    pub(crate) replies: Receiver<Reply<S>>,
    pub(crate) control: Sender<Control<S>>,
}

/// For what one peer asks of this shard.
pub(crate) struct EndsFrom<S: Service> {
    pub(crate) requests: Receiver<Request<S>>,
    pub(crate) replies: Sender<Reply<S>>,
    pub(crate) control: Receiver<Control<S>>,
}

/// Makes all lanes of a node of `shards` shards whose pairs may have `capacity` requests outstanding.
/// One [`Ends`] per shard, in order.
pub(crate) fn wire<S: Service>(shards: usize, capacity: usize) -> Vec<Ends<S>> {
    let unwired = |_| Ends {
        to: (0..shards).map(|_| None).collect(),
        from: (0..shards).map(|_| None).collect(),
    };
    let mut ends: Vec<Ends<S>> = (0..shards).map(unwired).collect();
    for asker in 0..shards {
        for owner in (0..shards).filter(|&owner| owner != asker) {
            let (to, from) = pair(capacity);
            ends[asker].to[owner] = Some(to);
            ends[owner].from[asker] = Some(from);
        }
    }
    ends
}

fn pair<S: Service>(capacity: usize) -> (EndsTo<S>, EndsFrom<S>) {
    let (request_tx, request_rx) = lane(capacity);
    let (reply_tx, reply_rx) = lane(capacity);
    let (control_tx, control_rx) = lane(CONTROL_CAPACITY);
    let to = EndsTo {
        requests: request_tx,
        replies: reply_rx,
        control: control_tx,
    };
    let from = EndsFrom {
        requests: request_rx,
        replies: reply_tx,
        control: control_rx,
    };
    (to, from)
}
