//! "Stop what you do for me", down a tree of work and across shards.
//!
//! The one tool here that is `Send` and still meant for every request: a look at it is one load, and its lock is taken
//! only to make a child, to wait and to cancel. Wakes go through the wakers of the tasks that wait, wherever they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// Cancelled or not yet. Clones are the same token; a [`child`](Self::child) is cancelled with its parent, and by itself
/// without it. Any shard and any thread may hold one.
///
/// ```
/// use corelane::sync::CancelToken;
///
/// let connection = CancelToken::new();
/// let request = connection.child();
/// assert!(request.check().is_ok());
/// connection.cancel("the client has gone");
/// assert_eq!(request.check().unwrap_err().reason(), "the client has gone");
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Node>);

/// The work is to be given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cancelled: {reason}")]
pub struct Cancelled {
    reason: Cow<'static, str>,
}

impl Cancelled {
    /// What was given to [`CancelToken::cancel`].
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

#[derive(Default)]
struct Node {
    /// Set once, under the lock, and looked at without it.
    cancelled: OnceLock<Cancelled>,
    links: Mutex<Links>,
    /// The parent, and this one's place with it.
    parent: Option<(Arc<Node>, u64)>,
}

#[derive(Default)]
struct Links {
    next: u64,
    children: BTreeMap<u64, Weak<Node>>,
    waiting: BTreeMap<u64, Waker>,
}

impl CancelToken {
    /// A token that nothing but itself cancels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled with this one; at once, if this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        let mut links = self.0.lock();
        if let Some(cancelled) = self.0.cancelled.get() {
            let born_cancelled = Node::default();
            let first = born_cancelled.cancelled.set(cancelled.clone());
            first.expect("a new token is not cancelled");
            return Self(Arc::new(born_cancelled));
        }
        let place = links.take_place();
        let mut child = Node::default();
        child.parent = Some((self.0.clone(), place));
        let child = Arc::new(child);
        links.children.insert(place, Arc::downgrade(&child));
        Self(child)
    }

    /// Cancels this token and all below it, and wakes who waits. Only the first reason counts.
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        let cancelled = Cancelled {
            reason: reason.into(),
        };
        // A list and no recursion: trees may be deep.
        let mut below = vec![self.0.clone()];
        while let Some(node) = below.pop() {
            let links = {
                let mut links = node.lock();
                if node.cancelled.set(cancelled.clone()).is_err() {
                    continue;
                }
                mem::take(&mut *links)
            };
            below.extend(
                links
                    .children
                    .into_values()
                    .filter_map(|child| child.upgrade()),
            );
            links.waiting.into_values().for_each(Waker::wake);
        }
    }

    /// Whether it is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.get().is_some()
    }

    /// Whether work may go on: for the `?` of every round of a long loop.
    ///
    /// # Errors
    /// [`Cancelled`], with the reason.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.0
            .cancelled
            .get()
            .map_or(Ok(()), |why| Err(why.clone()))
    }

    /// Waits until it is cancelled.
    pub fn cancelled(&self) -> WaitCancelled {
        WaitCancelled {
            token: self.clone(),
            place: None,
        }
    }

    /// Runs `work` until it is done or the token is cancelled, which drops it where it stands.
    ///
    /// # Errors
    /// [`Cancelled`], with the reason; where both have happened, the result counts.
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output, Cancelled> {
        self.check()?;
        let mut cancelled = pin!(self.cancelled());
        let mut work = pin!(work);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            cancelled.as_mut().poll(cx).map(Err)
        })
        .await
    }
}

impl std::fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.0.cancelled.get())
            .finish_non_exhaustive()
    }
}

impl Node {
    /// Nothing runs under the lock that could panic half way.
    fn lock(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    fn take_place(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Up the tree by a loop: each parent may be the last of its own line.
        let mut above = self.parent.take();
        while let Some((parent, place)) = above {
            parent.lock().children.remove(&place);
            above = Arc::into_inner(parent).and_then(|mut last| last.parent.take());
        }
    }
}

/// The future of [`CancelToken::cancelled`].
#[must_use = "a future waits only where it is awaited"]
#[derive(Debug)]
pub struct WaitCancelled {
    token: CancelToken,
    place: Option<u64>,
}

impl Future for WaitCancelled {
    type Output = Cancelled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        let this = &mut *self;
        let node = &this.token.0;
        if let Some(cancelled) = node.cancelled.get() {
            return Poll::Ready(cancelled.clone());
        }
        let mut links = node.lock();
        // Again under the lock: who cancels takes the wakers out under it.
        if let Some(cancelled) = node.cancelled.get() {
            return Poll::Ready(cancelled.clone());
        }
        let place = *this.place.get_or_insert_with(|| links.take_place());
        let old = links.waiting.insert(place, cx.waker().clone());
        drop(links);
        drop(old);
        Poll::Pending
    }
}

impl Drop for WaitCancelled {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.token.0.lock().waiting.remove(&place);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests;
