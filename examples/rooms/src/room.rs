//! A room: its messages, numbered, and the shards that want to hear of new ones. Pure.

use std::collections::VecDeque;

use corelane::ShardId;

/// Messages that a room keeps. Who is further behind has missed the older ones, and is told how many.
pub const KEPT_MESSAGES: usize = 1000;

/// A shard that has let so many messages pass without reading is no longer told of new ones.
const UNREAD_MAX: u64 = 64;

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 1 for the first of the room, 2 for the second…
    pub number: u64,
    /// Who.
    pub from: String,
    /// What.
    pub text: String,
}

/// Messages in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Messages that are no longer kept, before these.
    pub missed: u64,
    /// Without a gap.
    pub messages: Vec<Message>,
}

/// A room.
#[derive(Debug, Default)]
pub struct Room {
    last: u64,
    kept: VecDeque<Message>,
    listeners: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    shard: ShardId,
    /// The last message when it read last.
    knows: u64,
}

impl Room {
    /// The number of the last message; 0 if nobody has said anything.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Takes a message in and returns the shards that want to know.
    pub fn say(&mut self, from: String, text: String) -> impl Iterator<Item = ShardId> + '_ {
        self.last += 1;
        let number = self.last;
        if self.kept.len() == KEPT_MESSAGES {
            self.kept.pop_front();
        }
        self.kept.push_back(Message { number, from, text });
        self.listeners
            .retain(|listener| number - listener.knows <= UNREAD_MAX);
        self.listeners.iter().map(|listener| listener.shard)
    }

    /// The messages after number `after`, `most` at most. The shard will be told when there are more.
    pub fn read(&mut self, shard: Option<ShardId>, after: u64, most: usize) -> Page {
        if let Some(shard) = shard {
            self.listeners.retain(|listener| listener.shard != shard);
            let knows = self.last;
            self.listeners.push(Listener { shard, knows });
        }
        let begin = self.last - self.kept.len() as u64;
        let skip = after.saturating_sub(begin) as usize;
        Page {
            missed: begin.saturating_sub(after),
            messages: self.kept.iter().skip(skip).take(most).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use corelane::ShardId;

    use super::{KEPT_MESSAGES, Room};

    #[test]
    fn pages_have_no_gap() {
        let mut room = Room::default();
        let says = 2 * KEPT_MESSAGES as u64 + 7;
        for number in 1..=says {
            assert_eq!(room.say("ada".into(), format!("{number}")).count(), 0);
        }
        for (after, most, missed, first, count) in [
            (0, 3, says - 1000, says - 999, 3),
            (says - 1000, 3, 0, says - 999, 3),
            (says - 5, 100, 0, says - 4, 5),
            (says, 100, 0, 0, 0),
        ] {
            let page = room.read(None, after, most);
            let numbers: Vec<u64> = page.messages.iter().map(|message| message.number).collect();
            assert_eq!(page.missed, missed, "after {after}");
            assert_eq!(
                numbers,
                (first..first + count).collect::<Vec<_>>(),
                "after {after}"
            );
        }
    }

    #[test]
    fn readers_are_told_until_they_read_no_more() {
        let (a, b) = (ShardId::new(1), ShardId::new(2));
        let mut room = Room::default();
        let mut say = |reads: Option<ShardId>| {
            if reads.is_some() {
                room.read(reads, 0, 1);
            }
            room.say("ada".into(), "hello".into()).collect::<Vec<_>>()
        };
        assert_eq!(say(None), []);
        assert_eq!(say(Some(a)), [a]);
        assert_eq!(say(Some(b)), [a, b]);
        let told: Vec<_> = (0..100).map(|_| say(Some(b))).collect();
        assert_eq!(told[0], [a, b]);
        assert_eq!(told[99], [b]);
        assert_eq!(say(Some(a)), [b, a]);
    }
}
