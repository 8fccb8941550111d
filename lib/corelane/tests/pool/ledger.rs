//! The worker under test: it notes all that it is told in a book that the test reads, and panics, fails or
//! dawdles when asked to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use corelane::partition_of;
use corelane::pool::To;
use corelane::supervision::{Backoff, Supervision};
use corelane::worker::{Envelope, Failed, Handled, Movable, Worker, WorkerCx};

/// What was handled, in order: worker, key, number, attempts before.
pub type Book = Arc<Mutex<Vec<(usize, u64, u64, u32)>>>;

/// One worker's settings.
#[derive(Clone, Default)]
pub struct Ledger {
    pub book: Book,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Note it.
    Write(u64, u64),
    /// Panic, unless it has been tried so often.
    PanicUntil(u32),
    /// Say that it failed.
    Fail,
    /// Pass it to this worker, so many times.
    PassOn(usize, u64),
    /// Hold the thread until the lock is free.
    Hold(Latch),
}

/// Holds whoever meets it.
#[derive(Debug, Clone, Default)]
pub struct Latch(pub Arc<Held>);

#[derive(Debug, Default)]
pub struct Held {
    pub lock: Mutex<()>,
    /// Somebody is held.
    pub held: AtomicBool,
}

impl PartialEq for Latch {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Latch {}

/// What a ledger keeps: the last number of each key, by partition.
pub struct State {
    cx: WorkerCx<Ledger>,
    partitions: BTreeMap<usize, BTreeMap<u64, u64>>,
}

impl Worker for Ledger {
    type State = State;
    type Message = Note;
    type Reply = u64;

    async fn init(&self, cx: WorkerCx<Self>) -> Result<State, String> {
        let partitions = BTreeMap::new();
        Ok(State { cx, partitions })
    }

    fn handle_message(&self, state: &mut State, note: Envelope<Note>) -> Handled<Self> {
        let attempts = note.attempts();
        let worker = state.cx.worker();
        match note.into_inner() {
            Note::Write(key, number) => {
                let keys = state
                    .partitions
                    .entry(partition_of(&key.to_be_bytes()))
                    .or_default();
                keys.insert(key, number);
                let entry = (worker, key, number, attempts);
                self.book.lock().unwrap().push(entry);
                Ok(number)
            }
            Note::PanicUntil(tries) => {
                assert!(attempts >= tries, "asked to, {attempts}");
                Ok(u64::from(attempts))
            }
            Note::Fail => Err(Failed::because("asked to").returning(Note::Fail)),
            Note::PassOn(to, 0) => {
                self.book
                    .lock()
                    .unwrap()
                    .push((worker, to as u64, 0, attempts));
                Ok(0)
            }
            Note::PassOn(to, left) => {
                let next = Note::PassOn(worker, left - 1);
                let passed = state.cx.pool().try_send(To::Worker(to), next);
                passed.map_err(|unsent| Failed::because(unsent.to_string()))?;
                Ok(left)
            }
            Note::Hold(latch) => {
                latch.0.held.store(true, Ordering::Release);
                drop(latch.0.lock.lock());
                Ok(0)
            }
        }
    }

    fn shutdown(&self, state: &mut State) {
        let worker = state.cx.worker();
        self.book.lock().unwrap().push((worker, u64::MAX, 0, 0));
    }
}

impl Movable for Ledger {
    type Parcel = BTreeMap<u64, u64>;

    fn hand_over(&self, state: &mut State, partition: usize) -> Self::Parcel {
        state.partitions.remove(&partition).unwrap_or_default()
    }

    fn import(&self, state: &mut State, partition: usize, parcel: Self::Parcel) {
        state.partitions.insert(partition, parcel);
    }
}

/// Restarts at once and often.
pub fn eager() -> Supervision {
    Supervision {
        max_restarts: 1000,
        backoff: Backoff::new(Duration::ZERO, Duration::ZERO).unwrap(),
        ..Supervision::default()
    }
}

impl Ledger {
    /// What was written, without the shutdowns, by key.
    pub fn written(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut by_key: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for &(_, key, number, _) in self.book.lock().unwrap().iter() {
            if key != u64::MAX {
                by_key.entry(key).or_default().push(number);
            }
        }
        by_key
    }

    /// How often a shutdown ran.
    pub fn shutdowns(&self) -> usize {
        let book = self.book.lock().unwrap();
        book.iter().filter(|entry| entry.1 == u64::MAX).count()
    }
}
