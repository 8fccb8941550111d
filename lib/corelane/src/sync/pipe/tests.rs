//! A pipe under every schedule, and what each end hears of the other.

use std::pin::pin;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{random, task};

use super::*;

#[test]
fn it_is_bounded_and_ordered_under_every_schedule() {
    for seed in 0..100 {
        for capacity in [1, 2, 7] {
            let world = World::new(seed, WorldOptions::default());
            let shard = world.shard(0, "shard");
            let ran = world.block_on(shard, async move {
                let (mut writer, mut reader) = pipe(capacity);
                task::spawn(async move {
                    for number in 0..50 {
                        writer.send(number).await.expect("the reader stays");
                        assert!(writer.len() <= capacity);
                        if random::below(3) == 0 {
                            task::yield_now().await;
                        }
                    }
                });
                for number in 0..50 {
                    assert_eq!(reader.recv().await, Some(number));
                    if random::below(3) == 0 {
                        task::yield_now().await;
                    }
                }
                assert_eq!(reader.recv().await, None);
            });
            ran.unwrap_or_else(|stuck| panic!("capacity {capacity}: {stuck}"));
        }
    }
}

#[test]
fn each_end_hears_that_the_other_has_left() {
    let mut cx = Context::from_waker(Waker::noop());
    let (mut writer, mut reader) = pipe(1);
    assert_eq!(writer.try_send(1), Ok(None));
    assert_eq!(writer.try_send(2), Ok(Some(2)), "full");
    drop(writer);
    assert_eq!(reader.try_recv(), Some(1), "what was sent arrives");
    assert_eq!(reader.poll_recv(&cx), Poll::Ready(None));

    let kept = Rc::new(());
    let (mut writer, reader) = pipe(1);
    assert_eq!(writer.try_send(kept.clone()), Ok(None));
    {
        let mut sending = pin!(writer.send(kept.clone()));
        assert!(sending.as_mut().poll(&mut cx).is_pending());
        drop(reader);
        assert_eq!(Rc::strong_count(&kept), 2, "what was in the pipe is gone");
        assert!(matches!(
            sending.poll(&mut cx),
            Poll::Ready(Err(ReaderGone(_)))
        ));
    }
    assert!(writer.try_send(kept.clone()).is_err());
}

#[test]
fn a_dropped_wait_takes_nothing() {
    let mut cx = Context::from_waker(Waker::noop());
    let (mut writer, mut reader) = pipe(1);
    assert!(pin!(reader.recv()).poll(&mut cx).is_pending());
    assert_eq!(writer.try_send(1), Ok(None));
    assert!(pin!(writer.ready()).poll(&mut cx).is_pending());
    assert_eq!(pin!(reader.recv()).poll(&mut cx), Poll::Ready(Some(1)));
    assert_eq!(pin!(writer.ready()).poll(&mut cx), Poll::Ready(Ok(())));
}
