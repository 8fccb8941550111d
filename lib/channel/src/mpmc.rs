//! Many senders, many receivers: a queue of work. Each value goes to one receiver.
//!
//! ```
//! use std::thread;
//! use corelane_channel::mpmc;
//!
//! let (mut tx, rx) = mpmc::bounded(64);
//! let workers: Vec<_> = (0..3)
//!     .map(|_| {
//!         let mut rx = rx.clone();
//!         thread::spawn(move || {
//!             let mut handled = 0;
//!             while rx.recv_blocking().is_ok() {
//!                 handled += 1;
//!             }
//!             handled
//!         })
//!     })
//!     .collect();
//! drop(rx);
//! (0..1000).try_for_each(|n| tx.send_blocking(n)).unwrap();
//! drop(tx);
//! let handled: u32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
//! assert_eq!(handled, 1000);
//! ```

use std::sync::Arc;

use crate::link::{Link, Policy};
use crate::options::{Full, Options, OptionsError, UNBOUNDED_LIMIT};
use crate::ring::{Shape, SharedHead, SharedTail, shared};
use crate::{receive, send};

/// The sending end.
pub type Sender<T> = send::Sender<T, SharedTail<T>>;

/// The receiving end.
pub type Receiver<T> = receive::Receiver<T, SharedHead<T>>;

/// A channel that holds at most `capacity` values and waits when it is full.
///
/// # Panics
/// If `capacity` is 0.
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    match with(Options::new(capacity)) {
        Ok(ends) => ends,
        Err(error) => panic!("{error}"),
    }
}

/// A bounded channel that is told more: what to do when full, how long to spin.
///
/// # Errors
/// [`OptionsError`] if the options contradict each other.
pub fn with<T>(options: Options) -> Result<(Sender<T>, Receiver<T>), OptionsError> {
    Ok(make(options, options.shape()?))
}

/// A channel that grows with what is in it, and refuses at [`UNBOUNDED_LIMIT`] values.
///
/// A send never waits. Prefer a bounded channel: this one turns a slow receiver into memory, and shows
/// it only in its depth ([`Gauge`](crate::Gauge)).
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    unbounded_up_to(UNBOUNDED_LIMIT)
}

/// The same with a limit of your own, which is a net and not a measure: it is looked at now and then,
/// so a few more (or, where space is taken in pieces, a few less) values may be in the queue.
///
/// # Panics
/// If `limit` is 0.
#[must_use]
pub fn unbounded_up_to<T>(limit: usize) -> (Sender<T>, Receiver<T>) {
    assert!(limit > 0, "{}", OptionsError::NoRoom);
    let options = Options::new(limit).full(Full::Fail);
    make(options, Shape::Growing(limit))
}

fn make<T>(options: Options, shape: Shape) -> (Sender<T>, Receiver<T>) {
    let link = Arc::new(Link::new(Policy::new(&options, shape)));
    let (tail, head) = shared(shape);
    (Sender::new(tail, link.clone()), Receiver::new(head, link))
}
