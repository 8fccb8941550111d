//! The start barrier: every shard waits at it until all are ready, or until one has failed and all
//! turn back. Nobody is left waiting, whoever fails and when.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Closed until somebody decides, once.
#[derive(Default)]
pub(super) struct Gate {
    decision: Mutex<Option<bool>>,
    decided: Condvar,
}

impl Gate {
    /// Lets everybody go on.
    pub(super) fn open(&self) {
        self.decide(true);
    }

    /// Sends everybody back, those who come later too. After [`open`](Self::open) it does nothing.
    pub(super) fn abort(&self) {
        self.decide(false);
    }

    /// Waits for the decision; whether to go on.
    pub(super) fn pass(&self) -> bool {
        let decision = self.decision();
        let waited = self
            .decided
            .wait_while(decision, |decision| decision.is_none());
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|go| go)
    }

    fn decide(&self, go: bool) {
        self.decision().get_or_insert(go);
        self.decided.notify_all();
    }

    /// One assignment is all that happens under this lock, so a poisoned one is whole.
    fn decision(&self) -> MutexGuard<'_, Option<bool>> {
        self.decision.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Gate;

    #[test]
    fn everybody_gets_the_first_decision() {
        for go in [true, false] {
            let gate = Gate::default();
            thread::scope(|scope| {
                let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| gate.pass())).collect();
                if go {
                    gate.open()
                } else {
                    gate.abort()
                }
                gate.abort();
                gate.open();
                assert!(waiting.into_iter().all(|shard| shard.join().unwrap() == go));
            });
            assert_eq!(gate.pass(), go, "those who come late too");
        }
    }
}
