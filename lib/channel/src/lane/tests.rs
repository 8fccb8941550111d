//! A lane against a plain queue: order, bounds, refusals and counters.

use std::collections::VecDeque;
use std::rc::Rc;

use super::{PushError, Receiver, Sender, lane};
use crate::{ReceiverCounters, SenderCounters};

/// The slow model: a queue with a bound and the counters it ought to show.
struct Model {
    capacity: usize,
    queue: VecDeque<u64>,
    sender: SenderCounters,
    receiver: ReceiverCounters,
}

impl Model {
    fn push_batch(&mut self, staged: &mut VecDeque<u64>) -> usize {
        let fits = staged.len().min(self.capacity - self.queue.len());
        self.queue.extend(staged.drain(..fits));
        self.sender.sent += fits as u64;
        self.sender.batches += u64::from(fits > 0);
        self.sender.refused_full += staged.len() as u64;
        fits
    }

    fn pop_batch(&mut self, max: usize) -> Vec<u64> {
        let found = max.min(self.queue.len());
        self.receiver.received += found as u64;
        self.receiver.batches += u64::from(found > 0);
        self.queue.drain(..found).collect()
    }
}

/// One random step on the lane and on the model, which must agree.
fn step(tx: &mut Sender<u64>, rx: &mut Receiver<u64>, model: &mut Model, rng: &mut fastrand::Rng) {
    match rng.u8(..4) {
        0 => {
            let value = rng.u64(..);
            let mut staged = VecDeque::from([value]);
            let expected = model.push_batch(&mut staged);
            assert_eq!(usize::from(tx.push(value).is_ok()), expected);
        }
        1 => assert_eq!(rx.pop(), model.pop_batch(1).first().copied()),
        2 => {
            let mut staged: VecDeque<u64> = (0..rng.usize(..12)).map(|_| rng.u64(..)).collect();
            let mut modelled = staged.clone();
            assert_eq!(tx.push_batch(&mut staged), model.push_batch(&mut modelled));
            assert_eq!(staged, modelled, "what does not fit stays, in order");
        }
        _ => {
            let max = rng.usize(..12);
            let mut taken = Vec::new();
            assert_eq!(rx.pop_batch(max, |value| taken.push(value)), taken.len());
            assert_eq!(taken, model.pop_batch(max));
        }
    }
    assert_eq!(rx.is_empty(), model.queue.is_empty());
    assert_eq!(tx.free(), model.capacity - model.queue.len());
}

#[test]
fn agrees_with_a_bounded_queue() {
    // Miri is a thousand times slower.
    for seed in 0..if cfg!(miri) { 3 } else { 300 } {
        let mut rng = fastrand::Rng::with_seed(seed);
        let capacity = rng.usize(1..10);
        let (mut tx, mut rx) = lane(capacity);
        let mut model = Model {
            capacity,
            queue: VecDeque::new(),
            sender: SenderCounters::default(),
            receiver: ReceiverCounters::default(),
        };
        for _ in 0..200 {
            step(&mut tx, &mut rx, &mut model, &mut rng);
        }
        assert_eq!(rx.sender_counters(), model.sender, "seed {seed}");
        assert_eq!(tx.receiver_counters(), model.receiver, "seed {seed}");
    }
}

#[test]
fn a_gone_receiver_refuses_and_counts() {
    let (mut tx, rx) = lane(4);
    drop(rx);
    assert!(tx.is_closed());
    assert_eq!(tx.push(1), Err(PushError::Closed(1)));
    let mut staged = VecDeque::from([2, 3]);
    assert_eq!(tx.push_batch(&mut staged), 0);
    assert_eq!(staged, [2, 3]);
    let counters = tx.counters();
    assert_eq!((counters.sent, counters.refused_closed), (0, 3));
}

#[test]
fn a_gone_sender_leaves_what_it_sent() {
    let (mut tx, mut rx) = lane(4);
    tx.push(1).unwrap();
    drop(tx);
    assert!(!rx.is_closed());
    assert_eq!(rx.pop(), Some(1));
    assert!(rx.is_closed());
}

#[test]
fn values_left_in_a_lane_are_dropped_once() {
    let witness = Rc::new(());
    let (mut tx, mut rx) = lane(4);
    for _ in 0..3 {
        tx.push(witness.clone()).unwrap();
    }
    drop(rx.pop());
    drop((tx, rx));
    assert_eq!(Rc::strong_count(&witness), 1);
}

#[test]
fn a_panicking_taker_loses_only_what_it_saw() {
    let (mut tx, mut rx) = lane(4);
    tx.push_batch(&mut (0..4).collect());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rx.pop_batch(4, |value| {
            assert!(value < 1, "the second value is too much")
        });
    }));
    assert!(outcome.is_err());
    assert_eq!((rx.pop(), rx.pop(), rx.pop()), (Some(2), Some(3), None));
}

#[test]
#[should_panic(expected = "room for at least one value")]
fn a_lane_without_room_is_refused() {
    let _ = lane::<u8>(0);
}
