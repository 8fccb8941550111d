//! The latest outcomes: so many at most, and none older than the window.

use std::collections::VecDeque;

use super::BreakerOptions;
use crate::supervision::nanos;

#[derive(Debug)]
pub(super) struct Window {
    calls: usize,
    window_ns: u64,
    /// When each ended, and whether it failed; oldest first.
    ended: VecDeque<(u64, bool)>,
    failed: usize,
}

impl Window {
    /// Takes its memory at once, so that recording takes none.
    pub(super) fn new(options: &BreakerOptions) -> Self {
        let calls = options.window_calls as usize;
        Self {
            calls,
            window_ns: nanos(options.window),
            ended: VecDeque::with_capacity(calls),
            failed: 0,
        }
    }

    pub(super) fn push(&mut self, failed: bool, now_ns: u64) {
        self.forget(now_ns);
        if self.ended.len() == self.calls {
            self.pop();
        }
        self.ended.push_back((now_ns, failed));
        self.failed += usize::from(failed);
    }

    /// How many calls there are, and how many of them failed; as of the last push.
    pub(super) fn tally(&self) -> (usize, usize) {
        (self.ended.len(), self.failed)
    }

    pub(super) fn clear(&mut self) {
        self.ended.clear();
        self.failed = 0;
    }

    fn forget(&mut self, now_ns: u64) {
        let window_ns = self.window_ns;
        let old = |at_ns: u64| now_ns.saturating_sub(at_ns) >= window_ns;
        while self.ended.front().is_some_and(|(at_ns, _)| old(*at_ns)) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, failed)) = self.ended.pop_front() {
            self.failed -= usize::from(failed);
        }
    }
}
