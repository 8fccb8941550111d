//! Many senders, one receiver: an inbox.
//!
//! Clone the sender for every thread or task that sends; the channel closes when the last one is gone.
//! Values of one sender stay in order.
//!
//! ```
//! use std::thread;
//! use corelane_channel::mpsc;
//!
//! let (tx, mut rx) = mpsc::bounded(64);
//! for _ in 0..3 {
//!     let mut tx = tx.clone();
//!     thread::spawn(move || (1..=100u32).try_for_each(|n| tx.send_blocking(n)));
//! }
//! drop(tx);
//! let mut sum = 0;
//! while let Ok(n) = rx.recv_blocking() {
//!     sum += n;
//! }
//! assert_eq!(sum, 3 * 5050);
//! ```
//!
//! The receiver cannot be cloned:
//!
//! ```compile_fail,E0599
//! let (_tx, rx) = corelane_channel::mpsc::bounded::<u8>(1);
//! let second = rx.clone();
//! ```

use std::sync::Arc;

use crate::link::{Link, Policy};
use crate::options::{Full, Options, OptionsError, UNBOUNDED_LIMIT};
use crate::ring::{Shape, SharedTail, SoleHead, shared};
use crate::{receive, send};

/// The sending end.
pub type Sender<T> = send::Sender<T, SharedTail<T>>;

/// The receiving end.
pub type Receiver<T> = receive::Receiver<T, SoleHead<T>>;

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
    (
        Sender::new(tail, link.clone()),
        Receiver::new(head.into(), link),
    )
}
