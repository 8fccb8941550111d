//! Every interleaving of the wake handshake, by loom.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p corelane-channel --release --test loom --target-dir
//! target/loom`. A lost wake shows as a deadlock, which loom reports; a ring too many as a failed
//! assertion. The lane is modelled by what a receiver sees of rtrb: an index that the sender stores
//! with Release and the receiver loads with Acquire.
#![cfg(loom)]

use corelane_channel::SleepFlag;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

/// The handshake under test, or one broken on purpose.
trait Handshake: Send + Sync + 'static {
    fn new() -> Self;
    fn announce(&self);
    fn retract(&self);
    fn claim_wake(&self) -> bool;
}

impl Handshake for SleepFlag {
    fn new() -> Self {
        Self::new()
    }
    fn announce(&self) {
        self.announce();
    }
    fn retract(&self) {
        self.retract();
    }
    fn claim_wake(&self) -> bool {
        self.claim_wake()
    }
}

/// A shard as its peers see it: one lane index per sender, the flag, and a doorbell that remembers.
struct Shard<H> {
    lanes: Vec<AtomicUsize>,
    flag: H,
    rung: Mutex<bool>,
    signal: Condvar,
    rings: AtomicUsize,
}

impl<H: Handshake> Shard<H> {
    fn new(senders: usize) -> Self {
        Self {
            lanes: (0..senders).map(|_| AtomicUsize::new(0)).collect(),
            flag: H::new(),
            rung: Mutex::new(false),
            signal: Condvar::new(),
            rings: AtomicUsize::new(0),
        }
    }

    fn send(&self, sender: usize, upto: usize) {
        self.lanes[sender].store(upto, Ordering::Release);
        if self.flag.claim_wake() {
            self.rings.fetch_add(1, Ordering::Relaxed);
            *self.rung.lock().unwrap() = true;
            self.signal.notify_one();
        }
    }

    fn received(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| lane.load(Ordering::Acquire))
            .sum()
    }

    /// Waits for all messages; returns how many sleeps were announced.
    fn receive(&self, messages: usize) -> usize {
        let mut sleeps = 0;
        let mut seen = self.received();
        while seen < messages {
            self.flag.announce();
            sleeps += 1;
            if self.received() == seen {
                self.wait();
            }
            self.flag.retract();
            seen = self.received();
        }
        sleeps
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.signal.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// `senders` threads send `each` messages to one receiver that sleeps whenever it finds nothing.
fn check<H: Handshake>(senders: usize, each: usize) {
    let mut model = loom::model::Builder::new();
    // Enough switches for every known shape of this bug, few enough to end within seconds.
    model.preemption_bound = Some(3);
    model.check(move || {
        let shard = Arc::new(Shard::<H>::new(senders));
        let threads: Vec<_> = (0..senders)
            .map(|sender| {
                let shard = shard.clone();
                thread::spawn(move || (1..=each).for_each(|upto| shard.send(sender, upto)))
            })
            .collect();
        let sleeps = shard.receive(senders * each);
        for thread in threads {
            thread.join().unwrap();
        }
        let rings = shard.rings.load(Ordering::Relaxed);
        assert!(rings <= sleeps, "{rings} rings for {sleeps} sleeps");
    });
}

#[test]
fn one_sender_one_message() {
    check::<SleepFlag>(1, 1);
}

#[test]
fn one_sender_three_messages() {
    check::<SleepFlag>(1, 3);
}

#[test]
fn two_senders() {
    check::<SleepFlag>(2, 1);
}

#[test]
fn two_senders_two_messages() {
    check::<SleepFlag>(2, 2);
}

/// The same flag with one of its fences left out: the model must find the lost wake, else it proves
/// nothing.
struct OneFence<const ON_RECEIVER: bool>(AtomicBool);

impl<const ON_RECEIVER: bool> Handshake for OneFence<ON_RECEIVER> {
    fn new() -> Self {
        Self(AtomicBool::new(false))
    }
    fn announce(&self) {
        self.0.swap(true, Ordering::AcqRel);
        if ON_RECEIVER {
            fence(Ordering::SeqCst);
        }
    }
    fn retract(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
    fn claim_wake(&self) -> bool {
        if !ON_RECEIVER {
            fence(Ordering::SeqCst);
        }
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::AcqRel)
    }
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_receivers_fence_a_wake_is_lost() {
    check::<OneFence<false>>(1, 1);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_senders_fence_a_wake_is_lost() {
    check::<OneFence<true>>(1, 1);
}

/// A plain load and store instead of the swap: two senders ring for one sleep.
struct RingWithoutSwap(AtomicBool);

impl Handshake for RingWithoutSwap {
    fn new() -> Self {
        Self(AtomicBool::new(false))
    }
    fn announce(&self) {
        self.0.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }
    fn retract(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
    fn claim_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        let asleep = self.0.load(Ordering::Relaxed);
        self.0.store(false, Ordering::Relaxed);
        asleep
    }
}

#[test]
#[should_panic(expected = "rings for")]
fn without_the_swap_two_ring() {
    check::<RingWithoutSwap>(2, 1);
}
