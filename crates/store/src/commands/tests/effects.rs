//! What commands report as their effects is all that they did: applied to an empty keyspace, the effects of any
//! sequence of commands make the same keys with the same values and expiries.

use super::requests::Requests;
use crate::commands::testing::{Bench, decode};

/// Applies what `original` logged to an empty keyspace, at a time when nothing expires by itself.
fn replay(original: &Bench, seed: u64) -> Bench {
    let mut copy = Bench {
        now_ms: 0,
        ..Bench::default()
    };
    for (db, words) in &original.log {
        copy.db = *db;
        let reply = copy.run_raw(words);
        assert!(
            decode(&reply).as_error().is_none(),
            "seed {seed}: {}",
            reply.escape_ascii()
        );
    }
    copy
}

#[test]
fn effects_reproduce_the_keyspace_and_themselves() {
    for seed in 0..150 {
        let mut requests = Requests::new(seed);
        let mut bench = Bench::default();
        for _ in 0..200 {
            let words = requests.next();
            if words[0].eq_ignore_ascii_case(b"SELECT") {
                bench.db = requests.below(16) as u16;
                continue;
            }
            if requests.one_in(20) {
                let magnitude = requests.below(40);
                bench.now_ms += requests.below(1 << magnitude);
            }
            bench.run_raw(&words);
        }
        let copy = replay(&bench, seed);
        assert_eq!(copy.dump(), bench.dump(), "seed {seed}");
        // Canonical: an effect's effect is itself.
        assert_eq!(copy.log, bench.log, "seed {seed}");
    }
}

#[test]
fn what_changes_nothing_reports_nothing() {
    for seed in 0..30 {
        let mut requests = Requests::new(seed);
        let mut bench = Bench::default();
        for _ in 0..200 {
            let words = requests.next();
            if words[0].eq_ignore_ascii_case(b"SELECT") {
                continue;
            }
            let (before, logged) = (bench.dump(), bench.log.len());
            bench.run_raw(&words);
            let reported = bench.log.len() > logged;
            if bench.dump() != before {
                assert!(reported, "seed {seed}: {words:?} is not reported");
            }
        }
    }
}
