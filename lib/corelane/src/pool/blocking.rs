//! Waiting for a future on a thread that is no shard: by sleeping, with or without a limit.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The future's output; `None` if `limit` came first.
pub(super) fn wait<F: Future>(future: F, limit: Option<Duration>) -> Option<F::Output> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                thread::park_timeout(left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{IntoFuture, pending};
    use std::thread;
    use std::time::Duration;

    use super::wait;

    #[test]
    fn it_waits_for_another_thread_or_for_its_limit() {
        let (shot, end) = oneshot::channel();
        let sender = thread::spawn(move || shot.send(7).is_ok());
        assert_eq!(wait(end.into_future(), None), Some(Ok(7)));
        assert!(sender.join().unwrap());
        let limit = Some(Duration::from_millis(2));
        assert_eq!(wait(pending::<()>(), limit), None);
    }
}
