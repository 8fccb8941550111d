//! Where threads run: the pin of a shard, and that the blocking pool does not inherit it.

mod support;

use std::time::Duration;

use corelane_rt::{IoBackend, Runtime, RuntimeOptions, blocking, task, time};
use rustix::process::getpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity};

/// The CPUs that the calling thread may use.
fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).expect("the thread's CPUs");
    (0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect()
}

#[test]
fn a_pinned_runtime_stays_and_its_blocking_calls_do_not() {
    let before = allowed();
    let cpu = before[before.len() - 1];
    for io in support::BACKENDS {
        let options = RuntimeOptions {
            cpu: Some(cpu),
            ..support::options(io)
        };
        let runtime = Runtime::new(&options).expect("a runtime");
        runtime.block_on(async {
            assert_eq!(allowed(), [cpu]);
            assert_eq!(blocking::run(allowed).await, before);
        });
        drop(runtime);
        assert_eq!(allowed(), before, "the pin outlived its runtime");
    }
}

#[test]
fn niceness_is_the_threads_own_and_a_refusal_is_no_end() {
    let nice = || getpriority_process(None).expect("the thread's niceness");
    let before = nice();
    for (asked, granted) in [
        (Some(3), vec![(before + 3).min(19)]),
        (Some(39), vec![19]),
        (None, vec![before]),
        (Some(-39), vec![-20, before]),
    ] {
        let there = std::thread::spawn(move || {
            let options = RuntimeOptions {
                nice: asked,
                ..RuntimeOptions::default()
            };
            let runtime = Runtime::new(&options).expect("a runtime, whatever the system grants");
            runtime.block_on(async { nice() })
        });
        let there = there.join().expect("join");
        assert!(granted.contains(&there), "asked for {asked:?}, got {there}");
        assert_eq!(nice(), before, "this thread's own");
    }
}

#[test]
fn a_cpu_that_is_not_there_is_an_error() {
    for cpu in [CpuSet::MAX_CPU - 1, CpuSet::MAX_CPU, usize::MAX] {
        let options = RuntimeOptions {
            cpu: Some(cpu),
            ..RuntimeOptions::default()
        };
        let error = Runtime::new(&options).expect_err("no such CPU");
        assert!(
            error
                .to_string()
                .contains(&format!("CPU {cpu} is not among")),
            "{error}"
        );
    }
}

#[test]
fn blocking_calls_run_beside_each_other_and_beside_tasks() {
    support::on_each(|| async {
        let began = std::time::Instant::now();
        let calls: Vec<_> = (0..8_u64)
            .map(|i| {
                task::spawn(blocking::run(move || {
                    std::thread::sleep(Duration::from_millis(50));
                    i
                }))
            })
            .collect();
        let ticks = task::spawn(async {
            for _ in 0..5 {
                time::sleep(Duration::from_millis(2)).await;
            }
            std::time::Instant::now()
        });
        let ticked = ticks.await.expect("join");
        let mut sum = 0;
        for call in calls {
            sum += call.await.expect("join");
        }
        assert_eq!(sum, 28);
        assert!(ticked < std::time::Instant::now());
        assert!(
            began.elapsed() < Duration::from_millis(400),
            "one after the other"
        );
    });
}

#[test]
fn a_panic_in_a_blocking_call_reaches_its_caller() {
    support::on_each(|| async {
        let call = task::spawn(blocking::run(|| panic!("in the pool")));
        assert_eq!(call.await.expect_err("it panics").message, "in the pool");
        assert_eq!(blocking::run(|| 1).await, 1);
    });
}

#[test]
fn more_calls_than_threads_and_places_all_run() {
    let runtime = support::runtime(IoBackend::Auto);
    runtime.block_on(async {
        let calls: Vec<_> = (0..6000_u64)
            .map(|i| task::spawn(blocking::run(move || i)))
            .collect();
        let mut sum = 0;
        for call in calls {
            sum += call.await.expect("join");
        }
        assert_eq!(sum, 6000 * 5999 / 2);
    });
}

#[test]
fn another_thread_reads_the_counters_while_they_grow_and_after_the_end() {
    let runtime = support::runtime(IoBackend::Auto);
    let reader = runtime.block_on(async {
        let reader = corelane_rt::stats_reader();
        task::spawn(async {}).await.expect("join");
        let seen = reader.clone();
        let other = std::thread::spawn(move || seen.read().spawned);
        assert!(other.join().expect("join") >= 1);
        assert_eq!(reader.read(), corelane_rt::stats());
        reader
    });
    let last = runtime.stats();
    drop(runtime);
    assert_eq!(reader.read(), last);
}
