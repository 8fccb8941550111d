//! The protocol under a model checker: every interleaving, every value that the memory model allows.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering, fence};
}

#[path = "flags.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
mod flags;

/// Sends `messages` from as many threads, each with a ring, to a receiver that sleeps whenever it may; fails
/// if the receiver sleeps for ever. `preemptions` bounds how often a thread is interrupted.
fn deliver(messages: u64, preemptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let flags = Arc::new(flags::Flags::new());
        let sent = Arc::new(AtomicU64::new(0));
        let wake = Arc::new(Notify::new());
        let senders: Vec<_> = (0..messages)
            .map(|_| {
                let (flags, sent, wake) = (flags.clone(), sent.clone(), wake.clone());
                thread::spawn(move || {
                    sent.fetch_add(1, Ordering::Relaxed);
                    if flags.ring() {
                        wake.notify();
                    }
                })
            })
            .collect();
        loop {
            // A message is looked for only where a ring was heard: that is all a runtime does.
            if flags.take_rung() && sent.load(Ordering::Relaxed) == messages {
                break;
            }
            if !flags.is_rung() {
                if flags.announce_sleep() {
                    wake.wait();
                }
                flags.awake();
            }
        }
        senders
            .into_iter()
            .for_each(|sender| sender.join().expect("join"));
    });
}

#[test]
fn a_ring_is_never_lost() {
    deliver(1, None);
}

#[test]
fn two_rings_at_once_are_not_lost() {
    // Unbounded it takes minutes.
    deliver(2, Some(3));
}
