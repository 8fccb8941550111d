//! Waiting: as a task, as a thread, for a time; and giving up.

use std::collections::VecDeque;
use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use corelane_channel::{Full, Options, RecvError, SendError, mpmc};
use futures_core::Stream;

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A bell and its waker.
fn bell() -> (Arc<Bell>, Waker) {
    let bell = Arc::new(Bell::default());
    (bell.clone(), Waker::from(bell))
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// The outcome of a future that need not wait.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it should not have to wait"),
    }
}

macro_rules! a_task_waits_for_a_value {
    ($kind:path) => {{
        use $kind as kind;
        for (mut tx, mut rx) in [kind::bounded::<u8>(1), kind::unbounded()] {
            let (bell, waker) = bell();
            let mut recv = rx.recv();
            assert_eq!(poll(&mut recv, &waker), Poll::Pending);
            assert_eq!(bell.rings(), 0);
            tx.try_send(1).unwrap();
            assert_eq!(bell.rings(), 1);
            assert_eq!(poll(&mut recv, &waker), Poll::Ready(Ok(1)));
            drop(recv);
            // Awake, it is not woken.
            tx.try_send(2).unwrap();
            assert_eq!(bell.rings(), 1);
            assert_eq!(now(rx.recv()), Ok(2));
            assert_eq!(rx.gauge().stats().receive.waits, 1);
        }
    }};
}

macro_rules! a_task_waits_for_room {
    ($kind:path) => {{
        use $kind as kind;
        let (mut tx, mut rx) = kind::bounded::<u8>(1);
        assert_eq!(now(tx.send(1)), Ok(()));
        let (bell, waker) = bell();
        let mut send = tx.send(2);
        assert_eq!(poll(&mut send, &waker), Poll::Pending);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(bell.rings(), 1);
        assert_eq!(poll(&mut send, &waker), Poll::Ready(Ok(())));
        drop(send);
        assert_eq!(rx.try_recv(), Ok(2));
        let send = tx.gauge().stats().send;
        assert_eq!((send.sent, send.waits, send.refused_full), (2, 1, 0));
    }};
}

macro_rules! the_end_wakes_both_sides {
    ($kind:path) => {{
        use $kind as kind;
        let (bell, waker) = bell();
        let (tx, mut rx) = kind::bounded::<u8>(1);
        let mut recv = rx.recv();
        assert_eq!(poll(&mut recv, &waker), Poll::Pending);
        drop(tx);
        assert_eq!(bell.rings(), 1);
        assert_eq!(poll(&mut recv, &waker), Poll::Ready(Err(RecvError::Closed)));

        let (mut tx, rx) = kind::bounded::<u8>(1);
        tx.try_send(1).unwrap();
        let mut send = tx.send(2);
        assert_eq!(poll(&mut send, &waker), Poll::Pending);
        drop(rx);
        assert_eq!(bell.rings(), 2);
        assert_eq!(
            poll(&mut send, &waker),
            Poll::Ready(Err(SendError::Closed(2)))
        );
    }};
}

macro_rules! giving_up_loses_nothing {
    ($kind:path) => {{
        use $kind as kind;
        let (_, waker) = bell();
        let (mut tx, mut rx) = kind::bounded::<u8>(1);
        // A receive that is dropped has taken nothing.
        assert_eq!(poll(&mut rx.recv(), &waker), Poll::Pending);
        tx.try_send(1).unwrap();
        // A send that is called off gives its value back.
        let mut send = tx.send(2);
        assert_eq!(poll(&mut send, &waker), Poll::Pending);
        assert_eq!(send.cancel(), Some(2));
        // A batch that is dropped leaves what was not sent.
        let mut staged = VecDeque::from([3, 4]);
        assert_eq!(poll(&mut tx.send_batch(&mut staged), &waker), Poll::Pending);
        assert_eq!(staged, [3, 4]);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(poll(&mut tx.send_batch(&mut staged), &waker), Poll::Pending);
        assert_eq!(staged, [4]);
        assert_eq!(rx.try_recv(), Ok(3));
        assert_eq!(now(tx.send_batch(&mut staged)), Ok(()));
        let mut batch = Vec::new();
        assert_eq!(now(rx.recv_batch(&mut batch, 9)), Ok(1));
        assert_eq!(batch, [4]);
    }};
}

macro_rules! waits_end_with_their_time {
    ($kind:path) => {{
        use $kind as kind;
        let soon = Duration::from_millis(1);
        let (mut tx, mut rx) = kind::bounded::<u8>(1);
        assert_eq!(rx.recv_timeout(soon), Err(RecvError::TimedOut));
        assert_eq!(now(rx.recv_or(ready(()))), Err(RecvError::TimedOut));
        assert_eq!(tx.send_timeout(1, soon), Ok(()));
        assert_eq!(tx.send_timeout(2, soon), Err(SendError::TimedOut(2)));
        assert_eq!(now(tx.send_or(3, ready(()))), Err(SendError::TimedOut(3)));
        // What is there is taken, however little time there is.
        assert_eq!(now(rx.recv_or(ready(()))), Ok(1));
        assert_eq!(now(tx.send_or(4, pending())), Ok(()));
        assert_eq!(rx.recv_timeout(Duration::ZERO), Ok(4));
        let stats = tx.gauge().stats();
        assert_eq!((stats.send.timed_out, stats.receive.timed_out), (2, 2));
        // Nobody is left on the list: a value wakes no one, and is still there.
        tx.try_send(5).unwrap();
        assert_eq!(rx.try_recv(), Ok(5));
    }};
}

macro_rules! policies_that_do_not_wait {
    ($kind:path) => {{
        use $kind as kind;
        let shed = Full::Shed { high: 1, low: 0 };
        let rows = [
            (Full::Fail, Err(SendError::Full(2)), 1),
            (shed, Err(SendError::Shed(2)), 1),
            (Full::DropNewest, Ok(()), 1),
            (Full::DropOldest, Ok(()), 2),
        ];
        for (full, outcome, left) in rows {
            let (mut tx, mut rx) = kind::with::<u8>(Options::new(1).full(full)).unwrap();
            assert_eq!(now(tx.send(1)), Ok(()));
            assert_eq!(now(tx.send(2)), outcome, "{full:?}");
            assert_eq!(rx.try_recv(), Ok(left), "{full:?}");
            tx.send_blocking(1).unwrap();
            assert_eq!(tx.send_blocking(2), outcome, "{full:?}");
            assert_eq!(tx.send_timeout(2, Duration::MAX), outcome, "{full:?}");
            assert_eq!(rx.recv_blocking(), Ok(left), "{full:?}");
            let send = tx.gauge().stats().send;
            let given_up =
                send.refused_full + send.shed + send.dropped_newest + send.dropped_oldest;
            assert_eq!(given_up, 3, "{full:?}: each is counted");
        }
    }};
}

macro_rules! a_receiver_is_a_stream {
    ($kind:path) => {{
        use $kind as kind;
        let (mut tx, mut rx) = kind::bounded::<u8>(2);
        let mut next = |waker| Pin::new(&mut rx).poll_next(&mut Context::from_waker(waker));
        let (bell, waker) = bell();
        assert_eq!(next(&waker), Poll::Pending);
        tx.try_send(1).unwrap();
        assert_eq!(bell.rings(), 1);
        assert_eq!(next(&waker), Poll::Ready(Some(1)));
        drop(tx);
        assert_eq!(next(&waker), Poll::Ready(None));
    }};
}

every_kind!(
    a_task_waits_for_a_value
    a_task_waits_for_room
    the_end_wakes_both_sides
    giving_up_loses_nothing
    waits_end_with_their_time
    policies_that_do_not_wait
    a_receiver_is_a_stream
);

/// Of two that wait, the first is woken; when it goes without a value, the second is.
#[test]
fn a_wake_that_is_not_used_goes_on() {
    let (mut tx, mut first) = mpmc::bounded::<u8>(2);
    let mut second = first.clone();
    let (bells, wakers) = ([bell(), bell()], [0, 1]);
    let waker = |n: usize| &bells[wakers[n]].1;
    let rings = |n: usize| bells[n].0.rings();
    let mut waiting = first.recv();
    assert_eq!(poll(&mut waiting, waker(0)), Poll::Pending);
    let mut other = second.recv();
    assert_eq!(poll(&mut other, waker(1)), Poll::Pending);
    tx.try_send(1).unwrap();
    assert_eq!((rings(0), rings(1)), (1, 0));
    drop(waiting);
    assert_eq!((rings(0), rings(1)), (1, 1));
    assert_eq!(poll(&mut other, waker(1)), Poll::Ready(Ok(1)));
}

/// A batch wakes as many as it has values for.
#[test]
fn a_batch_wakes_as_many_as_it_feeds() {
    let (mut tx, rx) = mpmc::bounded::<u8>(8);
    let (bell, waker) = bell();
    let mut receivers: Vec<_> = (0..3).map(|_| rx.clone()).collect();
    let mut waits: Vec<_> = receivers.iter_mut().map(|rx| rx.recv()).collect();
    for wait in &mut waits {
        assert_eq!(poll(wait, &waker), Poll::Pending);
    }
    tx.try_send_batch(&mut VecDeque::from([1, 2])).unwrap();
    assert_eq!(bell.rings(), 2);
}
