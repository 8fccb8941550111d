//! What everybody saw, in one place outside the node: who asked what and how it ended, what was handled in which
//! order, what the states were at the end. The checks compare these.

use std::sync::{Arc, Mutex, MutexGuard};

use corelane::{CallError, Refusal};

use crate::service::Parts;

/// Names one request; later requests of one caller have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(pub u32);

/// What is known of a request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub caller: u32,
    /// `None`: addressed to a shard.
    pub key: Option<usize>,
    /// It may write again some time after it was handled.
    pub slow: bool,
    /// The service is to refuse it.
    pub rejects: bool,
    /// It runs as a task, which keeps no order.
    pub task: bool,
    pub end: End,
    /// How often it was handled.
    pub handled: u32,
}

/// How a request ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Open,
    Replied,
    Refused(&'static str),
    Moved,
    Rejected,
    Expired,
    Cancelled,
    Panicked,
    Lost,
    /// Its caller did not wait.
    Dropped,
    /// It was sent without a wish for an answer.
    Cast,
}

impl<T> From<&CallError<T>> for End {
    fn from(error: &CallError<T>) -> Self {
        match error {
            CallError::Refused(refused) => match refused.reason {
                Refusal::Full => Self::Refused("full"),
                Refusal::Closing => Self::Refused("closing"),
                Refusal::Down => Self::Refused("down"),
            },
            CallError::Moved(_) => Self::Moved,
            CallError::Rejected(_) => Self::Rejected,
            CallError::Expired => Self::Expired,
            CallError::Cancelled => Self::Cancelled,
            CallError::Panicked => Self::Panicked,
            CallError::Lost => Self::Lost,
            _ => unreachable!("an error that the checks do not know"),
        }
    }
}

/// A line of a key's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub op: Op,
    /// Written some time after the request was handled, by what answers it.
    pub later: bool,
}

#[derive(Default)]
pub struct Book {
    pub asked: Vec<Asked>,
    /// By key, in the order in which it happened.
    pub history: Vec<Vec<Line>>,
    /// Requests handled, those to shards included.
    pub served: u64,
    /// Tasks that callers sent and that ran.
    pub tasks: u64,
    /// Tasks of callers that go on.
    pub active: usize,
    /// What shards held when they left or slept: shard, and partitions.
    pub left: Vec<(u16, Parts)>,
    /// What must not be.
    pub violations: Vec<String>,
    /// Changes that took place: partitions moved one by one, resizes, and those given up.
    pub moved: u64,
    pub resized: u64,
    pub unfinished: u64,
    callers: u32,
}

/// The book, as all share it.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Book>>);

impl Journal {
    pub fn new(keys: usize) -> Self {
        let book = Book {
            history: vec![Vec::new(); keys],
            ..Book::default()
        };
        Self(Arc::new(Mutex::new(book)))
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("nobody panics over the book")
    }

    /// Who else holds it: every state and every task of the node.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub fn caller(&self) -> u32 {
        let mut book = self.book();
        book.callers += 1;
        book.callers
    }

    pub fn ask(&self, caller: u32, key: Option<usize>) -> Op {
        let mut book = self.book();
        let op = Op(book.asked.len() as u32);
        book.asked.push(Asked {
            caller,
            key,
            slow: false,
            rejects: false,
            task: false,
            end: End::Open,
            handled: 0,
        });
        op
    }

    pub fn change(&self, op: Op, change: impl FnOnce(&mut Asked)) {
        change(&mut self.book().asked[op.0 as usize]);
    }

    pub fn end(&self, op: Op, end: End) {
        let mut book = self.book();
        let asked = &mut book.asked[op.0 as usize];
        let before = std::mem::replace(&mut asked.end, end);
        if before != End::Open {
            book.violation(format!("{op:?} ended twice: {before:?}, {end:?}"));
        }
    }

    /// A task of a caller begins; it ends when the guard is dropped.
    pub fn begin(&self) -> Active {
        self.book().active += 1;
        Active(self.clone())
    }
}

impl Book {
    pub fn violation(&mut self, text: String) {
        if self.violations.len() < 20 {
            self.violations.push(text);
        }
    }
}

pub struct Active(Journal);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.book().active -= 1;
    }
}
