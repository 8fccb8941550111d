//! Cancelling: down the tree, across shards and threads, and what is left behind.

use std::thread;
use std::time::Duration;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{Runtime, RuntimeOptions, task, time};

use super::*;
use crate::sync::testing::counting;

#[test]
fn it_goes_down_the_tree_and_not_up() {
    let root = CancelToken::new();
    let (left, right) = (root.child(), root.child());
    let leaf = left.child().child();
    left.cancel("left");
    left.cancel("again");
    assert_eq!(leaf.check().unwrap_err().reason(), "left");
    assert!(root.check().is_ok() && !right.is_cancelled());
    assert_eq!(
        left.child().check().unwrap_err().reason(),
        "left",
        "born cancelled"
    );
    root.cancel(String::from("all"));
    assert_eq!(right.check().unwrap_err().to_string(), "cancelled: all");
    assert_eq!(
        leaf.check().unwrap_err().reason(),
        "left",
        "the first reason stays"
    );
}

#[test]
fn children_and_waits_leave_nothing_behind() {
    let root = CancelToken::new();
    let (waker, woken) = counting();
    let mut cx = Context::from_waker(&waker);
    {
        let child = root.child();
        let _grandchild = child.child();
        drop(child);
        assert_eq!(root.0.lock().children.len(), 1, "kept by its child");
        let mut wait = pin!(root.cancelled());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        assert_eq!(root.0.lock().waiting.len(), 1);
    }
    let links = root.0.lock();
    assert!(links.children.is_empty() && links.waiting.is_empty());
    drop(links);
    let mut wait = pin!(root.cancelled());
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    root.cancel("now");
    assert_eq!(woken.count(), 1);
    assert!(wait.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn a_deep_tree_is_cancelled_and_dropped_without_recursion() {
    let root = CancelToken::new();
    let mut deep = root.clone();
    for _ in 0..200_000 {
        deep = deep.child();
    }
    root.cancel("all of them");
    assert!(deep.is_cancelled());
    let mut deep = CancelToken::new();
    for _ in 0..200_000 {
        deep = deep.child();
    }
    drop(deep);
}

#[test]
fn work_ends_where_it_stands() {
    let world = World::new(2, WorldOptions::default());
    let shard = world.shard(0, "shard");
    let ran = world.block_on(shard, async {
        let token = CancelToken::new();
        assert_eq!(token.run(async { 1 }).await, Ok(1));
        let other = token.clone();
        task::spawn(async move {
            time::sleep(Duration::from_secs(1)).await;
            other.cancel("took too long");
        });
        let ended = token.run(std::future::pending::<()>()).await;
        assert_eq!(ended.unwrap_err().reason(), "took too long");
        let late = token.run(async { unreachable!("it must not begin") }).await;
        assert!(late.is_err());
    });
    ran.expect("no deadlock");
}

#[test]
fn it_crosses_shards_of_a_world() {
    for seed in 0..50 {
        let world = World::new(seed, WorldOptions::default());
        let (asker, server) = (world.shard(0, "asker"), world.shard(1, "server"));
        let token = CancelToken::new();
        let request = token.child();
        let work = world.spawn_on(server, async move {
            request.run(std::future::pending::<()>()).await
        });
        drop(world.spawn_on(asker, async move {
            time::sleep(Duration::from_millis(1)).await;
            token.cancel("no longer needed");
        }));
        world.run().expect("the wake arrives");
        assert!(work.is_finished());
    }
}

#[test]
fn a_cancel_from_another_thread_is_never_lost() {
    let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
    runtime.block_on(async {
        for round in 0..300_u32 {
            let token = CancelToken::new();
            let child = token.child();
            let canceller = thread::spawn(move || token.cancel(format!("round {round}")));
            let wait = time::timeout(Duration::from_secs(10), child.cancelled());
            let cancelled = wait.await.expect("the wake was lost");
            assert_eq!(cancelled.reason(), format!("round {round}"));
            canceller.join().expect("join");
        }
    });
}
