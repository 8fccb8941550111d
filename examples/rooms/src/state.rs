//! A shard's rooms, its sessions, and what can be asked of it.

use std::collections::HashMap;

use corelane::sync::{Event, Gate};
use corelane::{Cx, Handoff, Origin, Outcome, Service, ShardId};

use crate::room::{Page, Room};
use crate::session::{self, Migrant};

/// Rooms of one partition at most.
const ROOMS_MAX: usize = 1000;

/// Sessions of one shard at most.
const SESSIONS_MAX: usize = 10_000;

/// Messages that a session takes at once.
const PAGE: usize = 64;

/// What a shard can be asked.
pub enum Ask {
    /// The number of a room's last message; makes the room.
    Enter(String),
    /// Say something in a room.
    Say {
        /// In which.
        room: String,
        /// Who.
        from: String,
        /// What.
        text: String,
    },
    /// The messages of a room after this number.
    Read {
        /// Which room.
        room: String,
        /// The last number that the reader knows.
        after: u64,
    },
    /// Take over a client.
    Adopt(Box<Migrant>),
}

/// What it answers.
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Enter`] and [`Ask::Say`]: the number of the last message.
    At(u64),
    /// To [`Ask::Read`].
    Page(Page),
    /// To [`Ask::Adopt`].
    Adopted,
}

/// There is something new in this room.
pub struct News(String);

/// One shard's state.
pub struct Rooms {
    me: ShardId,
    partitions: HashMap<usize, Partition>,
    /// The sessions of this shard, by the room that they are in.
    sessions: HashMap<String, Vec<(u64, Event)>>,
    next_place: u64,
    /// Sessions are inside; the shard's main closes it and waits for them.
    pub gate: Gate,
}

/// The rooms of one partition: what moves. Any shard can take it over as it is.
pub type Partition = HashMap<String, Room>;

impl Rooms {
    /// A shard without rooms.
    #[must_use]
    pub fn new(me: ShardId) -> Self {
        Self {
            me,
            partitions: HashMap::new(),
            sessions: HashMap::new(),
            next_place: 0,
            gate: Gate::new(),
        }
    }

    /// A session wants to hear of a room; its place among those that do.
    pub(crate) fn listen(&mut self, room: &str, news: &Event) -> u64 {
        self.next_place += 1;
        let sessions = self.sessions.entry(room.to_owned()).or_default();
        sessions.push((self.next_place, news.clone()));
        self.next_place
    }

    /// It no longer does.
    pub(crate) fn unlisten(&mut self, room: &str, place: u64) {
        if let Some(sessions) = self.sessions.get_mut(room) {
            sessions.retain(|(theirs, _)| *theirs != place);
            if sessions.is_empty() {
                self.sessions.remove(room);
            }
        }
    }

    fn tell_sessions(&self, room: &str) {
        let sessions = self.sessions.get(room).into_iter().flatten();
        sessions.for_each(|(_, event)| event.set());
    }

    /// A room, made if need be.
    fn room(&mut self, partition: usize, room: String) -> Result<&mut Room, Outcome<Self>> {
        let rooms = self.partitions.entry(partition).or_default();
        if rooms.len() >= ROOMS_MAX && !rooms.contains_key(&room) {
            return Err(Outcome::rejected(
                "there are too many rooms; join another one",
            ));
        }
        Ok(rooms.entry(room).or_default())
    }

    fn say(
        &mut self,
        partition: usize,
        room: String,
        from: String,
        text: String,
        cx: &Cx<'_, Self>,
    ) -> Outcome<Self> {
        let me = self.me;
        let found = match self.room(partition, room.clone()) {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let mut is_heard_here = false;
        for shard in found.say(from, text) {
            if shard == me {
                is_heard_here = true;
            } else {
                // Where this is refused, sessions look by themselves a little later.
                let _ = cx.mesh().control(shard, News(room.clone()));
            }
        }
        let number = found.last();
        if is_heard_here {
            self.tell_sessions(&room);
        }
        Outcome::Ready(Answer::At(number))
    }
}

impl Service for Rooms {
    type Request = Ask;
    type Reply = Answer;
    type Control = News;

    fn handle(&mut self, ask: Ask, cx: &Cx<'_, Self>) -> Outcome<Self> {
        let partition = cx.partition().unwrap_or_default();
        match ask {
            Ask::Enter(room) => match self.room(partition, room) {
                Ok(room) => Outcome::Ready(Answer::At(room.last())),
                Err(refusal) => refusal,
            },
            Ask::Say { room, from, text } => self.say(partition, room, from, text, cx),
            Ask::Read { room, after } => {
                let reader = match cx.origin() {
                    Origin::Shard(shard) => Some(shard),
                    Origin::Outside => None,
                };
                match self.room(partition, room) {
                    Ok(room) => Outcome::Ready(Answer::Page(room.read(reader, after, PAGE))),
                    Err(refusal) => refusal,
                }
            }
            Ask::Adopt(migrant) => {
                if self.gate.stats().inside >= SESSIONS_MAX {
                    return Outcome::rejected("this shard has as many clients as it takes");
                }
                match self.gate.enter() {
                    Ok(inside) => {
                        session::start(cx.mesh().clone(), *migrant, inside);
                        Outcome::Ready(Answer::Adopted)
                    }
                    // This shard is about to sleep: who sends looks for another.
                    Err(_) => Outcome::Moved(Ask::Adopt(migrant)),
                }
            }
        }
    }

    fn control(&mut self, News(room): News, _from: ShardId) {
        self.tell_sessions(&room);
    }
}

impl Handoff for Rooms {
    type Parcel = Partition;

    fn hand_over(&mut self, partition: usize) -> Partition {
        self.partitions.remove(&partition).unwrap_or_default()
    }

    fn import(&mut self, partition: usize, rooms: Partition) {
        self.partitions.insert(partition, rooms);
    }
}
