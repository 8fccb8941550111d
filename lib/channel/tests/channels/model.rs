//! Random steps on a channel and on a slow model of it, which must agree in every value, refusal and
//! counter.

use std::collections::VecDeque;

use corelane_channel::{Full, Options, RecvError, SendError};

/// Seeds per policy; fewer under Miri, which is slow.
const SEEDS: u64 = if cfg!(miri) { 3 } else { 200 };
const STEPS: usize = if cfg!(miri) { 30 } else { 300 };

/// Values of an unbounded channel's largest batch: a few rings full of them.
const BATCH: u64 = if cfg!(miri) { 50 } else { 200 };

/// A queue with a bound and a policy.
pub(crate) struct Model {
    capacity: usize,
    full: Full,
    shedding: bool,
    pub(crate) queue: VecDeque<u64>,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    refused_full: u64,
    shed: u64,
    dropped_oldest: u64,
    dropped_newest: u64,
}

impl Model {
    fn new(options: Options, capacity: usize, full: Full) -> (Self, Options) {
        let model = Self {
            capacity,
            full,
            shedding: false,
            queue: VecDeque::new(),
            sent: 0,
            received: 0,
            refused_full: 0,
            shed: 0,
            dropped_oldest: 0,
            dropped_newest: 0,
        };
        (model, options.full(full))
    }

    fn offer(&mut self, value: u64) -> Result<(), SendError<u64>> {
        if let Full::Shed { high, low } = self.full {
            let waiting = self.queue.len();
            self.shedding = waiting >= high || (self.shedding && waiting > low);
            if self.shedding {
                return Err(SendError::Shed(value));
            }
        }
        if self.queue.len() == self.capacity {
            match self.full {
                Full::DropOldest => {
                    self.queue.pop_front();
                    self.dropped_oldest += 1;
                }
                Full::DropNewest => {
                    self.dropped_newest += 1;
                    return Ok(());
                }
                _ => return Err(SendError::Full(value)),
            }
        }
        self.queue.push_back(value);
        self.sent += 1;
        Ok(())
    }

    fn try_send(&mut self, value: u64) -> Result<(), SendError<u64>> {
        let outcome = self.offer(value);
        match outcome {
            Err(SendError::Full(_)) => self.refused_full += 1,
            Err(SendError::Shed(_)) => self.shed += 1,
            _ => {}
        }
        outcome
    }

    fn try_send_batch(&mut self, staged: &mut VecDeque<u64>) -> bool {
        while let Some(&value) = staged.front() {
            match self.offer(value) {
                Ok(()) => staged.pop_front(),
                Err(SendError::Shed(_)) => {
                    self.shed += staged.len() as u64;
                    return false;
                }
                Err(_) => {
                    self.refused_full += staged.len() as u64;
                    return false;
                }
            };
        }
        true
    }

    fn take(&mut self, max: usize) -> Vec<u64> {
        let found = max.min(self.queue.len());
        self.received += found as u64;
        self.queue.drain(..found).collect()
    }
}

/// Every policy, with marks that fit the capacity.
fn policies(capacity: usize) -> [Full; 5] {
    let (high, low) = (capacity, capacity / 2);
    [
        Full::Wait,
        Full::Fail,
        Full::DropOldest,
        Full::DropNewest,
        Full::Shed { high, low },
    ]
}

macro_rules! agrees_with_the_model {
    ($kind:path) => {{
        use $kind as kind;
        for seed in 0..SEEDS {
            let mut rng = fastrand::Rng::with_seed(seed);
            let capacity = rng.usize(1..10);
            for full in policies(capacity) {
                let (mut model, options) = Model::new(Options::new(capacity), capacity, full);
                let (mut tx, mut rx) = kind::with::<u64>(options).unwrap();
                for _ in 0..STEPS {
                    match rng.u8(..4) {
                        0 => {
                            let value = rng.u64(..);
                            assert_eq!(tx.try_send(value), model.try_send(value), "{full:?}");
                        }
                        1 => {
                            let expected = model.take(1).first().copied().ok_or(RecvError::Empty);
                            assert_eq!(rx.try_recv(), expected, "{full:?}");
                        }
                        2 => {
                            let mut staged: VecDeque<u64> =
                                (0..rng.usize(..12)).map(|_| rng.u64(..)).collect();
                            let mut modelled = staged.clone();
                            let all = tx.try_send_batch(&mut staged).is_ok();
                            assert_eq!(all, model.try_send_batch(&mut modelled), "{full:?}");
                            assert_eq!(staged, modelled, "what was not taken stays, in order");
                        }
                        _ => {
                            let (max, mut taken) = (rng.usize(1..12), Vec::new());
                            let found = rx.try_recv_batch(&mut taken, max);
                            assert_eq!(found.unwrap_or(0), taken.len());
                            assert_eq!(taken, model.take(max), "{full:?}");
                        }
                    }
                    assert_eq!(tx.len(), model.queue.len(), "{full:?}");
                    assert_eq!(rx.is_empty(), model.queue.is_empty(), "{full:?}");
                }
                let stats = tx.gauge().stats();
                assert_eq!(stats.depth, model.queue.len() as u64, "{full:?}");
                let counted = [
                    stats.send.sent,
                    stats.send.refused_full,
                    stats.send.shed,
                    stats.send.dropped_oldest,
                    stats.send.dropped_newest,
                    stats.receive.received,
                ];
                let expected = [
                    model.sent,
                    model.refused_full,
                    model.shed,
                    model.dropped_oldest,
                    model.dropped_newest,
                    model.received,
                ];
                assert_eq!(counted, expected, "{full:?}, seed {seed}");
            }
        }
    }};
}

macro_rules! unbounded_keeps_order_up_to_its_limit {
    ($kind:path) => {{
        use $kind as kind;
        // Around the sizes of the first rings, and a few of them.
        for limit in [1, 63, 64, 65, 191, 193, 1000] {
            let (mut tx, mut rx) = kind::unbounded_up_to::<usize>(limit);
            let accepted = (0..2000).take_while(|&n| tx.try_send(n).is_ok()).count();
            // The limit is looked at once in 64 values, and taken in pieces.
            assert!(
                accepted >= limit.min(64) && accepted <= limit + 64,
                "{accepted} of {limit}"
            );
            assert_eq!(tx.try_send(0), Err(SendError::Full(0)));
            assert_eq!(tx.gauge().stats().depth, accepted as u64);
            for n in 0..accepted {
                assert_eq!(rx.try_recv(), Ok(n));
            }
            assert_eq!(rx.try_recv(), Err(RecvError::Empty));
            // Emptied, it accepts again.
            assert_eq!(tx.try_send(7), Ok(()));
            assert_eq!(rx.try_recv(), Ok(7));
        }
    }};
}

macro_rules! unbounded_in_random_batches {
    ($kind:path) => {{
        use $kind as kind;
        for seed in 0..SEEDS / 3 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (mut tx, mut rx) = kind::unbounded::<u64>();
            let (mut sent, mut expected) = (0, 0);
            for _ in 0..STEPS {
                let count = rng.u64(..BATCH);
                let mut staged: VecDeque<u64> = (sent..sent + count).collect();
                tx.try_send_batch(&mut staged).unwrap();
                sent += count;
                let mut taken = Vec::new();
                let _ = rx.try_recv_batch(&mut taken, rng.usize(1..BATCH as usize * 5 / 4));
                for value in taken {
                    assert_eq!(value, expected, "lost, doubled or reordered");
                    expected += 1;
                }
                assert_eq!(rx.gauge().stats().depth, sent - expected);
            }
        }
    }};
}

every_kind!(agrees_with_the_model unbounded_keeps_order_up_to_its_limit unbounded_in_random_batches);
