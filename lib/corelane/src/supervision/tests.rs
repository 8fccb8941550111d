//! The supervisor, step by step and against a slow model.

mod model;

use std::time::Duration;

use super::*;

const MS: u64 = 1_000_000;

fn options(strategy: Strategy, max_restarts: u32) -> Supervision {
    let [base, cap] = [10, 100].map(Duration::from_millis);
    Supervision {
        strategy,
        max_restarts,
        window: Duration::from_secs(1),
        backoff: Backoff::new(base, cap).unwrap().jittered(Jitter::None),
    }
}

fn supervisor(strategy: Strategy, max_restarts: u32, children: usize) -> Supervisor {
    Supervisor::new(options(strategy, max_restarts), children).unwrap()
}

fn restart(who: std::ops::Range<usize>, after_ms: u64) -> Verdict {
    let after_ns = after_ms * MS;
    Verdict::Restart { who, after_ns }
}

#[test]
fn strategies_name_whom_a_failure_concerns() {
    use Strategy::{OneForAll, OneForOne, RestForOne};
    let rows = [
        (OneForOne, 0, 3, 0..1),
        (OneForOne, 2, 3, 2..3),
        (OneForAll, 2, 3, 0..3),
        (RestForOne, 0, 3, 0..3),
        (RestForOne, 1, 3, 1..3),
        (RestForOne, 2, 3, 2..3),
        (OneForAll, 3, 3, 0..0),
        (RestForOne, 0, 0, 0..0),
    ];
    for (strategy, failed, children, affected) in rows {
        let said = strategy.affected(failed, children);
        assert_eq!(said, affected, "{strategy:?} {failed}/{children}");
    }
}

#[test]
fn delays_grow_until_a_success_and_per_child() {
    let mut supervisor = supervisor(Strategy::OneForOne, 100, 2);
    for after_ms in [10, 20, 40, 80, 100, 100] {
        assert_eq!(supervisor.on_failure(0, 0, 0), restart(0..1, after_ms));
        supervisor.on_start(0);
    }
    assert_eq!(supervisor.on_failure(1, 0, 0), restart(1..2, 10));
    supervisor.on_success(0);
    assert_eq!(supervisor.on_failure(0, 0, 0), restart(0..1, 10));
}

#[test]
fn who_falls_together_is_restarted_once() {
    let mut supervisor = supervisor(Strategy::OneForAll, 100, 3);
    assert_eq!(supervisor.on_failure(1, 0, 0), restart(0..3, 10));
    // The panic that took child 1 took child 2 as well; its report comes after the order.
    assert_eq!(supervisor.on_failure(2, 5, 0), Verdict::Waiting);
    supervisor.on_start(2);
    assert_eq!(supervisor.on_failure(2, 9, 0), restart(0..3, 10));
    let stats = SupervisorStats {
        failures: 3,
        restarts: 2,
        children_restarted: 6,
        waiting: 1,
        escalations: 0,
    };
    assert_eq!(supervisor.stats(), stats);
}

#[test]
fn too_many_failures_escalate_for_good_and_say_why() {
    let mut supervisor = supervisor(Strategy::OneForOne, 2, 3);
    for child in [0, 1] {
        assert_eq!(
            supervisor.on_failure(child, 0, 0),
            restart(child..child + 1, 10)
        );
    }
    assert_eq!(supervisor.restarts_left(0), 0);
    let Verdict::Escalate { reason } = supervisor.on_failure(2, 999 * MS, 0) else {
        panic!("two restarts were allowed, and this is the third");
    };
    let said = reason.to_string();
    assert!(said.contains("child 2 failed, and the 2 restarts within 1s are used up"));
    // Time heals the budget, but nobody runs any more.
    let later = supervisor.on_failure(0, 10_000 * MS, 0);
    assert_eq!(
        later,
        Verdict::Escalate {
            reason: reason.clone()
        }
    );
    assert_eq!(supervisor.escalated(), Some(&reason));
    assert_eq!(supervisor.stats().escalations, 2);
}

#[test]
fn a_child_that_is_not_there_is_no_panic() {
    let mut supervisor = supervisor(Strategy::OneForOne, 2, 1);
    supervisor.on_start(7);
    supervisor.on_success(7);
    supervisor.set_children(2).unwrap();
    assert_eq!(supervisor.on_failure(1, 0, 0), restart(1..2, 10));
    supervisor.set_children(1).unwrap();
    let Verdict::Escalate { reason } = supervisor.on_failure(1, 0, 0) else {
        panic!("the child had gone");
    };
    assert!(reason.to_string().contains("`set_children`"));
}

#[test]
fn a_child_that_comes_back_starts_afresh() {
    let mut supervisor = supervisor(Strategy::OneForOne, 9, 2);
    let _ = supervisor.on_failure(1, 0, 0);
    supervisor.set_children(1).unwrap();
    supervisor.set_children(2).unwrap();
    assert_eq!(supervisor.children(), 2);
    assert_eq!(supervisor.on_failure(1, 0, 0), restart(1..2, 10));
}

#[test]
fn bad_options_are_refused_in_words() {
    let no_window = Supervision {
        window: Duration::ZERO,
        ..Supervision::default()
    };
    let rows = [
        (no_window, 1, "give the window a length"),
        (options(Strategy::OneForOne, 5000), 1, "5000 restarts"),
        (Supervision::default(), MAX_CHILDREN + 1, "65537 children"),
    ];
    for (options, children, words) in rows {
        let error = Supervisor::new(options, children).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}
