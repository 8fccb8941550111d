//! The lanes of a node, made once before its shards start: for every ordered pair one for requests,
//! one back for replies, and one for control.
//!
//! Both data lanes of a pair have room for as many messages as the pair may have requests
//! outstanding. So a request that has a credit always fits, and so does its reply: no
//! shard ever waits for room, and two shards cannot wait for each other.

use corelane_channel::{Receiver, Sender, lane};

use super::replies::ReplyKey;
use crate::Service;

/// Messages a control lane holds. They are rare and handled first in every turn; a peer that has
/// left this many unread is wedged.
pub(crate) const CONTROL_CAPACITY: usize = 256;

/// A request and the slot that its reply goes to.
pub(crate) struct Request<Q> {
    pub(crate) key: ReplyKey,
    pub(crate) body: Q,
}

/// A reply and the slot it goes to.
pub(crate) struct Reply<R> {
    pub(crate) key: ReplyKey,
    pub(crate) body: R,
}

/// One shard's ends of all its lanes, by peer; `None` at its own index.
pub(crate) struct Ends<S: Service> {
    pub(crate) to: Vec<Option<EndsTo<S>>>,
    pub(crate) from: Vec<Option<EndsFrom<S>>>,
}

/// For what this shard asks of one peer.
pub(crate) struct EndsTo<S: Service> {
    pub(crate) requests: Sender<Request<S::Request>>,
    pub(crate) replies: Receiver<Reply<S::Reply>>,
    pub(crate) control: Sender<S::Control>,
}

/// For what one peer asks of this shard.
pub(crate) struct EndsFrom<S: Service> {
    pub(crate) requests: Receiver<Request<S::Request>>,
    pub(crate) replies: Sender<Reply<S::Reply>>,
    pub(crate) control: Receiver<S::Control>,
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
