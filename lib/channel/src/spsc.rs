//! One sender, one receiver, both not cloneable: the fastest kind.
//!
//! Bounded, it is an rtrb ring; unbounded, a chain of them. A ring that drops its oldest value is
//! crossbeam's array, because there the sender takes values out too.
//!
//! ```
//! use std::thread;
//! use corelane_channel::spsc;
//!
//! let (mut tx, mut rx) = spsc::bounded(64);
//! let sender = thread::spawn(move || (0..1000u32).try_for_each(|n| tx.send_blocking(n)));
//! let mut sum = 0;
//! while let Ok(n) = rx.recv_blocking() {
//!     sum += n;
//! }
//! assert_eq!(sum, 499_500);
//! # sender.join().unwrap().unwrap();
//! ```
//!
//! Neither end can be cloned or shared:
//!
//! ```compile_fail,E0599
//! let (tx, _rx) = corelane_channel::spsc::bounded::<u8>(1);
//! let second = tx.clone();
//! ```
//!
//! ```compile_fail,E0599
//! let (_tx, rx) = corelane_channel::spsc::bounded::<u8>(1);
//! let second = rx.clone();
//! ```
//!
//! ```compile_fail,E0277
//! fn shareable<T: Sync>(_: T) {}
//! let (tx, _rx) = corelane_channel::spsc::bounded::<u8>(1);
//! shareable(tx);
//! ```

use std::sync::Arc;

use crate::link::{Link, Policy};
use crate::options::{Full, Options, OptionsError, UNBOUNDED_LIMIT};
use crate::ring::{Shape, SingleHead, SingleTail, single};
use crate::{receive, send};

/// The sending end.
pub type Sender<T> = send::Sender<T, SingleTail<T>>;

/// The receiving end.
pub type Receiver<T> = receive::Receiver<T, SingleHead<T>>;

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
    let (tail, head) = single(shape);
    (Sender::new(tail, link.clone()), Receiver::new(head, link))
}
