//! A table against a map, through growth, splits and shrinking.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::entry::Payload;
use crate::keyspace::{Counts, Hasher};

const SEED: u64 = 7;

struct Bench {
    table: Table,
    counts: Counts,
    hasher: Hasher,
}

impl Bench {
    fn new() -> Self {
        Self {
            table: Table::default(),
            counts: Counts::default(),
            hasher: Hasher::new(SEED),
        }
    }

    fn insert(&mut self, name: &[u8]) {
        let hasher = Hasher::new(SEED);
        self.insert_hashed(name, &|name| hasher.hash(name));
    }

    fn insert_hashed(&mut self, name: &[u8], rehash: Rehash<'_>) {
        let hash = rehash(name);
        let word = Word::new(hash.fragment(), name, Payload::Bytes(name), None);
        self.table.insert(hash, word, rehash, &mut self.counts);
    }

    fn remove(&mut self, name: &[u8]) -> bool {
        self.table
            .remove(self.hasher.hash(name), name, &mut self.counts)
            .is_some()
    }

    fn has(&self, name: &[u8]) -> bool {
        self.table
            .peek(self.hasher.hash(name), name)
            .is_some_and(|w| w.entry().key() == name)
    }

    fn walk(
        &self,
        mut at: Option<Position>,
        steps: usize,
        seen: &mut Vec<Vec<u8>>,
    ) -> Option<Position> {
        for _ in 0..steps {
            at = self
                .table
                .visit(at?, &mut |word| seen.push(word.entry().key().to_vec()));
        }
        at
    }
}

fn name(i: u32) -> Vec<u8> {
    format!("key:{i}").into_bytes()
}

#[test]
fn a_table_holds_what_was_put_into_it() {
    let mut bench = Bench::new();
    let mut model = HashSet::new();
    let mut rng = fastrand::Rng::with_seed(1);
    for round in 0..200_000u32 {
        let i = rng.u32(..20_000);
        let growing = (round / 50_000) % 2 == 0;
        if model.contains(&i) {
            if !growing || rng.u8(..8) == 0 {
                assert!(bench.remove(&name(i)));
                model.remove(&i);
            }
        } else if growing || rng.u8(..8) == 0 {
            assert!(!bench.has(&name(i)));
            bench.insert(&name(i));
            model.insert(i);
        }
    }
    assert_eq!(bench.table.len() as usize, model.len());
    assert_eq!(bench.counts.keys as usize, model.len());
    for i in 0..20_000 {
        assert_eq!(bench.has(&name(i)), model.contains(&i), "{i}");
    }
    assert_eq!(
        bench.counts.table_bytes,
        bench.table.root.bytes(),
        "every byte is counted"
    );
    for i in model {
        assert!(bench.remove(&name(i)));
    }
    assert_eq!(
        bench.counts,
        Counts::default(),
        "an empty table takes nothing"
    );
}

#[test]
fn a_walk_meets_all_keys_that_stay() {
    #[track_caller]
    fn check(before: u32, seed: u64, mut change: impl FnMut(&mut Bench, &mut fastrand::Rng)) {
        let mut bench = Bench::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..before).for_each(|i| bench.insert(&name(i)));
        let (mut at, mut seen) = (Some(Position::default()), Vec::new());
        while at.is_some() {
            at = bench.walk(at, 1, &mut seen);
            if bench.table.len() == 0 {
                break;
            }
            change(&mut bench, &mut rng);
        }
        let seen: HashSet<_> = seen.into_iter().collect();
        let missed = (0..before)
            .filter(|i| i % 4 == 0 && !seen.contains(&name(*i)))
            .count();
        assert_eq!(missed, 0, "of {before} keys, seed {seed}");
    }
    for seed in 0..4 {
        for before in [1, 6, 50, 390, 1000, 20_000] {
            let mut next = before;
            // Growing tenfold while the walk is on.
            check(before, seed, |bench, rng| {
                for _ in 0..rng.u32(..200) {
                    if next < before * 10 {
                        bench.insert(&name(next));
                        next += 1;
                    }
                }
            });
            // Losing three keys in four.
            let mut next = 0;
            check(before, seed, |bench, rng| {
                for _ in 0..rng.u32(..40) {
                    if next < before && next % 4 != 0 {
                        bench.remove(&name(next));
                    }
                    next += 1;
                }
            });
            // Growing and shrinking by turns.
            let (mut from, mut to) = (before, before);
            check(before, seed, |bench, rng| {
                if rng.bool() && to < before * 4 {
                    (0..300).for_each(|i| bench.insert(&name(to + i)));
                    to += 300;
                } else {
                    let end = (from + 300).min(to);
                    (from..end).for_each(|i| assert!(bench.remove(&name(i))));
                    from = end;
                }
            });
        }
    }
}

#[test]
fn a_walk_over_a_still_table_meets_each_key_once() {
    for keys in [0, 1, 7, 100, 392, 393, 5000] {
        let mut bench = Bench::new();
        (0..keys).for_each(|i| bench.insert(&name(i)));
        let mut seen = Vec::new();
        assert!(
            bench
                .walk(Some(Position::default()), usize::MAX, &mut seen)
                .is_none()
        );
        assert_eq!(seen.len(), keys as usize);
        assert_eq!(
            seen.into_iter().collect::<HashSet<_>>().len(),
            keys as usize
        );
    }
}

#[test]
fn one_insert_moves_one_segment_at_most() {
    let mut bench = Bench::new();
    for i in 0..50_000 {
        bench.insert(&name(i));
    }
    let mut position = Some(Position::default());
    let mut largest = 0;
    while let Some(at) = position {
        let (segment, end) = bench.table.root.segment_at(at.prefix);
        largest = largest.max(segment.len());
        position = (end < 1 << PREFIX_BITS).then_some(Position {
            prefix: end,
            fragment: 0,
        });
    }
    assert!(largest <= segment::MAX_ENTRIES, "{largest}");
    assert!(
        largest > segment::MAX_ENTRIES / 2,
        "segments are used: {largest}"
    );
}

#[test]
fn keys_of_one_hash_are_all_kept() {
    let mut bench = Bench::new();
    let hash = Hash(0x1234_5678_9abc_def0);
    for i in 0..2_000 {
        bench.insert_hashed(&name(i), &|_| hash);
    }
    for i in 0..2_000 {
        let found = bench.table.peek(hash, &name(i));
        assert_eq!(found.map(|w| w.entry().key().to_vec()), Some(name(i)));
    }
    assert_eq!(bench.counts.table_bytes, bench.table.root.bytes());
    for i in 0..2_000 {
        assert!(
            bench
                .table
                .remove(hash, &name(i), &mut bench.counts)
                .is_some()
        );
    }
    assert_eq!(bench.counts, Counts::default());
}

#[test]
fn random_keys_are_spread_evenly() {
    for keys in [1, 5, 300, 2_000] {
        let mut bench = Bench::new();
        (0..keys).for_each(|i| bench.insert(&name(i)));
        let mut rng = fastrand::Rng::with_seed(5);
        let mut hits: HashMap<Vec<u8>, u32> = HashMap::new();
        for _ in 0..keys * 100 {
            let word = bench.table.random(&mut rng).expect("there are keys");
            *hits.entry(word.entry().key().to_vec()).or_default() += 1;
        }
        assert_eq!(
            hits.len(),
            keys as usize,
            "each key comes up in 100 tries per key"
        );
        let most = hits.values().max().copied().unwrap_or_default();
        assert!(
            most <= 250,
            "one of {keys} keys came up {most} times for 100 expected"
        );
    }
}

#[test]
fn few_keys_in_a_huge_empty_table_are_found() {
    let mut bench = Bench::new();
    (0..50_000).for_each(|i| bench.insert(&name(i)));
    (1..50_000).for_each(|i| assert!(bench.remove(&name(i))));
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..10 {
        let word = bench.table.random(&mut rng).expect("one key is left");
        assert_eq!(word.entry().key(), name(0));
    }
    assert!(
        bench.counts.table_bytes < 10_000,
        "{}",
        bench.counts.table_bytes
    );
}

#[test]
fn expired_keys_are_taken_out() {
    let mut bench = Bench::new();
    for i in 0..3_000u32 {
        let name = name(i);
        let hash = bench.hasher.hash(&name);
        let at_ms = (i % 3 != 0).then_some(u64::from(i));
        let word = Word::new(hash.fragment(), &name, Payload::Int(0), at_ms);
        let rehash = |name: &[u8]| bench.hasher.hash(name);
        bench.table.insert(hash, word, &rehash, &mut bench.counts);
    }
    assert_eq!(bench.counts.volatile, 2_000);
    let (mut at, mut examined, mut removed) = (Some(Position::default()), 0, HashSet::new());
    while let Some(here) = at {
        at = bench
            .table
            .expire(here, 1_500, &mut examined, &mut bench.counts, |word| {
                removed.insert(word.entry().key().to_vec());
            });
    }
    let due: HashSet<_> = (0..=1_500).filter(|i| i % 3 != 0).map(name).collect();
    assert_eq!(removed, due);
    assert!((2_000..2_400).contains(&examined), "{examined}");
    assert_eq!(bench.counts.keys as usize, 3_000 - due.len());
    assert_eq!(bench.counts.volatile as usize, 2_000 - due.len());
    assert!((0..3_000).all(|i| bench.has(&name(i)) != due.contains(&name(i))));
}

#[test]
fn a_table_is_freed_in_slices() {
    let mut bench = Bench::new();
    (0..20_000).for_each(|i| bench.insert(&name(i)));
    let (mut entries, mut bytes) = (0, 0);
    while let Some((some, freed)) = bench.table.dismantle() {
        assert!(some <= segment::MAX_ENTRIES);
        entries += some;
        bytes += freed;
    }
    assert_eq!(entries, 20_000);
    assert!(bytes <= bench.counts.bytes());
    assert!(
        bytes > bench.counts.bytes() * 95 / 100,
        "only directories are left"
    );
}
