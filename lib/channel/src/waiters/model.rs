//! Every interleaving of waiting and waking, by loom.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p corelane-channel --release --lib --target-dir
//! target/loom`. A lost wake shows as a deadlock, which loom reports. The queue is modelled by what the
//! two sides see of a ring: how many values were put in and how many taken out, stored with Release and
//! loaded with Acquire and nothing stronger; it is the waiters and the list that have to make up for it.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::{Waiter, Waiters};

/// A channel of `capacity` values that are nothing but their number.
struct Channel {
    capacity: usize,
    pushed: AtomicUsize,
    popped: AtomicUsize,
    /// All senders have gone.
    ended: AtomicBool,
    for_values: Waiters,
    for_room: Waiters,
}

impl Channel {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            pushed: AtomicUsize::new(0),
            popped: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            for_values: Waiters::new(),
            for_room: Waiters::new(),
        }
    }

    /// The only sender's push.
    fn try_push(&self) -> Option<()> {
        let pushed = self.pushed.load(Ordering::Relaxed);
        if pushed - self.popped.load(Ordering::Acquire) == self.capacity {
            return None;
        }
        self.pushed.store(pushed + 1, Ordering::Release);
        self.for_values.notify(1);
        Some(())
    }

    /// Any receiver's pop; `Some(false)` at the end.
    fn try_pop(&self) -> Option<bool> {
        loop {
            let popped = self.popped.load(Ordering::Acquire);
            if self.pushed.load(Ordering::Acquire) <= popped {
                break;
            }
            let next = popped + 1;
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            if self
                .popped
                .compare_exchange(popped, next, success, failure)
                .is_ok()
            {
                self.for_room.notify(1);
                return Some(true);
            }
        }
        self.ended.load(Ordering::Acquire).then_some(false)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.for_values.notify(usize::MAX);
    }

    fn send(&self, waiter: &mut Waiter) {
        block_on(poll_fn(|cx| {
            waiter.poll(&self.for_room, cx, || self.try_push())
        }));
    }

    fn receive(&self, waiter: &mut Waiter) -> bool {
        block_on(poll_fn(|cx| {
            waiter.poll(&self.for_values, cx, || self.try_pop())
        }))
    }

    /// A receive that is polled once and dropped, as a `select` does. Whether it got a value.
    fn receive_once(&self, waiter: &mut Waiter, leave: fn(&mut Waiter, &Waiters)) -> bool {
        let cx = Context::from_waker(Waker::noop());
        let polled = waiter.poll(&self.for_values, &cx, || self.try_pop());
        leave(waiter, &self.for_values);
        polled == Poll::Ready(true)
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    // Enough switches for every known shape of this bug, few enough to end within seconds.
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// One value, one receiver, and a way to notify.
fn one_value(notify: fn(&Waiters)) {
    check(move || {
        let channel = Arc::new(Channel::new(1));
        let there = channel.clone();
        let sender = thread::spawn(move || {
            there.pushed.store(1, Ordering::Release);
            notify(&there.for_values);
        });
        let mut waiter = channel.for_values.waiter();
        assert!(channel.receive(&mut waiter));
        sender.join().unwrap();
    });
}

#[test]
fn a_receiver_gets_one_value() {
    one_value(|waiters| waiters.notify(1));
}

#[test]
fn a_receiver_gets_every_value() {
    check(|| {
        let channel = Arc::new(Channel::new(4));
        let there = channel.clone();
        let sender = thread::spawn(move || {
            let mut waiter = there.for_room.waiter();
            (0..2).for_each(|_| there.send(&mut waiter));
        });
        let mut waiter = channel.for_values.waiter();
        assert!((0..2).all(|_| channel.receive(&mut waiter)));
        sender.join().unwrap();
    });
}

/// Both sides sleep: the sender for room, the receiver for values.
#[test]
fn a_full_queue_wakes_its_sender() {
    check(|| {
        let channel = Arc::new(Channel::new(1));
        let there = channel.clone();
        let sender = thread::spawn(move || {
            let mut waiter = there.for_room.waiter();
            (0..2).for_each(|_| there.send(&mut waiter));
        });
        let mut waiter = channel.for_values.waiter();
        assert!((0..2).all(|_| channel.receive(&mut waiter)));
        sender.join().unwrap();
    });
}

#[test]
fn the_end_wakes_everybody() {
    check(|| {
        let channel = Arc::new(Channel::new(1));
        let there = channel.clone();
        let other = thread::spawn(move || {
            let mut waiter = there.for_values.waiter();
            there.receive(&mut waiter)
        });
        channel.end();
        let mut waiter = channel.for_values.waiter();
        assert!(!channel.receive(&mut waiter));
        assert!(!other.join().unwrap());
    });
}

/// Two receivers, one value each.
#[test]
fn two_receivers_share_two_values() {
    check(|| {
        let channel = Arc::new(Channel::new(2));
        let there = channel.clone();
        let other = thread::spawn(move || {
            let mut waiter = there.for_values.waiter();
            assert!(there.receive(&mut waiter));
        });
        let there = channel.clone();
        let sender = thread::spawn(move || {
            (0..2).for_each(|_| there.try_push().unwrap());
        });
        let mut waiter = channel.for_values.waiter();
        assert!(channel.receive(&mut waiter));
        other.join().unwrap();
        sender.join().unwrap();
    });
}

/// One value, and a receiver that gives up at the moment when the value's wake may have been spent on
/// it: either it has the value, and ends the channel, or the one that stays gets it.
fn one_gives_up(leave: fn(&mut Waiter, &Waiters)) {
    check(move || {
        let channel = Arc::new(Channel::new(1));
        let there = channel.clone();
        let fickle = thread::spawn(move || {
            let mut waiter = there.for_values.waiter();
            let got = there.receive_once(&mut waiter, leave);
            if got {
                there.end();
            }
            got
        });
        let there = channel.clone();
        let sender = thread::spawn(move || there.try_push().unwrap());
        let mut waiter = channel.for_values.waiter();
        let patient = channel.receive(&mut waiter);
        sender.join().unwrap();
        assert_ne!(fickle.join().unwrap(), patient);
    });
}

#[test]
fn a_wake_spent_on_one_who_leaves_goes_on() {
    one_gives_up(Waiter::leave);
}

/// The models below leave something out; loom must find what is lost by it, else it proves nothing.
#[test]
#[should_panic(expected = "deadlock")]
fn without_passing_it_on_a_wake_is_lost() {
    one_gives_up(|waiter, waiters| {
        waiter.registered = false;
        waiters.sign_off(waiter.key);
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_senders_fence_a_wake_is_lost() {
    one_value(|waiters| {
        if waiters.sleeping.load(Ordering::Relaxed) != 0 {
            waiters.wake(1);
        }
    });
}
