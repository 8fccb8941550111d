//! Faults put between server and clients on purpose, so that tests see them found. A run without them passes
//! everything through.

use std::time::Duration;

use corelane_wire::Value;

use crate::plan::Tamper;

/// Every how many replies of a connection a fault strikes.
const EVERY: u32 = 9;

/// Every how many plain writes of a connection one goes astray.
const EVERY_WRITE: u32 = 2;

/// How late a late reply is: more than any client's patience.
const LATE: Duration = Duration::from_millis(2_000);

/// One connection's faults.
pub(super) struct Tampering {
    kind: Tamper,
    /// Occasions for a fault so far.
    occasions: u32,
    held: Option<Value>,
}

impl Tampering {
    pub(super) fn new(kind: Tamper) -> Self {
        Self {
            kind,
            occasions: 0,
            held: None,
        }
    }

    fn strikes(&mut self, every: u32) -> bool {
        self.occasions += 1;
        self.occasions.is_multiple_of(every)
    }

    /// What the client sees of a reply: `stale` gives what an earlier reader was told.
    pub(super) fn pass(
        &mut self,
        reply: Value,
        stale: impl FnOnce(&Value) -> Option<Value>,
    ) -> Vec<Value> {
        let kind = self.kind;
        if matches!(kind, Tamper::None | Tamper::LoseWrite | Tamper::Delay) {
            return vec![reply];
        }
        match (kind, self.strikes(EVERY)) {
            (Tamper::Drop, true) => vec![],
            (Tamper::Double, true) => vec![reply.clone(), reply],
            (Tamper::Stale, true) => vec![stale(&reply).unwrap_or(reply)],
            (Tamper::Swap, true) => {
                self.held = Some(reply);
                vec![]
            }
            _ => std::iter::once(reply).chain(self.held.take()).collect(),
        }
    }

    /// How long the client's bytes are held up.
    pub(super) fn delay(&mut self) -> Option<Duration> {
        (self.kind == Tamper::Delay && self.strikes(EVERY)).then_some(LATE)
    }

    /// Whether a write goes astray.
    pub(super) fn loses(&mut self, words: &[Vec<u8>]) -> bool {
        let plain = words.len() == 3 && words[0] == b"SET";
        self.kind == Tamper::LoseWrite && plain && self.strikes(EVERY_WRITE)
    }
}
