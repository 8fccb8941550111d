//! The service under test: it answers with what it was asked, and panics when an order is broken.

use corelane::{Cx, Origin, Outcome, Service, ShardId};

/// One shard's probe.
pub struct Probe {
    me: ShardId,
    /// The next number that each shard's [`Ask::InOrder`] must carry.
    next: Vec<u64>,
    /// Requests handled, local ones included.
    pub handled: u64,
    /// Control messages taken, each with the number of requests handled before it.
    pub controls: Vec<(ShardId, u64, u64)>,
    pub ticks: u64,
    pub panic_in_tick: bool,
}

/// What a probe can be asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    /// Answer with this number.
    Echo(u64),
    /// The same, and numbers of one shard must come as 0, 1, 2…
    InOrder(u64),
    /// Panic.
    Panic,
}

/// What it answers: itself and the number.
pub type Answer = (ShardId, u64);

impl Probe {
    pub fn new(me: ShardId, shards: usize) -> Self {
        Self {
            me,
            next: vec![0; shards],
            handled: 0,
            controls: Vec::new(),
            ticks: 0,
            panic_in_tick: false,
        }
    }
}

impl Service for Probe {
    type Request = Ask;
    type Reply = Answer;
    type Control = u64;

    fn handle(&mut self, ask: Ask, cx: &Cx<'_, Self>) -> Outcome<Self> {
        self.handled += 1;
        let number = match ask {
            Ask::Echo(number) => number,
            Ask::InOrder(number) => {
                let Origin::Shard(from) = cx.origin() else {
                    panic!("only shards count");
                };
                let next = &mut self.next[from.index()];
                assert_eq!(number, *next, "requests of shard {from} out of order");
                *next += 1;
                number
            }
            Ask::Panic => panic!("asked to"),
        };
        Outcome::Ready((self.me, number))
    }

    fn control(&mut self, message: u64, from: ShardId) {
        assert_ne!(message, u64::MAX, "asked to, by control");
        self.controls.push((from, message, self.handled));
    }

    fn tick(&mut self) {
        self.ticks += 1;
        assert!(!self.panic_in_tick, "asked to, by tick");
    }
}
