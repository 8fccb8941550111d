//! The breaker step by step; its model and the retry budget's are apart.

mod interleaved;
mod model;
mod retries;

use std::time::Duration;

use super::*;

const MS: u64 = 1_000_000;

/// Opens at two failures of four calls, for 10 ms; two probes.
fn options() -> BreakerOptions {
    BreakerOptions {
        window_calls: 8,
        window: Duration::from_millis(100),
        minimum_calls: 4,
        failure_percent: 50,
        open_for: Duration::from_millis(10),
        probes: 2,
    }
}

/// A breaker that opened at 0.
fn opened() -> Breaker {
    let mut breaker = Breaker::new(options()).unwrap();
    calls(&mut breaker, "-+-+", 0);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

/// Calls one after the other: `+` succeeds, `-` fails, `/` is ignored.
fn calls(breaker: &mut Breaker, outcomes: &str, now_ns: u64) {
    for outcome in outcomes.chars() {
        let permit = breaker.allow(now_ns).unwrap();
        let outcome = match outcome {
            '+' => Outcome::Success,
            '-' => Outcome::Failure,
            _ => Outcome::Ignored,
        };
        breaker.record(permit, outcome, now_ns);
    }
}

#[test]
fn it_opens_at_the_share_of_failures_and_not_before() {
    use BreakerState::{Closed, Open};
    let rows = [
        ("---", Closed),
        ("---+", Open),
        ("++--", Open),
        ("++-+++-", Closed),
        ("++++++++---", Closed),
        ("++++++++----", Open),
        ("//////---", Closed),
    ];
    for (outcomes, state) in rows {
        let mut breaker = Breaker::new(options()).unwrap();
        calls(&mut breaker, outcomes, 0);
        assert_eq!(breaker.state(), state, "{outcomes}");
    }
}

#[test]
fn old_calls_are_forgotten() {
    let mut breaker = Breaker::new(options()).unwrap();
    calls(&mut breaker, "---", 0);
    calls(&mut breaker, "+++-", 100 * MS);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn open_refuses_and_says_for_how_long() {
    let mut breaker = opened();
    let refused = breaker.allow(3 * MS).unwrap_err();
    let open = Open {
        retry_after_ns: 7 * MS,
        reason: OpenReason::Failing,
    };
    assert_eq!(refused, open);
    assert!(
        refused
            .to_string()
            .ends_with("try again in 7 ms at the earliest")
    );
    assert_eq!(breaker.stats().refused_failing, 1);
}

#[test]
fn all_probes_must_succeed() {
    use BreakerState::{Closed, HalfOpen, Open};
    let rows = [
        ("+", HalfOpen),
        ("++", Closed),
        ("+-", Open),
        ("-", Open),
        ("////", HalfOpen),
        ("//+/+", Closed),
    ];
    for (outcomes, state) in rows {
        let mut breaker = opened();
        calls(&mut breaker, outcomes, 10 * MS);
        assert_eq!(breaker.state(), state, "{outcomes}");
    }
}

#[test]
fn probes_are_bounded_and_a_closed_breaker_begins_anew() {
    let mut breaker = opened();
    let probes = [0, 1].map(|_| breaker.allow(10 * MS).unwrap());
    let refused = breaker.allow(12 * MS).unwrap_err();
    let probing = Open {
        retry_after_ns: 8 * MS,
        reason: OpenReason::Probing,
    };
    assert_eq!(refused, probing);
    assert_eq!(breaker.stats().refused_probing, 1);
    for probe in probes {
        breaker.record(probe, Outcome::Success, 13 * MS);
    }
    calls(&mut breaker, "---", 13 * MS);
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!((breaker.stats().opened, breaker.stats().closed), (1, 1));
}

#[test]
fn probes_that_never_return_open_it_again() {
    let mut breaker = opened();
    let hung = [0, 1].map(|_| breaker.allow(10 * MS).unwrap());
    let refused = breaker.allow(20 * MS).unwrap_err();
    assert_eq!(refused.reason, OpenReason::Failing);
    // When they return after all, they are late, and the next probes are not theirs.
    let [one, other] = hung;
    breaker.record(one, Outcome::Success, 21 * MS);
    drop(other);
    calls(&mut breaker, "+", 30 * MS);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.stats().late, 2);
}

#[test]
fn a_dropped_permit_is_a_failure() {
    let mut breaker = Breaker::new(options()).unwrap();
    for _ in 0..4 {
        drop(breaker.allow(0).unwrap());
    }
    assert!(breaker.allow(0).is_err(), "all four were dropped");
    assert_eq!((breaker.stats().dropped, breaker.stats().opened), (4, 1));

    drop(breaker.allow(10 * MS).unwrap());
    assert!(breaker.allow(10 * MS).is_err(), "the probe was dropped");
    assert_eq!((breaker.stats().dropped, breaker.stats().opened), (5, 2));
}

#[test]
fn permits_dropped_by_other_threads_are_all_counted() {
    let mut breaker = Breaker::new(BreakerOptions {
        window_calls: MAX_WINDOW_CALLS,
        minimum_calls: MAX_WINDOW_CALLS,
        ..options()
    })
    .unwrap();
    let (threads, each) = (4, 500);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let permits: Vec<Permit> = (0..each).map(|_| breaker.allow(0).unwrap()).collect();
            scope.spawn(move || drop(permits));
        }
    });
    drop(breaker.allow(0).unwrap());
    calls(&mut breaker, "+", 0);
    assert_eq!(breaker.stats().dropped, threads * each + 1);
}

#[test]
fn calls_that_outlived_a_change_say_nothing() {
    let mut breaker = Breaker::new(options()).unwrap();
    let early = breaker.allow(0).unwrap();
    calls(&mut breaker, "----", 0);
    let probe = breaker.allow(10 * MS).unwrap();
    breaker.record(early, Outcome::Failure, 10 * MS);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.stats().late, 1);
    breaker.record(probe, Outcome::Failure, 10 * MS);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn a_permit_belongs_to_its_breaker() {
    let mut one = Breaker::new(options()).unwrap();
    let mut other = Breaker::new(options()).unwrap();
    let permit = one.allow(0).unwrap();
    other.record(permit, Outcome::Success, 0);
    assert_eq!((other.stats().foreign, other.stats().succeeded), (1, 0));
    // Its own breaker never heard how it ended.
    calls(&mut one, "+", 0);
    assert_eq!(one.stats().dropped, 1);
}

#[test]
fn bad_options_are_refused_in_words() {
    let ok = options();
    let micro = Duration::from_nanos(999);
    let rows = [
        (
            BreakerOptions {
                window: micro,
                ..ok
            },
            "`window` is too short",
        ),
        (
            BreakerOptions {
                open_for: micro,
                ..ok
            },
            "`open_for` is too short",
        ),
        (
            BreakerOptions {
                window_calls: 0,
                ..ok
            },
            "`window_calls` is 0: give 1 to 65536",
        ),
        (
            BreakerOptions {
                window_calls: 65_537,
                ..ok
            },
            "`window_calls` is 65537",
        ),
        (
            BreakerOptions {
                minimum_calls: 9,
                ..ok
            },
            "holds 8 calls: give 1 to 8",
        ),
        (
            BreakerOptions {
                minimum_calls: 0,
                ..ok
            },
            "`minimum_calls` is 0",
        ),
        (
            BreakerOptions {
                failure_percent: 0,
                ..ok
            },
            "`failure_percent` is 0: give 1 to 100",
        ),
        (
            BreakerOptions {
                failure_percent: 101,
                ..ok
            },
            "`failure_percent` is 101",
        ),
        (
            BreakerOptions { probes: 0, ..ok },
            "`probes` is 0: give 1 to 1024",
        ),
        (BreakerOptions { probes: 1025, ..ok }, "`probes` is 1025"),
    ];
    for (options, words) in rows {
        let said = Breaker::new(options).unwrap_err().to_string();
        assert!(said.contains(words), "{words:?} is missing in: {said}");
    }
}
