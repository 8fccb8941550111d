//! The framework on real threads: the shared scenarios, and what only threads can show: starts that
//! fail, panics that end the node, wake-ups of sleeping shards.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::probe::{Ask, Probe};
use common::{HANGS, join, options, run, scenarios, start};
use corelane::{
    CallError, LaunchOptions, Mesh, Refusal, ShardId, Target, launch, random, task, time,
};

#[test]
fn everybody_asks_everybody() {
    for (shards, capacity) in [(1, 4), (2, 1), (3, 4), (8, 2), (8, 1024)] {
        run(
            &options(shards, capacity),
            scenarios::everybody_asks_everybody,
        )
        .unwrap();
    }
}

#[test]
fn floods_keep_their_order_and_end() {
    for (shards, capacity) in [(2, 1), (2, 4), (4, 2), (8, 16)] {
        run(&options(shards, capacity), scenarios::flood_in_order).unwrap();
    }
}

#[test]
fn dropped_calls_do_no_harm() {
    for (shards, capacity) in [(2, 1), (2, 64), (4, 3)] {
        run(&options(shards, capacity), scenarios::drop_calls).unwrap();
    }
}

#[test]
fn control_passes_full_lanes() {
    for capacity in [1, 16] {
        run(&options(2, capacity), scenarios::control_passes_full_lanes).unwrap();
    }
}

#[test]
fn a_stop_under_load_loses_nothing() {
    const CALLS: u64 = 500;
    for shards in [1, 2, 4] {
        let (warm, is_warm) = mpsc::channel();
        let node = start(&options(shards, 4), async move |mesh: Mesh<Probe>| {
            let (busy, warm) = (mesh.clone(), warm.clone());
            task::spawn(async move {
                while busy.stats().calls + busy.stats().local_calls < CALLS {
                    task::yield_now().await;
                }
                warm.send(()).map_err(|e| e.to_string())
            });
            scenarios::work_until_stopped(mesh).await
        });
        is_warm.recv_timeout(HANGS).expect("the shards work");
        node.stop();
        join(node).unwrap();
    }
}

#[test]
fn a_dropped_handle_stops_the_node() {
    let (left, gone) = mpsc::channel();
    let node = start(&options(2, 4), async move |mesh: Mesh<Probe>| {
        mesh.stopping().await;
        left.send(mesh.shard()).map_err(|e| e.to_string())
    });
    drop(node);
    gone.recv_timeout(HANGS).unwrap();
    gone.recv_timeout(HANGS).unwrap();
}

/// Shards that have returned from main serve the others until all have.
#[test]
fn a_finished_shard_still_serves() {
    run(&options(3, 4), async |mesh: Mesh<Probe>| {
        if mesh.shard() != ShardId::new(0) {
            return mesh.control(ShardId::new(0), 1).map_err(|e| e.to_string());
        }
        while mesh.with(|probe| probe.controls.len()) < 2 {
            task::yield_now().await;
        }
        for number in 0..100 {
            for shard in mesh.all_shards() {
                let answer = mesh.call(shard, Ask::Echo(number)).await;
                assert_eq!(answer.map_err(|e| e.to_string())?, (shard, number));
            }
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn one_shard_that_cannot_start_ends_the_launch() {
    type Init = fn(ShardId) -> Result<Probe, String>;
    let rows: [(Init, &str); 2] = [
        (
            |shard| match shard.number() {
                2 => Err("no room for its log".to_owned()),
                _ => Ok(Probe::new(shard, 4)),
            },
            "shard 2 did not start: no room for its log",
        ),
        (
            |shard| {
                assert_ne!(shard.number(), 1, "bad luck");
                Ok(Probe::new(shard, 4))
            },
            "shard 1 did not start: its start panicked: assertion `left != right` failed: bad luck\n  left: 1\n right: 1",
        ),
    ];
    for (init, says) in rows {
        let ran = Arc::new(AtomicU64::new(0));
        let runs = ran.clone();
        let init = async move |shard| init(shard);
        let error = launch(&LaunchOptions::unpinned(4), init, async move |_| {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .unwrap_err();
        assert_eq!(error.to_string(), says);
        assert_eq!(ran.load(Ordering::Relaxed), 0, "no main runs");
        // All threads have left: nobody but us holds the main.
        assert_eq!(Arc::strong_count(&ran), 1);
    }
}

#[test]
fn a_cpu_that_does_not_exist_is_an_error() {
    let options = LaunchOptions::pinned(&[0, 100_000]);
    let init = async |shard| Ok(Probe::new(shard, 2));
    let error = launch(&options, init, async |_: Mesh<Probe>| Ok(()))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("shard 1 did not start: no runtime: "),
        "{error}"
    );
}

/// Whoever fails, the node ends everywhere and the first reason is told.
#[test]
fn failures_end_the_node() {
    type Main = fn(Mesh<Probe>) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>>;
    let rows: [(Main, u16, &str); 7] = [
        (
            |mesh| {
                Box::pin(on_shard(mesh, 2, async |_| {
                    Err("its disk is gone".to_owned())
                }))
            },
            2,
            "its disk is gone",
        ),
        (
            |mesh| Box::pin(on_shard(mesh, 1, async |_| panic!("bad luck"))),
            1,
            "its main panicked: bad luck",
        ),
        (
            |mesh| {
                Box::pin(on_shard(mesh, 0, async |mesh| {
                    let lost = mesh.call(ShardId::new(2), Ask::Panic).await;
                    assert!(matches!(lost, Err(CallError::Panicked | CallError::Lost)));
                    Ok(())
                }))
            },
            2,
            "handling a request of shard 0 panicked: asked to",
        ),
        (
            |mesh| {
                Box::pin(on_shard(mesh, 0, async |mesh| {
                    mesh.call(ShardId::new(0), Ask::Panic)
                        .await
                        .map_err(|e| e.to_string())?;
                    Ok(())
                }))
            },
            0,
            "handling a request of shard 0 panicked: asked to",
        ),
        (
            |mesh| {
                Box::pin(on_shard(mesh, 0, async |mesh| {
                    mesh.control(ShardId::new(1), u64::MAX)
                        .map_err(|e| e.to_string())
                }))
            },
            1,
            "handling a control message of shard 0 panicked: assertion `left != right` failed: asked to, by control",
        ),
        (
            |mesh| {
                Box::pin(on_shard(mesh, 2, async |mesh| {
                    mesh.with(|probe| probe.panic_in_tick = true);
                    Ok(())
                }))
            },
            2,
            "its tick panicked: asked to, by tick",
        ),
        (
            |mesh| {
                Box::pin(on_shard(mesh, 1, async |mesh| {
                    // In a task that nobody waits for: the state it may have left half-changed counts.
                    let inside = mesh.clone();
                    task::spawn(async move { inside.with(|_| inside.with(|_| ())) });
                    Ok(())
                }))
            },
            1,
            "a task that used the shard's state panicked: the shard's state is in use already",
        ),
    ];
    for (main, shard, reason) in rows {
        let failure = run(&options(3, 4), main).unwrap_err();
        assert_eq!(failure.shard, ShardId::new(shard), "{failure}");
        assert!(failure.reason.starts_with(reason), "{failure}");
    }
}

/// Runs `act` on one shard; all shards then wait for the end of the node.
async fn on_shard(
    mesh: Mesh<Probe>,
    shard: u16,
    act: impl AsyncFnOnce(Mesh<Probe>) -> Result<(), String>,
) -> Result<(), String> {
    if mesh.shard() == ShardId::new(shard) {
        act(mesh.clone()).await?;
    }
    std::future::pending().await
}

/// Without spinning both shards sleep between the messages: every one needs its wake. One that is lost
/// is made good by the next tick, so it shows as time.
#[test]
fn ping_pong_between_sleeping_shards() {
    const ROUNDS: u64 = 10_000;
    const SLOW: Duration = Duration::from_millis(45);
    /// Rounds in which a busy machine may keep a shard waiting for that long.
    const NOISE: u64 = 20;
    let mut options = options(2, 4);
    options.spin_us = 0;
    run(&options, async |mesh: Mesh<Probe>| {
        if mesh.shard() == ShardId::new(1) {
            return Ok(());
        }
        let mut slow = 0;
        for round in 0..ROUNDS {
            let asked = Instant::now();
            let call = mesh.call(ShardId::new(1), Ask::Echo(round));
            let answer = time::timeout(Duration::from_secs(10), call).await;
            let answer = answer.map_err(|_| format!("no answer in round {round}"))?;
            answer.map_err(|e| e.to_string())?;
            slow += u64::from(asked.elapsed() > SLOW);
        }
        assert!(
            slow <= NOISE,
            "{slow} answers took as long as with a lost wake"
        );
        let stats = mesh.stats();
        assert!(
            stats.wakes <= ROUNDS,
            "at most one wake per batch: {stats:?}"
        );
        assert!(stats.wakes > ROUNDS / 2, "the peer slept: {stats:?}");
        Ok(())
    })
    .unwrap();
}

/// A seed decides each shard's random numbers, and shards have different ones.
#[test]
fn a_seed_decides_the_random_numbers() {
    let drawn = |seed| {
        let mut options = options(2, 4);
        options.seed = seed;
        let (tell, told) = mpsc::channel();
        let node = start(&options, async move |mesh: Mesh<Probe>| {
            tell.send((mesh.shard(), random::next_u64()))
                .map_err(|e| e.to_string())
        });
        join(node).unwrap();
        let mut drawn: Vec<_> = told.try_iter().collect();
        drawn.sort();
        drawn
    };
    let seven = drawn(Some(7));
    assert_eq!(seven, drawn(Some(7)));
    assert_ne!(seven, drawn(Some(8)));
    assert_ne!(seven[0].1, seven[1].1);
    assert_ne!(drawn(None), drawn(None));
}

/// In the split layout the first shards take part in everything but own nothing, and a resize leaves them alone.
#[test]
fn shards_for_connections_own_nothing() {
    let mut options = options(4, 4);
    options.shards[0].io = true;
    options.shards[0].nice = Some(5);
    options.active = Some(2);
    let node = start(&options, async |mesh: Mesh<Probe>| {
        mesh.stopping().await;
        Ok(())
    });
    let handle = node.handle();
    for partition in [0, 100, 255] {
        let target = Target::Partition(partition);
        let answer = handle.call(target, Ask::Echo(1)).wait();
        assert_eq!(answer, Ok((ShardId::new(1), 1)), "partition {partition}");
    }
    let everybody = handle.broadcast(|shard| Ask::Echo(shard.index() as u64));
    let numbers: Vec<_> = everybody.wait().into_iter().map(|a| a.unwrap().1).collect();
    assert_eq!(numbers, [0, 1]);
    node.stop();
    join(node).unwrap();

    let mut misplaced = options;
    misplaced.shards[2].io = true;
    let init = async |shard| Ok(Probe::new(shard, 4));
    let error = launch(&misplaced, init, async |_: Mesh<Probe>| Ok(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "shards for connections alone come first: put those with `io` before the others"
    );
}

/// Calls of one turn leave in one batch, and each target is woken once.
#[test]
fn a_turns_calls_leave_together() {
    run(&options(3, 64), async |mesh: Mesh<Probe>| {
        if mesh.shard() != ShardId::new(0) {
            return Ok(());
        }
        let mut calls = Vec::new();
        for number in 0..20 {
            for to in [1, 2].map(ShardId::new) {
                calls.push(mesh.call(to, Ask::Echo(number)));
            }
        }
        for call in calls {
            call.await.map_err(|e| e.to_string())?;
        }
        let stats = mesh.stats();
        assert_eq!((stats.calls, stats.batches), (40, 2), "{stats:?}");
        assert!(stats.wakes <= 2, "{stats:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_line_that_is_full_refuses() {
    /// As the mesh has it; a change there is one here.
    const WAITING_PER_PAIR: usize = 16_384;
    run(&options(2, 8), async |mesh: Mesh<Probe>| {
        if mesh.shard() == ShardId::new(1) {
            return Ok(());
        }
        let to = ShardId::new(1);
        let call = |number| mesh.call(to, Ask::Echo(number));
        let mut calls: Vec<_> = (0..WAITING_PER_PAIR as u64 + 8).map(call).collect();
        match call(0).await {
            Err(CallError::Refused(refused)) => assert_eq!(refused.reason, Refusal::Full),
            _ => return Err("one more than the line holds was taken".to_owned()),
        }
        // All but the last are given up: those that wait are never sent, and the last gets its turn.
        let last = calls.pop().ok_or("no calls")?;
        drop(calls);
        assert_eq!(
            last.await.map_err(|e| e.to_string())?,
            (to, WAITING_PER_PAIR as u64 + 7)
        );
        let stats = mesh.stats();
        assert_eq!(
            (stats.refused_full, stats.late_replies),
            (1, 8),
            "{stats:?}"
        );
        assert_eq!(stats.cancelled, WAITING_PER_PAIR as u64 - 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_broadcast_asks_all_and_answers_in_order() {
    run(&options(4, 2), async |mesh: Mesh<Probe>| {
        for round in 0..20 {
            let answers = mesh
                .broadcast(|to| Ask::Echo(round + u64::from(to.number())))
                .await;
            let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
            let expected: Vec<_> = mesh
                .all_shards()
                .map(|to| (to, round + u64::from(to.number())))
                .collect();
            assert_eq!(answers, expected);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn keys_and_partitions_reach_their_owner() {
    run(&options(3, 8), async |mesh: Mesh<Probe>| {
        for key in 0..50u64 {
            let key = format!("key:{key}");
            let partition = corelane::partition_of(key.as_bytes());
            let owner = mesh.map().owner(partition);
            let by_key = mesh.call_key(key.as_bytes(), Ask::Echo(1)).await.unwrap();
            let by_partition = mesh.call_partition(partition, Ask::Echo(1)).await.unwrap();
            assert_eq!((by_key.0, by_partition.0), (owner, owner));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn ticks_come_about_ten_times_a_second() {
    run(&options(1, 1), async |mesh: Mesh<Probe>| {
        let began = Instant::now();
        while mesh.with(|probe| probe.ticks) < 3 {
            time::sleep(Duration::from_millis(5)).await;
        }
        assert!(began.elapsed() >= Duration::from_millis(250));
        Ok(())
    })
    .unwrap();
}
