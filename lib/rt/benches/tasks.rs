//! What the executor itself costs: a poll of a task that yields, a spawn with its join, and the question whether to
//! yield. In nanoseconds, the best of several rounds: `cargo bench -p corelane-rt --bench tasks`.

use std::hint::black_box;
use std::time::Instant;

use corelane_rt::task::{self, Group};
use corelane_rt::{Runtime, RuntimeOptions};

const ROUNDS: u32 = 15;
const EACH: u32 = 200_000;

fn main() {
    let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
    runtime.block_on(async {
        let mut best = [f64::MAX; 5];
        for _ in 0..ROUNDS {
            for (slot, measured) in best.iter_mut().zip([
                yields(&[Group::Data]).await,
                yields(&[Group::Data, Group::Control, Group::Background]).await,
                spawns().await,
                questions(),
                maybe_yields().await,
            ]) {
                *slot = slot.min(measured);
            }
        }
        for (what, ns) in [
            "poll of a task that yields",
            "the same, three groups with work",
            "spawn and join",
            "need_preempt",
            "maybe_yield",
        ]
        .iter()
        .zip(best)
        {
            println!("{what:34} {ns:7.1} ns");
        }
    });
}

async fn yields(groups: &[Group]) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = groups
        .iter()
        .map(|&group| {
            task::spawn_in(group, async move {
                for _ in 0..EACH {
                    task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("join");
    }
    per_call(began, EACH * groups.len() as u32)
}

async fn spawns() -> f64 {
    let began = Instant::now();
    task::spawn(async {
        for _ in 0..EACH / 4 {
            task::spawn(async {}).await.expect("join");
        }
    })
    .await
    .expect("join");
    per_call(began, EACH / 4)
}

fn questions() -> f64 {
    let began = Instant::now();
    for _ in 0..EACH {
        black_box(task::need_preempt());
    }
    per_call(began, EACH)
}

async fn maybe_yields() -> f64 {
    let began = Instant::now();
    task::spawn(async {
        for _ in 0..EACH {
            task::maybe_yield().await;
        }
    })
    .await
    .expect("join");
    per_call(began, EACH)
}

fn per_call(began: Instant, calls: u32) -> f64 {
    began.elapsed().as_nanos() as f64 / f64::from(calls)
}
