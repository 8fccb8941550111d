//! Mains that run on every shard of a node and fail it when something is not as it should be. The same
//! ones on threads and in the simulator.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use corelane::{Mesh, Refusal, ShardId, random, task, time};

use super::probe::{Ask, Probe};

type Outcome = Result<(), String>;

/// Waits a random moment, or none.
async fn dawdle() {
    match random::below(4) {
        0 => time::sleep(Duration::from_micros(random::below(300))).await,
        1 => task::yield_now().await,
        _ => {}
    }
}

/// A random shard, the own one included.
fn any_shard(mesh: &Mesh<Probe>) -> ShardId {
    let shards: Vec<ShardId> = mesh.all_shards().collect();
    shards[random::below(shards.len() as u64) as usize]
}

fn peers(mesh: &Mesh<Probe>) -> impl Iterator<Item = ShardId> + use<> {
    let me = mesh.shard();
    mesh.all_shards().filter(move |&shard| shard != me)
}

/// One call; its answer must be its own.
async fn ask(mesh: &Mesh<Probe>, to: ShardId, number: u64) -> Outcome {
    let answer = mesh
        .call(to, Ask::Echo(number))
        .await
        .map_err(|e| e.to_string())?;
    if answer != (to, number) {
        return Err(format!("asked shard {to} for {number}, got {answer:?}"));
    }
    Ok(())
}

/// Several tasks per shard ask random shards, with pauses.
pub async fn everybody_asks_everybody(mesh: Mesh<Probe>) -> Outcome {
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let mesh = mesh.clone();
            task::spawn(async move {
                for call in 0..25 {
                    dawdle().await;
                    ask(&mesh, any_shard(&mesh), task * 1000 + call).await?;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|panicked| panicked.to_string())??;
    }
    Ok(())
}

/// Each shard sends all peers far more than their lanes hold, without waiting; the probes check the
/// order. Two shards that flood each other must not wait for each other either.
pub async fn flood_in_order(mesh: Mesh<Probe>) -> Outcome {
    const EACH: u64 = 200;
    let mut calls = VecDeque::new();
    for number in 0..EACH {
        for to in peers(&mesh) {
            calls.push_back((to, number, mesh.call(to, Ask::InOrder(number))));
        }
        if random::below(16) == 0 {
            dawdle().await;
        }
    }
    for (to, number, call) in calls {
        let answer = call.await.map_err(|e| e.to_string())?;
        assert_eq!(answer, (to, number));
    }
    Ok(())
}

/// Calls that are dropped before they leave, on their way, or when answered; others of the same slots
/// still get their own answers.
pub async fn drop_calls(mesh: Mesh<Probe>) -> Outcome {
    let mut calls = VecDeque::new();
    for number in 0..300 {
        let to = any_shard(&mesh);
        let mut call = mesh.call(to, Ask::Echo(number));
        match random::below(4) {
            0 => drop(call),
            1 => {
                dawdle().await;
                poll_fn(|cx| {
                    let _ = Pin::new(&mut call).poll(cx);
                    Poll::Ready(())
                })
                .await;
                drop(call);
            }
            _ => calls.push_back((to, number, call)),
        }
        if random::below(3) == 0
            && let Some((to, number, call)) = calls.pop_front()
        {
            assert_eq!(call.await.map_err(|e| e.to_string())?, (to, number));
        }
    }
    for (to, number, call) in calls {
        assert_eq!(call.await.map_err(|e| e.to_string())?, (to, number));
    }
    Ok(())
}

/// A pair at its bound refuses at once, waits in line, refuses when the line is full too, and still
/// passes control.
pub async fn control_passes_full_lanes(mesh: Mesh<Probe>) -> Outcome {
    if mesh.shard() != ShardId::new(0) {
        return Ok(());
    }
    let to = ShardId::new(1);
    let mut open = VecDeque::new();
    let refused = loop {
        match mesh.try_call(to, Ask::Echo(1)) {
            Ok(call) => open.push_back(call),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.reason, Refusal::Full);
    assert!(
        matches!(refused.message, Ask::Echo(1)),
        "the request comes back"
    );
    let waiting = mesh.call(to, Ask::Echo(2));
    mesh.control(to, 7).map_err(|e| e.to_string())?;

    let capacity = open.len() as u64;
    for call in open {
        assert_eq!(call.await, Ok((to, 1)));
    }
    assert_eq!(waiting.await.map_err(|e| e.to_string())?, (to, 2));
    let stats = mesh.stats();
    assert_eq!(
        (stats.calls, stats.refused_full, stats.waited),
        (capacity + 1, 1, 1)
    );
    assert_eq!((stats.control_sent, stats.control_refused), (1, 0));
    Ok(())
}

/// Calls until a stop is asked, then finishes what is open. Nothing may be refused or lost.
pub async fn work_until_stopped(mesh: Mesh<Probe>) -> Outcome {
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let mesh = mesh.clone();
            task::spawn(async move {
                let mut number = worker << 32;
                while !mesh.is_stopping() {
                    ask(&mesh, any_shard(&mesh), number).await?;
                    number += 1;
                    dawdle().await;
                }
                // The drain itself still asks everybody.
                for outcome in mesh.broadcast(|_| Ask::Echo(number)).await {
                    outcome.map_err(|e| e.to_string())?;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    mesh.stopping().await;
    for worker in workers {
        worker.await.map_err(|panicked| panicked.to_string())??;
    }
    Ok(())
}
