//! Two shards' sides of the mesh turned by hand, without a runtime: what each step does is exact, so
//! the counters are too.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use corelane_rt::Poller;

use super::wiring::{CONTROL_CAPACITY, CONTROL_RESERVED};
use super::{Call, Core, Mesh, MeshPoller, Refusal, Refused, wire};
use crate::node::Node;
use crate::outside::Outside;
use crate::shard::part;
use crate::{CallError, Cx, Outcome, Service, ShardId, ShardMap};

/// Answers with the number asked; control sums up.
#[derive(Default)]
struct Echo {
    controls: u64,
}

impl Service for Echo {
    type Request = u64;
    type Reply = u64;
    type Control = u64;

    fn handle(&mut self, number: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        assert_ne!(number, 13, "bad luck");
        Outcome::Ready(number)
    }

    fn control(&mut self, message: u64, _from: ShardId) {
        self.controls += message;
    }
}

/// A shard turned by hand.
struct Shard {
    mesh: Mesh<Echo>,
    poller: MeshPoller<Echo>,
}

impl Shard {
    fn turn(&mut self) -> bool {
        self.poller.poll()
    }

    fn stats(&self) -> super::MeshStats {
        self.mesh.stats()
    }
}

const A: ShardId = ShardId::new(0);
const B: ShardId = ShardId::new(1);

/// A node of two shards.
fn pair(capacity: usize) -> (Arc<Node>, Shard, Shard) {
    let node = Node::new(2, ShardMap::even(2), None);
    let outside = Outside::new(node.clone());
    let mut shards = wire(2, capacity).into_iter().zip([A, B]).map(|(ends, me)| {
        let (links, peers) = part(ends);
        let core = Core::new(me, outside.clone(), links);
        core.install(Echo::default());
        let mesh = Mesh::new(core);
        Shard {
            poller: MeshPoller::new(mesh.clone(), peers),
            mesh,
        }
    });
    let (a, b) = (shards.next().unwrap(), shards.next().unwrap());
    drop(shards);
    (node, a, b)
}

fn poll(call: &mut Call<Echo>) -> Poll<Result<u64, CallError<u64>>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_takes_one_turn_on_each_side() {
    let (_node, mut a, mut b) = pair(4);
    let mut call = a.mesh.call(B, 7);
    assert!(!b.turn(), "nothing leaves before the caller's turn ends");
    assert!(a.turn());
    assert!(b.turn(), "handled and answered");
    assert!(poll(&mut call).is_pending());
    assert!(a.turn());
    assert_eq!(poll(&mut call), Poll::Ready(Ok(7)));
    assert!(!(a.turn() || b.turn()), "all is quiet");
    assert_eq!(
        (
            a.stats().calls,
            a.stats().batches,
            b.stats().handled,
            b.stats().batches
        ),
        (1, 1, 1, 1)
    );
}

#[test]
fn flush_sends_at_once() {
    let (_node, a, mut b) = pair(4);
    let _call = a.mesh.call(B, 7);
    a.mesh.flush();
    assert!(b.turn());
}

#[test]
fn the_line_is_served_in_order_as_replies_come() {
    let (_node, mut a, mut b) = pair(2);
    let mut calls: VecDeque<_> = (0..5)
        .map(|number| (number, a.mesh.call(B, number)))
        .collect();
    assert_eq!(a.mesh.try_call(B, 9).unwrap_err().reason, Refusal::Full);
    for at_once in [2, 2, 1] {
        a.turn();
        b.turn();
        a.turn();
        for (number, mut call) in calls.drain(..at_once) {
            assert_eq!(poll(&mut call), Poll::Ready(Ok(number)));
        }
        assert!(calls.iter_mut().all(|(_, call)| poll(call).is_pending()));
    }
    assert_eq!((a.stats().waited, a.stats().refused_full), (3, 1));
}

#[test]
fn a_newcomer_does_not_pass_the_line() {
    let (_node, mut a, mut b) = pair(1);
    let (mut first, mut second) = (a.mesh.call(B, 1), a.mesh.call(B, 2));
    a.turn();
    b.turn();
    // The reply has come and the second call is staged: its credit is taken.
    a.turn();
    assert!(a.mesh.try_call(B, 3).is_err());
    assert!(poll(&mut first).is_ready());
    b.turn();
    a.turn();
    assert!(poll(&mut second).is_ready());
    assert!(a.mesh.try_call(B, 3).is_ok());
}

#[test]
fn dropped_calls_are_counted_by_where_they_were() {
    let (_node, mut a, mut b) = pair(1);
    let sent = a.mesh.call(B, 1);
    let waiting = a.mesh.call(B, 2);
    let mut kept = a.mesh.call(B, 3);
    drop((sent, waiting));
    for _ in 0..3 {
        a.turn();
        b.turn();
    }
    assert_eq!(poll(&mut kept), Poll::Ready(Ok(3)));
    let stats = a.stats();
    assert_eq!(
        (stats.calls, stats.late_replies, stats.cancelled),
        (3, 1, 1)
    );
    assert_eq!(b.stats().handled, 2, "what waited was not sent");
}

#[test]
fn control_needs_no_credit_and_comes_first() {
    /// The rest of the lane is the mesh's own.
    const ROOM: u64 = (CONTROL_CAPACITY - CONTROL_RESERVED) as u64;
    let (_node, mut a, mut b) = pair(1);
    let _calls = (a.mesh.call(B, 1), a.mesh.call(B, 2));
    for message in 0..ROOM {
        a.mesh.control(B, message).unwrap();
    }
    assert_eq!(a.mesh.control(B, 0).unwrap_err().reason, Refusal::Full);
    while b.turn() || a.turn() {}
    assert_eq!(b.mesh.with(|echo| echo.controls), (0..ROOM).sum());
    let (sent, taken) = (a.stats(), b.stats());
    assert_eq!(
        (
            sent.control_sent,
            sent.control_refused,
            taken.control_handled
        ),
        (ROOM, 1, ROOM)
    );
}

#[test]
fn the_own_shard_answers_in_place() {
    let (_node, a, _b) = pair(1);
    assert_eq!(poll(&mut a.mesh.call(A, 5)), Poll::Ready(Ok(5)));
    a.mesh.control(A, 3).unwrap();
    assert_eq!(a.mesh.with(|echo| echo.controls), 3);
    assert_eq!((a.stats().local_calls, a.stats().calls), (1, 0));
}

#[test]
fn a_shard_with_mail_does_not_sleep() {
    let (_node, mut a, mut b) = pair(4);
    let _call = a.mesh.call(B, 1);
    assert!(
        a.poller.prepare_sleep(),
        "going to sleep sends what was staged"
    );
    a.poller.awake();
    assert!(a.poller.busy(), "a reply is outstanding");
    assert!(!b.poller.prepare_sleep(), "a request has arrived");
    b.poller.awake();
    b.turn();
    assert!(b.poller.busy(), "more may come");
    assert!(b.poller.prepare_sleep());
    b.poller.awake();
    assert!(!b.poller.busy());
}

#[test]
fn a_leaving_node_refuses_and_loses() {
    let (node, mut a, mut b) = pair(4);
    let mut open = a.mesh.call(B, 1);
    assert!(poll(&mut open).is_pending());
    node.stop("test");
    assert!(!a.poller.prepare_sleep(), "news of the node's life");
    a.poller.awake();
    a.turn();
    assert!(a.mesh.is_stopping());
    let mut draining = a.mesh.call(B, 2);
    b.turn();
    node.main_done();
    node.main_done();
    a.turn();
    assert_eq!(
        poll(&mut open),
        Poll::Ready(Ok(1)),
        "answered before the end"
    );
    assert_eq!(poll(&mut draining), Poll::Ready(Err(CallError::Lost)));
    let refused = a.mesh.try_call(B, 3).unwrap_err();
    assert_eq!((refused.message, refused.reason), (3, Refusal::Closing));
    assert_eq!(a.mesh.control(B, 3).unwrap_err().reason, Refusal::Closing);
    assert_eq!(a.stats().refused_closing, 2);
}

#[test]
fn a_panicking_handler_ends_the_node_and_serves_no_more() {
    let (node, mut a, mut b) = pair(4);
    let mut unlucky = a.mesh.call(B, 13);
    let mut next = a.mesh.call(B, 14);
    a.turn();
    b.turn();
    let failure = node.failure().unwrap();
    assert_eq!(failure.shard, B);
    assert!(
        failure
            .reason
            .contains("handling a request of shard 0 panicked"),
        "{failure}"
    );
    b.turn();
    a.turn();
    assert_eq!(poll(&mut unlucky), Poll::Ready(Err(CallError::Panicked)));
    let refused = Refused {
        message: 14,
        reason: Refusal::Down,
    };
    assert_eq!(
        poll(&mut next),
        Poll::Ready(Err(CallError::Refused(refused)))
    );
    assert_eq!((b.stats().panics, b.stats().refused_down), (1, 1));
}

/// Random calls, drops and turns: each call is answered with its own number or was dropped, and the
/// counters add up to what was done.
#[test]
fn random_walks_add_up() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (_node, mut a, mut b) = pair(rng.usize(1..6));
        let mut open = VecDeque::new();
        let (mut refused, mut dropped, mut answered) = (0, 0, 0);
        for number in 100..300 {
            match rng.u8(..8) {
                0..3 => open.push_back((number, a.mesh.call(B, number))),
                3 => match a.mesh.try_call(B, number) {
                    Ok(call) => open.push_back((number, call)),
                    Err(_) => refused += 1,
                },
                4 if !open.is_empty() => {
                    open.remove(rng.usize(..open.len()));
                    dropped += 1;
                }
                5 => drop(a.turn()),
                6 => drop(b.turn()),
                _ => open.retain_mut(|(number, call)| match poll(call) {
                    Poll::Ready(outcome) => {
                        assert_eq!(outcome, Ok(*number));
                        answered += 1;
                        false
                    }
                    Poll::Pending => true,
                }),
            }
        }
        while a.turn() | b.turn() {}
        for (number, mut call) in open {
            assert_eq!(poll(&mut call), Poll::Ready(Ok(number)), "seed {seed}");
            answered += 1;
        }
        let stats = a.stats();
        assert_eq!(stats.calls, answered + dropped, "seed {seed}");
        assert_eq!(stats.refused_full, refused, "seed {seed}");
        assert_eq!(
            b.stats().handled,
            stats.calls - stats.cancelled,
            "seed {seed}"
        );
        assert!(
            stats.late_replies + stats.cancelled <= dropped,
            "seed {seed}"
        );
        assert!(!a.poller.busy() || stats.calls == 0, "all credits are back");
    }
}

/// Shared state is not kept alive by what the shards hold of each other.
#[test]
fn nothing_is_left_behind() {
    let (node, a, b) = pair(4);
    let call = a.mesh.call(B, 1);
    let core = Rc::downgrade(&a.mesh.core);
    drop((a, b));
    drop(call);
    assert!(core.upgrade().is_none());
    assert_eq!(Arc::strong_count(&node), 1);
}
