//! The way in under a model checker: every interleaving, every value that the memory model allows. The ring is a
//! locked stand-in: crossbeam's own is not what is tested here.

use loom::thread;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool as Flag, Ordering};
use std::task::{Context, Wake, Waker};

mod atomics {
    use std::collections::VecDeque;

    pub(super) use loom::sync::atomic::{
        AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
    pub(super) use loom::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;

    pub(super) struct Ring<T> {
        items: Mutex<VecDeque<T>>,
        capacity: usize,
    }

    impl<T> Ring<T> {
        pub(super) fn new(capacity: usize) -> Self {
            Self {
                items: Mutex::new(VecDeque::new()),
                capacity,
            }
        }

        pub(super) fn push(&self, item: T) -> Result<(), T> {
            let mut items = self.items.lock().expect("not poisoned");
            if items.len() == self.capacity {
                return Err(item);
            }
            items.push_back(item);
            Ok(())
        }

        pub(super) fn pop(&self) -> Option<T> {
            self.items.lock().expect("not poisoned").pop_front()
        }

        pub(super) fn len(&self) -> usize {
            self.items.lock().expect("not poisoned").len()
        }

        pub(super) fn is_empty(&self) -> bool {
            self.len() == 0
        }

        pub(super) fn is_full(&self) -> bool {
            self.len() == self.capacity
        }
    }
}

#[path = "holds.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
#[allow(dead_code, reason = "each model uses its part")]
mod holds;

#[path = "queue.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
#[allow(dead_code, reason = "each model uses its part")]
mod queue;

#[path = "room.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
#[allow(dead_code, reason = "each model uses its part")]
mod room;

#[path = "routes.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
#[allow(dead_code, reason = "each model uses its part")]
mod routes;

/// Explores schedules with so many preemptions at most.
fn model(preemptions: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(f);
}

/// Either the sender is held back, or who freezes sees it under way: never neither.
#[test]
fn no_request_slips_through_a_freeze() {
    loom::model(|| {
        let routes =
            loom::sync::Arc::new(routes::Routes::of([atomics::AtomicU32::new(0)].into(), 1));
        let sender = {
            let routes = routes.clone();
            thread::spawn(move || routes.enter(0).is_some())
        };
        routes.freeze(0);
        let drained = routes.is_drained(0);
        let went_in = sender.join().expect("join");
        assert!(!(drained && went_in), "a request went in unseen");
    });
}

/// A ring of one, so that most stand in line: each sender's items come out once and in order, whenever the taker
/// takes.
#[test]
fn each_sender_keeps_its_order() {
    model(3, || {
        let queue = loom::sync::Arc::new(queue::Queue::new(1, 16));
        let senders: Vec<_> = [0, 10]
            .map(|from| {
                let queue = queue.clone();
                thread::spawn(move || {
                    for item in from..from + 2 {
                        assert!(queue.push(item).is_ok());
                    }
                })
            })
            .into();
        let mut taken = VecDeque::new();
        queue.take(1, &mut taken);
        let mut more = VecDeque::new();
        queue.take(2, &mut more);
        taken.append(&mut more);
        senders.into_iter().for_each(|s| s.join().expect("join"));
        while !queue.is_empty() {
            queue.take(2, &mut more);
            taken.append(&mut more);
        }
        for from in [0, 10] {
            let of_sender = taken.iter().filter(|item| **item / 10 == from / 10);
            assert!(of_sender.eq([from, from + 1].iter()), "{taken:?}");
        }
    });
}

struct Woken(Flag);

impl Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Who waits for room while the last that stands in the way is taken sees the room or is woken.
#[test]
fn nobody_waits_for_room_that_is_there() {
    model(4, || {
        let parts = loom::sync::Arc::new((queue::Queue::new(1, 1), room::Room::new()));
        assert!(parts.0.push(1).is_ok());
        assert!(parts.0.push(2).is_ok(), "in line");
        let woken = std::sync::Arc::new(Woken(Flag::new(false)));
        let waiter = {
            let (parts, waker) = (parts.clone(), Waker::from(woken.clone()));
            thread::spawn(move || {
                let cx = Context::from_waker(&waker);
                parts.1.poll(&cx, || parts.0.has_room()).is_ready()
            })
        };
        let (queue, room) = &*parts;
        for _ in 0..2 {
            queue.take(1, &mut VecDeque::new());
            room.made(|| queue.has_room());
        }
        let ready = waiter.join().expect("join");
        assert!(
            ready || woken.0.load(Ordering::Relaxed),
            "it waits for ever"
        );
    });
}

/// A thread that takes a hold and gives it back, if it is let in; whether it was, and whether it was woken else.
fn hold_once(
    holds: &loom::sync::Arc<holds::Holds>,
    held: &loom::sync::Arc<atomics::AtomicBool>,
) -> thread::JoinHandle<(bool, std::sync::Arc<Woken>)> {
    let (holds, held) = (holds.clone(), held.clone());
    thread::spawn(move || {
        let woken = std::sync::Arc::new(Woken(Flag::new(false)));
        let waker = Waker::from(woken.clone());
        let entered = holds.poll_enter(&Context::from_waker(&waker)).is_ready();
        if entered {
            held.store(true, Ordering::Relaxed);
            held.store(false, Ordering::Relaxed);
            holds.leave();
        }
        (entered, woken)
    })
}

/// A hold and a move that has the map to itself never meet, and the move hears of the last hold's end.
#[test]
fn a_move_and_a_hold_never_meet() {
    model(3, || {
        let holds = loom::sync::Arc::new(holds::Holds::new());
        let held = loom::sync::Arc::new(atomics::AtomicBool::new(false));
        let holder = hold_once(&holds, &held);
        let woken = std::sync::Arc::new(Woken(Flag::new(false)));
        let waker = Waker::from(woken.clone());
        holds.close();
        let alone = holds.poll_none_left(&Context::from_waker(&waker));
        if alone.is_ready() {
            assert!(!held.load(Ordering::Relaxed), "a hold beside a move");
        }
        holder.join().expect("join");
        assert!(
            alone.is_ready() || woken.0.load(Ordering::Relaxed),
            "the move waits for ever"
        );
    });
}

/// A hold that a move keeps out hears of the move's end.
#[test]
fn a_hold_hears_of_the_end_of_a_move() {
    model(3, || {
        let holds = loom::sync::Arc::new(holds::Holds::new());
        let held = loom::sync::Arc::new(atomics::AtomicBool::new(false));
        holds.close();
        let holder = hold_once(&holds, &held);
        holds.open();
        let (entered, woken) = holder.join().expect("join");
        assert!(
            entered || woken.0.load(Ordering::Relaxed),
            "the hold waits for ever"
        );
    });
}

/// A move that lets those in whom the one before has kept out hears of the last of them.
#[test]
fn a_move_hears_of_the_last_hold_that_waits() {
    loom::model(|| {
        let holds = loom::sync::Arc::new(holds::Holds::new());
        holds.begin_waiting();
        let holder = {
            let holds = holds.clone();
            thread::spawn(move || holds.end_waiting())
        };
        let woken = std::sync::Arc::new(Woken(Flag::new(false)));
        let waker = Waker::from(woken.clone());
        let all_in = holds.poll_all_in(&Context::from_waker(&waker)).is_ready();
        holder.join().expect("join");
        assert!(
            all_in || woken.0.load(Ordering::Relaxed),
            "the move waits for ever"
        );
    });
}
