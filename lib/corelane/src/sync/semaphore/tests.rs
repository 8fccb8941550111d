//! Permits: their order against a plain queue, refusals, and places that are given up.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::task;
use proptest::prelude::*;

use super::*;
use crate::sync::testing::counting;

fn poll(acquire: Pin<&mut Acquire>) -> Poll<Result<Permit, AcquireError>> {
    acquire.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn who_asks_for_many_is_not_overtaken() {
    let semaphore = Semaphore::new(3);
    let held = semaphore.try_acquire(2).expect("free");
    let mut many = pin!(semaphore.acquire(3));
    let mut few = pin!(semaphore.acquire(1));
    assert!(poll(many.as_mut()).is_pending());
    assert!(
        poll(few.as_mut()).is_pending(),
        "one is free, but not its turn"
    );
    assert_eq!(
        semaphore.try_acquire(1).map(drop),
        Err(TryAcquireError::Busy)
    );
    assert_eq!((semaphore.available(), semaphore.waiting()), (1, 2));
    drop(held);
    let Poll::Ready(Ok(permit)) = poll(many.as_mut()) else {
        panic!("all three are free");
    };
    assert!(poll(few.as_mut()).is_pending());
    drop(permit);
    assert!(poll(few.as_mut()).is_ready());
}

#[test]
fn a_place_that_is_given_up_leaves_no_trace() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.try_acquire(1).expect("free");
    let (waker, woken) = counting();
    let mut cx = Context::from_waker(&waker);
    let mut small = pin!(semaphore.acquire(1));
    {
        let mut big = pin!(semaphore.acquire(2));
        assert!(poll(big.as_mut()).is_pending());
        assert!(small.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(woken.count(), 1, "who stood behind it is served");
    assert!(matches!(small.as_mut().poll(&mut cx), Poll::Ready(Ok(_))));
    {
        let mut given = pin!(semaphore.acquire(2));
        assert!(poll(given.as_mut()).is_pending());
        drop(held);
        assert_eq!(semaphore.available(), 0, "given, but not seen yet");
    }
    assert_eq!(
        semaphore.available(),
        2,
        "what was given and not taken goes back"
    );
}

#[test]
fn refusals_say_why() {
    let semaphore = Semaphore::new(2);
    let too_many = AcquireError::TooMany { asked: 3, total: 2 };
    let asked = poll(pin!(semaphore.acquire(3)));
    assert_eq!(asked.map_ok(drop), Poll::Ready(Err(too_many)));
    semaphore.add(1);
    let held = semaphore.try_acquire(3).expect("three now");
    let mut waiting = pin!(semaphore.acquire(1));
    assert!(poll(waiting.as_mut()).is_pending());
    semaphore.close();
    assert_eq!(
        poll(waiting).map_ok(drop),
        Poll::Ready(Err(AcquireError::Closed))
    );
    assert_eq!(
        semaphore.try_acquire(1).map(drop),
        Err(TryAcquireError::Closed)
    );
    held.forget();
    assert_eq!(semaphore.available(), 0);
    let want = SemaphoreStats {
        acquired: 1,
        closed: 2,
        too_many: 1,
        ..SemaphoreStats::default()
    };
    assert_eq!(semaphore.stats(), want);
}

#[test]
fn permits_can_be_split() {
    let semaphore = Semaphore::new(5);
    let mut all = semaphore.try_acquire(5).expect("free");
    let two = all.split(2).expect("two of five");
    assert!(all.split(4).is_none());
    assert_eq!((all.count(), two.count()), (3, 2));
    drop(two);
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn waits_have_a_time_limit_in_virtual_time() {
    let world = World::new(5, WorldOptions::default());
    let shard = world.shard(0, "shard");
    let ran = world.block_on(shard, async {
        let semaphore = Semaphore::new(1);
        let held = semaphore.acquire(1).await.expect("free");
        let limit = Duration::from_secs(60);
        let late = semaphore.acquire_within(1, limit).await;
        assert_eq!(late.map(drop), Err(AcquireError::TimedOut));
        task::spawn(async move {
            time::sleep(Duration::from_secs(30)).await;
            drop(held);
        });
        assert!(semaphore.acquire_within(1, limit).await.is_ok());
        let stats = semaphore.stats();
        assert_eq!((stats.timed_out, stats.waited, stats.acquired), (1, 1, 2));
    });
    ran.expect("no deadlock");
}

/// What a step of the model does.
#[derive(Debug, Clone)]
enum Step {
    Ask(usize),
    GiveUp(usize),
    GiveBack(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5_usize).prop_map(Step::Ask),
        any::<usize>().prop_map(Step::GiveUp),
        any::<usize>().prop_map(Step::GiveBack),
    ]
}

proptest! {
    /// Against a plain queue: never more out than there are, strictly in order.
    #[test]
    fn permits_are_given_in_order(steps in prop::collection::vec(step(), 1..80)) {
        const TOTAL: usize = 4;
        let semaphore = Semaphore::new(TOTAL);
        let log: RefCell<Vec<u64>> = RefCell::default();
        let mut waiting: VecDeque<(u64, usize, Pin<Box<Acquire>>)> = VecDeque::new();
        let mut held: Vec<Permit> = Vec::new();
        // The model: who waits for how much, and what is free.
        let (mut model, mut free, mut expected) = (VecDeque::new(), TOTAL, Vec::new());
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Ask(want) => {
                    model.push_back((number, want));
                    waiting.push_back((number, want, Box::pin(semaphore.acquire(want))));
                }
                Step::GiveUp(at) if !waiting.is_empty() => {
                    let (gone, ..) = waiting.remove(at % waiting.len()).expect("in range");
                    model.retain(|&(number, _)| number != gone);
                }
                Step::GiveBack(at) if !held.is_empty() => {
                    let permit = held.swap_remove(at % held.len());
                    free += permit.count();
                }
                Step::GiveUp(_) | Step::GiveBack(_) => {}
            }
            while let Some(&(number, want)) = model.front() && want <= free {
                free -= want;
                expected.push(number);
                model.pop_front();
            }
            waiting.retain_mut(|(number, _, acquire)| match poll(acquire.as_mut()) {
                Poll::Ready(permit) => {
                    held.push(permit.expect("open"));
                    log.borrow_mut().push(*number);
                    false
                }
                Poll::Pending => true,
            });
            prop_assert_eq!(&*log.borrow(), &expected);
            prop_assert_eq!(semaphore.available(), free);
        }
        drop((waiting, held));
        prop_assert_eq!(semaphore.available(), TOTAL);
    }
}
