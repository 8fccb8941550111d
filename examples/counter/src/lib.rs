//! A worker that counts: a state of its own, a mailbox in front of it, and nothing shared.
//!
//! `main` sends it messages in every way there is, and tells what comes of each: room and no room, pause, ping, a
//! message that fails, one that panics, and a stop that handles what waits.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use corelane::worker::{Envelope, Failed, Handled, Worker, WorkerCx};

/// A counter. What it has counted is its worker's own; this is only how it starts and what it does.
#[derive(Clone, Default)]
pub struct Counter {
    last: Arc<AtomicI64>,
}

/// What it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// Add this. Fails where the sum would leave 64 bits.
    Add(i64),
    /// Say the sum.
    Read,
    /// Panic, as code with a fault would.
    Panic,
}

impl Counter {
    /// The sum when the worker last shut down in peace.
    #[must_use]
    pub fn last_sum(&self) -> i64 {
        self.last.load(Ordering::Acquire)
    }
}

impl Worker for Counter {
    type State = i64;
    type Message = Count;
    type Reply = i64;

    async fn init(&self, _cx: WorkerCx<Self>) -> Result<i64, String> {
        Ok(0)
    }

    fn handle_message(&self, sum: &mut i64, message: Envelope<Count>) -> Handled<Self> {
        match message.into_inner() {
            Count::Add(by) => match sum.checked_add(by) {
                Some(new) => *sum = new,
                None => {
                    let failed = Failed::because(format!("{sum} and {by} do not fit 64 bits"));
                    return Err(failed.returning(Count::Add(by)));
                }
            },
            Count::Read => {}
            Count::Panic => panic!("this counter has a fault"),
        }
        Ok(*sum)
    }

    fn shutdown(&self, sum: &mut i64) {
        self.last.store(*sum, Ordering::Release);
    }
}
