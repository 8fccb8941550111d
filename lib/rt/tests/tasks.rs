//! Tasks, timers and wakes on both real backends.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use corelane_rt::task::{Group, spawn, spawn_in, yield_now};
use corelane_rt::{IoBackend, Poller, time};
use support::{on_each, runtime};

#[test]
fn a_task_gives_its_result() {
    on_each(|| async {
        assert_eq!(spawn(async { 6 * 7 }).await, Ok(42));
        let nested = spawn(async { spawn(async { "inner" }).await.expect("join") });
        assert_eq!(nested.await, Ok("inner"));
    });
}

#[test]
fn a_panic_ends_its_task_alone() {
    on_each(|| async {
        let other = spawn(async {
            for _ in 0..10 {
                yield_now().await;
            }
            "alive"
        });
        let panicked = spawn(async { panic!("on purpose {}", 1) })
            .await
            .expect_err("it panics");
        assert_eq!(panicked.message, "on purpose 1");
        assert!(
            panicked.task.contains("a_panic_ends_its_task_alone"),
            "{}",
            panicked.task
        );
        assert_eq!(other.await, Ok("alive"));
        assert_eq!(corelane_rt::stats().panics, 1);
    });
}

#[test]
fn cancelling_drops_the_future_and_detaching_does_not() {
    on_each(|| async {
        let dropped = Rc::new(Cell::new(0));
        let hold = |stop: bool| {
            let guard = OnDrop(dropped.clone());
            let handle = spawn(async move {
                let _guard = guard;
                time::sleep(Duration::from_millis(5)).await;
            });
            if stop { handle.cancel() } else { drop(handle) }
        };
        hold(true);
        yield_now().await;
        yield_now().await;
        assert_eq!(dropped.get(), 1);
        hold(false);
        time::sleep(Duration::from_millis(1)).await;
        assert_eq!(dropped.get(), 1);
        time::sleep(Duration::from_millis(10)).await;
        assert_eq!(dropped.get(), 2);
    });
}

#[test]
fn the_end_of_a_runtime_drops_its_tasks() {
    let dropped = Rc::new(Cell::new(0));
    let runtime = runtime(IoBackend::Auto);
    let mut handle = None;
    runtime.block_on(async {
        let guard = OnDrop(dropped.clone());
        let again = OnDrop(dropped.clone());
        drop(spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }));
        handle = Some(spawn(async move {
            let _guard = again;
            time::sleep(Duration::from_secs(3600)).await;
        }));
    });
    assert_eq!(dropped.get(), 0);
    drop(runtime);
    assert_eq!(dropped.get(), 2);
    let waiting = corelane_rt::Runtime::new(&support::options(IoBackend::Auto)).expect("a runtime");
    assert!(waiting.block_on(handle.expect("a handle")).is_err());
}

struct OnDrop(Rc<Cell<u32>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn timers_fire_in_order_and_not_early() {
    on_each(|| async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let mut handles = Vec::new();
        for ms in [9_u64, 1, 5, 3, 7, 5] {
            let order = order.clone();
            handles.push(spawn(async move {
                let due = time::now_ns() + ms * 1_000_000;
                time::sleep_until(due).await;
                assert!(time::refresh_ns() >= due);
                order.borrow_mut().push(ms);
            }));
        }
        for handle in handles {
            handle.await.expect("join");
        }
        assert_eq!(*order.borrow(), [1, 3, 5, 5, 7, 9]);
        let limit = time::timeout(Duration::from_millis(2), std::future::pending::<()>()).await;
        assert_eq!(limit, Err(time::Elapsed));
        assert_eq!(
            time::timeout(Duration::from_secs(60), async { 1 }).await,
            Ok(1)
        );
    });
}

#[test]
fn groups_share_the_thread() {
    on_each(|| async {
        let counts: Rc<[Cell<u64>; 2]> = Rc::default();
        let stop = Rc::new(Cell::new(false));
        for (slot, group) in [Group::Data, Group::Background].into_iter().enumerate() {
            let (counts, stop) = (counts.clone(), stop.clone());
            drop(spawn_in(group, async move {
                while !stop.get() {
                    counts[slot].set(counts[slot].get() + 1);
                    spin_for(Duration::from_micros(20));
                    yield_now().await;
                }
            }));
        }
        time::sleep(Duration::from_millis(100)).await;
        stop.set(true);
        let (data, background) = (counts[0].get(), counts[1].get());
        // The exact shares are tested where no other process can disturb them.
        assert!(background > 0, "background starves");
        assert!(
            data > background,
            "data ran {data} times, background {background}"
        );
    });
}

fn spin_for(duration: Duration) {
    let end = std::time::Instant::now() + duration;
    while std::time::Instant::now() < end {
        std::hint::spin_loop();
    }
}

#[test]
fn a_stall_is_counted() {
    on_each(|| async {
        spawn(async { spin_for(Duration::from_millis(25)) })
            .await
            .expect("join");
        // At least: on a busy machine the thread may be off its CPU for as long.
        assert!(corelane_rt::stats().stalls >= 1);
    });
}

/// Wakes across threads per test and backend.
const ROUNDS: u64 = 3_000;

/// A poller that once takes its time.
struct Slow(bool);

impl Poller for Slow {
    fn poll(&mut self) -> bool {
        let slow = std::mem::take(&mut self.0);
        if slow {
            spin_for(Duration::from_millis(25));
        }
        slow
    }

    fn prepare_sleep(&mut self) -> bool {
        true
    }

    fn awake(&mut self) {}

    fn busy(&self) -> bool {
        false
    }
}

#[test]
fn a_stall_in_a_poller_is_counted() {
    on_each(|| async {
        corelane_rt::add_poller(Box::new(Slow(true)));
        time::sleep(Duration::from_millis(1)).await;
        // At least: on a busy machine the thread may be off its CPU for as long.
        assert!(corelane_rt::stats().stalls >= 1);
    });
}

#[test]
fn wakes_from_other_threads_are_never_lost() {
    for io in support::BACKENDS {
        let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
        let given = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let waking = {
            let (slot, given, stop) = (slot.clone(), given.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let waker = slot.lock().expect("lock").take();
                    if let Some(waker) = waker {
                        given.fetch_add(1, Ordering::Relaxed);
                        waker.wake();
                    }
                    std::thread::yield_now();
                }
            })
        };
        let runtime = runtime(io);
        runtime.block_on(async {
            // Asleep, and with another task that keeps the loop busy.
            for busy in [false, true] {
                let noise = busy.then(|| {
                    spawn(async {
                        loop {
                            yield_now().await
                        }
                    })
                });
                let rounds = given.load(Ordering::Relaxed) + ROUNDS;
                while given.load(Ordering::Relaxed) < rounds {
                    let mut armed = false;
                    let woken = poll_fn(|cx| {
                        if armed && slot.lock().expect("lock").is_none() {
                            return Poll::Ready(());
                        }
                        armed = true;
                        *slot.lock().expect("lock") = Some(cx.waker().clone());
                        Poll::Pending
                    });
                    time::timeout(Duration::from_secs(10), woken)
                        .await
                        .expect("a wake was lost");
                }
                if let Some(noise) = noise {
                    noise.cancel();
                }
            }
        });
        stop.store(true, Ordering::Relaxed);
        waking.join().expect("join");
        drop(runtime);
    }
}

/// A mailbox between two threads, as the mesh is one.
struct Mailbox {
    sent: Arc<AtomicU64>,
    asleep: Arc<AtomicBool>,
    seen: Rc<Cell<u64>>,
    waiting: Rc<RefCell<Option<Waker>>>,
}

impl Poller for Mailbox {
    fn poll(&mut self) -> bool {
        let sent = self.sent.load(Ordering::Acquire);
        if sent == self.seen.get() {
            return false;
        }
        self.seen.set(sent);
        if let Some(waker) = self.waiting.borrow_mut().take() {
            waker.wake();
        }
        true
    }

    fn prepare_sleep(&mut self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
        self.sent.load(Ordering::Acquire) == self.seen.get()
    }

    fn awake(&mut self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    fn busy(&self) -> bool {
        self.seen.get().is_multiple_of(2)
    }
}

#[test]
fn doorbells_wake_pollers_from_sleep() {
    for io in support::BACKENDS {
        let runtime = runtime(io);
        let bell = runtime.doorbell();
        let sent = Arc::new(AtomicU64::new(0));
        let asleep = Arc::new(AtomicBool::new(false));
        let acked = Arc::new(AtomicU64::new(0));
        let sender = {
            let (sent, asleep, acked) = (sent.clone(), asleep.clone(), acked.clone());
            std::thread::spawn(move || {
                for round in 1..=ROUNDS {
                    // Now and then only once it sleeps, or means to: a quick sender may never let it.
                    while round.is_multiple_of(8) && !asleep.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    sent.store(round, Ordering::Release);
                    std::sync::atomic::fence(Ordering::SeqCst);
                    if asleep.swap(false, Ordering::SeqCst) {
                        bell.ring();
                    }
                    while acked.load(Ordering::Acquire) < round {
                        std::thread::yield_now();
                    }
                }
                bell
            })
        };
        runtime.block_on(async {
            let seen = Rc::new(Cell::new(0));
            let waiting = Rc::new(RefCell::new(None));
            corelane_rt::add_poller(Box::new(Mailbox {
                sent,
                asleep,
                seen: seen.clone(),
                waiting: waiting.clone(),
            }));
            let mut last = 0;
            while last < ROUNDS {
                let news = poll_fn(|cx| {
                    if seen.get() > last {
                        return Poll::Ready(seen.get());
                    }
                    *waiting.borrow_mut() = Some(cx.waker().clone());
                    Poll::Pending
                });
                last = time::timeout(Duration::from_secs(10), news)
                    .await
                    .expect("a ring was lost");
                acked.store(last, Ordering::Release);
            }
        });
        let stats = runtime.stats();
        assert!(stats.spins > 0 && stats.sleeps > 0, "{stats:?}");
        drop(runtime);
        // The runtime is gone: ringing is harmless.
        sender.join().expect("join").ring();
    }
}

#[test]
fn an_idle_runtime_sleeps() {
    on_each(|| async {
        let before = corelane_rt::stats();
        time::sleep(Duration::from_millis(200)).await;
        let after = corelane_rt::stats();
        assert!(
            after.turns - before.turns < 10,
            "{} turns in 200 ms",
            after.turns - before.turns
        );
    });
}

#[test]
fn a_wake_while_shutting_down_is_harmless() {
    for io in support::BACKENDS {
        for _ in 0..200 {
            let runtime = runtime(io);
            let waker = runtime.block_on(async {
                let slot: Rc<RefCell<Option<Waker>>> = Rc::default();
                let put = slot.clone();
                drop(spawn(poll_fn(move |cx| {
                    *put.borrow_mut() = Some(cx.waker().clone());
                    Poll::<()>::Pending
                })));
                yield_now().await;
                slot.take().expect("the task has run")
            });
            let thread = std::thread::spawn(move || {
                for _ in 0..100 {
                    waker.wake_by_ref();
                }
            });
            drop(runtime);
            thread.join().expect("join");
        }
    }
}

/// Every future in this file is polled on its own thread; the type says so.
#[test]
fn handles_are_futures() {
    fn is_future<F: Future>(_: &F) {}
    runtime(IoBackend::Auto).block_on(async {
        let handle = spawn(async {});
        is_future(&handle);
        assert!(!handle.is_finished());
        yield_now().await;
        yield_now().await;
        assert!(handle.is_finished());
    });
}
