//! Faults put between server and clients on purpose, so that tests see them found. A run without them passes
//! everything through.

use std::time::Duration;

use corelane_wire::Value;

use crate::plan::Tamper;

/// Every how many replies of a connection a fault strikes.
const EVERY: u32 = 9;

/// How late a late reply is: more than any client's patience.
const LATE: Duration = Duration::from_millis(2_000);

/// One connection's faults.
pub(super) struct Tampering {
    kind: Tamper,
    replies: u32,
    held: Option<Value>,
}

impl Tampering {
    pub(super) fn new(kind: Tamper) -> Self {
        Self {
            kind,
            replies: 0,
            held: None,
        }
    }

    fn strikes(&mut self) -> bool {
        self.replies += 1;
        self.replies.is_multiple_of(EVERY)
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
        match (kind, self.strikes()) {
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
        (self.kind == Tamper::Delay && self.strikes()).then_some(LATE)
    }

    /// Whether a write goes astray.
    pub(super) fn loses(&mut self, words: &[Vec<u8>]) -> bool {
        let plain = words.len() == 3 && words[0] == b"SET";
        self.kind == Tamper::LoseWrite && plain && self.strikes()
    }
}
