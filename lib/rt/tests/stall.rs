//! The watchdog: a stall is reported while it lasts, by the functions that it is in. A test binary of its own, as the
//! reports are the process's.
#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use corelane_rt::stall::{self, Stall};
use corelane_rt::{Runtime, RuntimeOptions, task};

/// Stalls until the watchdog has reported this runtime `reports` times; the last report.
#[inline(never)]
fn deliberately_stalls(runtime: &str, reports: usize) -> Stall {
    let began = Instant::now();
    while black_box(began.elapsed()) < Duration::from_secs(60) {
        let mut found: Vec<_> = stall::recent()
            .into_iter()
            .filter(|stall| stall.runtime == runtime)
            .collect();
        if found.len() >= reports {
            return found.pop().expect("at least one");
        }
        innermost();
    }
    panic!("the watchdog has not seen it: {:?}", stall::recent());
}

#[inline(never)]
fn innermost() {
    let began = Instant::now();
    while black_box(began.elapsed()) < Duration::from_millis(40) {
        std::hint::spin_loop();
    }
}

#[inline(never)]
fn sleeps_in_a_call() {
    std::thread::sleep(black_box(Duration::from_millis(300)));
}

fn runtime(name: &str) -> Runtime {
    let options = RuntimeOptions {
        name: name.to_owned(),
        shard: 9,
        ..RuntimeOptions::default()
    };
    Runtime::new(&options).expect("a runtime")
}

fn names(stall: &Stall) -> Vec<&str> {
    stall
        .frames
        .iter()
        .map(|frame| frame.function.as_str())
        .collect()
}

/// Where the first function whose name contains `part` stands.
fn place(stall: &Stall, part: &str) -> usize {
    let found = names(stall).iter().position(|name| name.contains(part));
    found.unwrap_or_else(|| panic!("no {part} in:\n{stall}"))
}

#[test]
fn a_task_that_stalls_is_named_while_it_runs_with_its_calls() {
    let stalled = runtime("busy").block_on(async {
        let task = task::spawn(async { deliberately_stalls("busy", 2) });
        task.await.expect("join")
    });
    // Twice: a stall that goes on is reported again, ten times later.
    assert!(stalled.lasted >= Duration::from_millis(200), "{stalled}");
    assert_eq!(stalled.shard, 9);
    assert!(
        stalled.what.contains("a_task_that_stalls_is_named"),
        "{stalled}"
    );
    let calls = [
        "stall::deliberately_stalls",
        "a_task_that_stalls_is_named",
        "block_on",
    ];
    let places: Vec<_> = calls.iter().map(|call| place(&stalled, call)).collect();
    assert!(places.is_sorted(), "{stalled}");
    let here = stalled.frames[places[0]].location.as_deref();
    assert!(
        here.is_some_and(|at| at.contains("tests/stall.rs:")),
        "{stalled}"
    );
}

#[test]
fn a_main_future_that_blocks_in_a_call_is_seen_through_the_library() {
    let runtime = runtime("asleep");
    runtime.block_on(async {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            sleeps_in_a_call();
            let seen = stall::recent().into_iter().find(|stall| {
                stall.runtime == "asleep"
                    && stall.thread == Some('S')
                    && names(stall).iter().any(|name| name.contains("sleep"))
            });
            if let Some(stall) = seen {
                place(&stall, "sleeps_in_a_call");
                assert!(
                    stall.to_string().contains("it sleeps in a system call"),
                    "{stall}"
                );
                return;
            }
            task::yield_now().await;
        }
        panic!("the watchdog has not seen it: {:?}", stall::recent());
    });
}

#[test]
fn what_yields_is_not_reported() {
    runtime("polite").block_on(async {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(300) {
            task::maybe_yield().await;
        }
    });
    let reported = stall::recent()
        .into_iter()
        .find(|stall| stall.runtime == "polite" && stall.thread != Some('R'));
    assert!(reported.is_none(), "{reported:?}");
}
