//! What happens in a world by itself, and when: the queue of events to come.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::net::ConnectId;

/// Something that is due at a time. Sides and shards are indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A shard's doorbell is heard.
    Ring { shard: usize },
    /// Bytes have reached one side of a connection.
    Deliver { conn: u64, side: usize },
    /// One side of a connection learns that its send is done.
    SendDone { conn: u64, side: usize },
    /// One side of a connection learns that the other has read.
    Room { conn: u64, side: usize },
    /// One side of a connection learns that it was reset.
    Reset { conn: u64, side: usize },
    /// What one side of a connection was sending when it was dropped has had its time.
    Linger { conn: u64, side: usize },
    /// A connection attempt reaches the listener.
    Connect { attempt: ConnectId },
    /// A datagram arrives.
    Datagram { datagram: u64 },
    /// A timer of the world's own: a disk or blocking operation is done.
    Done { ticket: u64 },
}

/// Events in the order of their times; equal times in an order drawn at random.
#[derive(Default)]
pub(crate) struct Events {
    heap: BinaryHeap<Timed>,
    added: u64,
}

struct Timed {
    due_ns: u64,
    lot: u32,
    number: u64,
    event: Event,
}

impl Events {
    pub(crate) fn add(&mut self, due_ns: u64, lot: u32, event: Event) {
        self.added += 1;
        self.heap.push(Timed {
            due_ns,
            lot,
            number: self.added,
            event,
        });
    }

    pub(crate) fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|timed| timed.due_ns)
    }

    /// The next event if it is due.
    pub(crate) fn pop(&mut self, now_ns: u64) -> Option<Event> {
        if self.next_ns()? > now_ns {
            return None;
        }
        self.heap.pop().map(|timed| timed.event)
    }
}

impl Ord for Timed {
    /// Reversed, since the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due_ns, other.lot, other.number).cmp(&(self.due_ns, self.lot, self.number))
    }
}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timed {}
