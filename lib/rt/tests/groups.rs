//! Scheduling groups made by the program, on the real backends and in the simulator.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::task::{
    self, GROUPS_MAX, Group, GroupError, GroupOptions, SHARES_MAX, spawn_in, yield_now,
};
use corelane_rt::time;
use support::on_each;

fn named(name: &'static str, shares: u32) -> GroupOptions {
    GroupOptions {
        shares,
        ..GroupOptions::new(name)
    }
}

#[test]
fn groups_have_names_shares_and_counters() {
    on_each(|| async {
        let names: Vec<_> = task::group_stats()
            .into_iter()
            .map(|group| group.name)
            .collect();
        assert_eq!(names, ["data", "control", "background"]);
        let scan = task::group(named("scan", 50)).expect("a group");
        assert_eq!(task::find_group("scan"), Some(scan));
        assert_eq!(task::find_group("data"), Some(Group::Data));
        assert_eq!(task::find_group("nobody"), None);
        for _ in 0..3 {
            spawn_in(scan, async { yield_now().await })
                .await
                .expect("join");
        }
        task::set_shares(scan, 70).expect("shares");
        task::set_latency_goal(scan, Some(Duration::from_millis(3))).expect("a goal");
        let stats = task::group_stats().pop().expect("the last one");
        assert_eq!((stats.group, stats.runs, stats.shares), (scan, 6, 70));
        assert_eq!(stats.latency_goal, Some(Duration::from_millis(3)));
        assert!(stats.used_ns > 0);
    });
}

#[test]
fn groups_that_cannot_be_are_refused() {
    on_each(|| async {
        let far = {
            let mut last = Group::Data;
            for number in 3..GROUPS_MAX {
                last = task::group(GroupOptions::new(format!("group {number}"))).expect("room");
            }
            last
        };
        let no_time = GroupOptions {
            latency_goal: Some(Duration::ZERO),
            ..named("late", 1)
        };
        for (refused, why) in [
            (task::group(named("more", 1)).map(drop), GroupError::TooMany),
            (
                task::group(named("data", 1)).map(drop),
                GroupError::NameTaken("data".to_owned()),
            ),
            (
                task::group(named("none", 0)).map(drop),
                GroupError::Shares(0),
            ),
            (
                task::set_shares(far, SHARES_MAX + 1),
                GroupError::Shares(SHARES_MAX + 1),
            ),
            (task::group(no_time).map(drop), GroupError::NoTime),
        ] {
            assert_eq!(refused, Err(why));
        }
        // It is gone with this runtime, and the next one has none of it.
        let other = std::thread::spawn(move || {
            support::runtime(corelane_rt::IoBackend::Auto)
                .block_on(async { task::set_shares(far, 1) })
        });
        assert_eq!(other.join().expect("join"), Err(GroupError::Unknown(far)));
    });
}

#[test]
#[should_panic(expected = "no scheduling group")]
fn a_task_in_a_group_of_another_runtime_is_refused() {
    let world = World::new(1, WorldOptions::default());
    let (here, there) = (world.shard(0, "here"), world.shard(1, "there"));
    let group = world.enter(here, || task::group(named("mine", 1)).expect("a group"));
    world.enter(there, || spawn_in(group, async {}));
}

/// Polls of two busy groups of these shares, until the first has had `polls`.
fn simulate(seed: u64, shares: [u32; 2], polls: u32) -> [u32; 2] {
    let world = World::new(seed, WorldOptions::default());
    let shard = world.shard(0, "shard");
    let done = world.block_on(shard, async move {
        let ran: Rc<RefCell<[u32; 2]>> = Rc::default();
        let mut tasks = Vec::new();
        for (at, shares) in shares.into_iter().enumerate() {
            let group = task::group(named(["one", "two"][at], shares)).expect("a group");
            for _ in 0..3 {
                let ran = ran.clone();
                tasks.push(spawn_in(group, async move {
                    while ran.borrow()[0] < polls {
                        ran.borrow_mut()[at] += 1;
                        yield_now().await;
                    }
                }));
            }
        }
        for task in tasks {
            task.await.expect("join");
        }
        ran.take()
    });
    done.expect("it ends")
}

#[test]
fn a_simulated_thread_is_shared_exactly() {
    for (shares, want) in [
        ([1000, 1000], [600, 600]),
        ([1000, 250], [600, 150]),
        ([100, 300], [600, 1800]),
        ([10_000, 1], [600, 0]),
    ] {
        for seed in 0..20 {
            let ran = simulate(seed, shares, 600);
            // The three tasks of a group each begin and end with a poll that is not counted.
            for (ran, want) in ran.into_iter().zip(want) {
                assert!(
                    ran.abs_diff(want) <= 16,
                    "{shares:?}, seed {seed}: {ran}, not {want}"
                );
            }
        }
    }
}

#[test]
fn a_goal_is_kept_in_virtual_time() {
    for (goal, within) in [(Some(Duration::from_micros(100)), true), (None, false)] {
        let world = World::new(3, WorldOptions::default());
        let shard = world.shard(0, "shard");
        let waited_ns = world.block_on(shard, async move {
            let hungry = task::group(named("hungry", SHARES_MAX)).expect("a group");
            let rare = task::group(GroupOptions {
                latency_goal: goal,
                ..named("rare", 1)
            })
            .expect("a group");
            let stop = Rc::new(Cell::new(false));
            let stopped = stop.clone();
            let busy = spawn_in(hungry, async move {
                while !stopped.get() {
                    yield_now().await;
                }
            });
            let worst_ns = spawn_in(rare, async {
                let mut worst_ns = 0;
                for _ in 0..20 {
                    let began_ns = time::now_ns();
                    yield_now().await;
                    worst_ns = worst_ns.max(time::now_ns() - began_ns);
                }
                worst_ns
            });
            let worst_ns = worst_ns.await.expect("join");
            stop.set(true);
            busy.await.expect("join");
            worst_ns
        });
        let waited_ns = waited_ns.expect("it ends");
        // The goal, and what a step of the world takes.
        assert_eq!(
            waited_ns <= 110_000,
            within,
            "goal {goal:?}: waited {waited_ns} ns"
        );
    }
}

#[test]
fn a_long_task_is_told_to_yield() {
    on_each(|| async {
        let others = Rc::new(Cell::new(0));
        let count = others.clone();
        let other = task::spawn(async move {
            loop {
                count.set(count.get() + 1);
                yield_now().await;
            }
        });
        let long = task::spawn(async {
            assert!(!task::need_preempt(), "it has just begun");
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_millis(20) {
                task::maybe_yield().await;
            }
            while !task::need_preempt() {}
        });
        long.await.expect("join");
        other.cancel();
        // At most one turn of the other per half a millisecond, and not none.
        assert!(
            (2..=60).contains(&others.get()),
            "the other ran {} times",
            others.get()
        );
    });
}

#[test]
fn a_simulated_task_yields_where_the_seed_says() {
    let yields = |seed| {
        let world = World::new(seed, WorldOptions::default());
        let shard = world.shard(0, "shard");
        let asked = world.block_on(shard, async {
            (0..800).filter(|_| task::need_preempt()).count()
        });
        asked.expect("it ends")
    };
    assert_eq!(yields(1), yields(1));
    assert!((50..150).contains(&yields(2)), "{}", yields(2));
}
