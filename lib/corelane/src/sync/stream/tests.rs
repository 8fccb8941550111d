//! Streams under every schedule and between threads, and what each end hears of the other.

use std::collections::VecDeque;
use std::pin::pin;
use std::task::Poll;
use std::thread;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{Runtime, RuntimeOptions, random, task};

use super::*;
use crate::sync::testing::counting;

/// Sends `values` numbers with `credits` from one simulated shard to another, in batches or one by one, each side
/// pausing where the seed says; checks order, end and bound.
fn simulate(seed: u64, credits: usize, batches: bool, finish: bool) {
    const VALUES: u64 = 60;
    let world = World::new(seed, WorldOptions::default());
    let (writer, reader) = (world.shard(0, "writer"), world.shard(1, "reader"));
    let (mut sink, mut source) = stream::<u64>(credits);
    drop(world.spawn_on(writer, async move {
        let mut staged: VecDeque<u64> = (0..VALUES).collect();
        while let Some(&next) = staged.front() {
            if batches {
                assert!(sink.send_batch(&mut staged).await.expect("it stays") <= credits);
            } else {
                sink.send(next).await.expect("it stays");
                staged.pop_front();
            }
            if random::below(4) == 0 {
                task::yield_now().await;
            }
        }
        assert_eq!(sink.stats().values, VALUES);
        if finish {
            sink.finish();
        }
    }));
    drop(world.spawn_on(reader, async move {
        let mut got = Vec::new();
        let end = loop {
            let found = if batches {
                let most = 1 + random::below(5) as usize;
                source
                    .recv_batch(most, |value| got.push(value))
                    .await
                    .map(|taken| taken > 0)
            } else {
                source
                    .recv()
                    .await
                    .map(|value| value.map(|value| got.push(value)).is_some())
            };
            match found {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(Truncated) => break Err(Truncated),
            }
            if random::below(4) == 0 {
                task::yield_now().await;
            }
        };
        assert!(got.iter().copied().eq(0..VALUES), "{got:?}");
        assert_eq!(end.is_ok(), finish);
        assert_eq!(source.stats().values, VALUES);
    }));
    let ran = world.run();
    ran.unwrap_or_else(|stuck| panic!("credits {credits}, batches {batches}: {stuck}"));
}

#[test]
fn values_arrive_in_order_under_every_schedule() {
    for seed in 0..60 {
        for credits in [1, 2, 3, 16] {
            for batches in [false, true] {
                simulate(seed, credits, batches, seed % 2 == 0);
            }
        }
    }
}

#[test]
fn credits_bound_what_is_ahead() {
    let (mut sink, mut source) = stream(2);
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(sink.try_send(1), Ok(()));
    assert_eq!(sink.try_send(2), Ok(()));
    assert_eq!(sink.try_send(3), Err(SinkError::NoCredit(3)));
    assert!(sink.poll_ready(&cx).is_pending());
    assert_eq!(source.try_recv(), Some(1));
    assert_eq!(sink.credits(), 1);
    assert!(sink.poll_ready(&cx).is_ready());
    assert_eq!((sink.stats().waits, sink.stats().refused_full), (1, 1));
}

#[test]
fn a_waiting_sink_is_woken_once_for_half_a_lane() {
    let (mut sink, mut source) = stream(8);
    let (waker, woken) = counting();
    let cx = Context::from_waker(&waker);
    for value in 0..8 {
        sink.try_send(value).expect("credit");
    }
    assert!(sink.poll_ready(&cx).is_pending());
    for (taken, wakes) in [
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 1),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
    ] {
        source.try_recv().expect("a value");
        assert_eq!(woken.count(), wakes, "after {taken}");
    }
}

#[test]
fn each_end_hears_how_the_other_has_left() {
    let mut cx = Context::from_waker(Waker::noop());
    for finish in [true, false] {
        let (mut sink, mut source) = stream(4);
        sink.try_send(1).expect("credit");
        let (waker, woken) = counting();
        assert_eq!(source.try_recv(), Some(1));
        assert!(source.poll_recv(&Context::from_waker(&waker)).is_pending());
        sink.try_send(2).expect("credit");
        if finish {
            sink.finish()
        } else {
            drop(sink)
        }
        assert_eq!(woken.count(), 1);
        assert_eq!(
            source.poll_recv(&cx),
            Poll::Ready(Ok(Some(2))),
            "what was sent arrives"
        );
        let end = if finish { Ok(None) } else { Err(Truncated) };
        assert_eq!(source.poll_recv(&cx), Poll::Ready(end));
        assert_eq!(source.poll_recv(&cx), Poll::Ready(end), "and stays so");
    }
    let (mut sink, source) = stream(1);
    let value = Arc::new(());
    sink.try_send(value.clone()).expect("credit");
    let (waker, woken) = counting();
    assert!(sink.poll_ready(&Context::from_waker(&waker)).is_pending());
    drop(source);
    assert_eq!(woken.count(), 1);
    assert_eq!(
        Arc::strong_count(&value),
        1,
        "what nobody will read is dropped"
    );
    assert_eq!(
        sink.poll_ready(&cx),
        Poll::Ready(Err(SinkError::SourceGone(())))
    );
    let mut sending = pin!(sink.send(value.clone()));
    assert!(matches!(
        sending.as_mut().poll(&mut cx),
        Poll::Ready(Err(SinkError::SourceGone(_)))
    ));
}

#[test]
fn a_dropped_wait_loses_nothing() {
    let mut cx = Context::from_waker(Waker::noop());
    let (mut sink, mut source) = stream(1);
    assert!(pin!(source.recv()).poll(&mut cx).is_pending());
    assert!(
        pin!(source.recv_batch(9, |_| ()))
            .poll(&mut cx)
            .is_pending()
    );
    let mut staged = VecDeque::from([1, 2]);
    assert_eq!(
        pin!(sink.send_batch(&mut staged)).poll(&mut cx),
        Poll::Ready(Ok(1))
    );
    assert!(
        pin!(sink.send_batch(&mut staged))
            .poll(&mut cx)
            .is_pending()
    );
    assert_eq!(staged, [2]);
    assert_eq!(pin!(source.recv()).poll(&mut cx), Poll::Ready(Ok(Some(1))));
}

#[test]
fn wakes_between_threads_are_never_lost() {
    const VALUES: u64 = 30_000;
    for credits in [1, 64] {
        let (mut sink, mut source) = stream::<u64>(credits);
        let writer = thread::spawn(move || {
            let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
            runtime.block_on(async {
                for value in 0..VALUES / if credits == 1 { 10 } else { 1 } {
                    sink.send(value).await.expect("the reader stays");
                }
                sink.finish();
            });
        });
        let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let mut next = 0;
            let read = async {
                while let Some(value) = source.recv().await.expect("it finishes") {
                    assert_eq!(value, next);
                    next += 1;
                }
            };
            let limit = std::time::Duration::from_secs(60);
            corelane_rt::time::timeout(limit, read)
                .await
                .expect("a wake was lost");
        });
        writer.join().expect("join");
    }
}
