//! Values between runtimes: what a mesh does for a node, as simply as a test needs it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// A queue into which any thread puts and from which one task takes.
pub(crate) struct Mailbox<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    values: VecDeque<T>,
    closed: bool,
    waker: Option<Waker>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Mailbox(self.0.clone())
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Mailbox(Arc::new(Mutex::new(State {
            values: VecDeque::new(),
            closed: false,
            waker: None,
        })))
    }
}

impl<T> Mailbox<T> {
    pub(crate) fn put(&self, value: T) {
        self.change(|state| state.values.push_back(value));
    }

    /// Nothing more will be put.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// The next value; `None` once it is closed and empty.
    pub(crate) async fn take(&self) -> Option<T> {
        poll_fn(|cx| {
            let mut state = self.0.lock().expect("no panic inside");
            match state.values.pop_front() {
                Some(value) => Poll::Ready(Some(value)),
                None if state.closed => Poll::Ready(None),
                None => {
                    state.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn change(&self, f: impl FnOnce(&mut State<T>)) {
        let mut state = self.0.lock().expect("no panic inside");
        f(&mut state);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}
