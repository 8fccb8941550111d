//! What happened, as a running hash to compare runs by, and its end as text to read when a run went wrong.

use std::collections::VecDeque;

/// How many of the last entries are kept as text.
const KEPT: usize = 48;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// A shard ran a task.
    Ran { shard: usize, task: u64 },
    /// An event took place.
    Event(super::event::Event),
    /// Bytes went from one end of a connection or came to it.
    Bytes {
        conn: u64,
        side: usize,
        count: usize,
        hash: u64,
    },
}

#[derive(Default)]
pub(crate) struct Trace {
    hash: u64,
    entries: u64,
    last: VecDeque<(u64, Entry)>,
}

impl Trace {
    pub(crate) fn add(&mut self, now_ns: u64, entry: Entry) {
        use super::event::Event;
        self.entries += 1;
        let (kind, a, b) = match entry {
            Entry::Ran { shard, task } => (1, shard as u64, task),
            Entry::Event(Event::Ring { shard }) => (2, shard as u64, 0),
            Entry::Event(Event::Deliver { conn, side }) => (3, conn, side as u64),
            Entry::Event(Event::SendDone { conn, side }) => (4, conn, side as u64),
            Entry::Event(Event::Room { conn, side }) => (5, conn, side as u64),
            Entry::Event(Event::Reset { conn, side }) => (6, conn, side as u64),
            Entry::Event(Event::Connect { attempt }) => (7, attempt.0, 0),
            Entry::Event(Event::Done { ticket }) => (8, ticket, 0),
            Entry::Event(Event::Linger { conn, side }) => (12, conn, side as u64),
            Entry::Event(Event::Datagram { datagram }) => (11, datagram, 0),
            Entry::Bytes {
                conn,
                side,
                count,
                hash,
            } => (9 + side as u64, conn ^ hash, count as u64),
        };
        for word in [now_ns, kind, a, b] {
            self.hash = mix(self.hash ^ word);
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((now_ns, entry));
    }

    pub(crate) fn hash(&self) -> u64 {
        mix(self.hash ^ self.entries)
    }

    /// The last entries, a line each.
    pub(crate) fn tail(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for (at_ns, entry) in &self.last {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {:>12} ns  {entry:?}", at_ns);
        }
        text
    }
}

/// A hash of bytes that tells different contents apart; not for adversaries.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finishing step of splitmix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
