//! Ranges against a slow model: a list of (first key, target).

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::super::{PartitionError, Partitioner, Range};

#[derive(Debug, Clone)]
enum Step {
    Split(Vec<u8>, usize),
    Merge(Vec<u8>),
    Assign(Vec<u8>, usize),
}

/// Few keys, so that steps meet each other.
fn any_key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(b'a'..=b'c', 0..3)
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any_key(), 0usize..5).prop_map(|(at, target)| Step::Split(at, target)),
        any_key().prop_map(Step::Merge),
        (any_key(), 0usize..5).prop_map(|(at, target)| Step::Assign(at, target)),
    ]
}

fn any_bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        Just(Bound::Unbounded),
        any_key().prop_map(Bound::Included),
        any_key().prop_map(Bound::Excluded),
    ]
}

/// What a step does to the model, or nothing if it must be refused.
fn apply(model: &mut BTreeMap<Vec<u8>, usize>, step: &Step, targets: usize) -> bool {
    match step {
        Step::Split(at, target) if *target < targets && !model.contains_key(at) => {
            model.insert(at.clone(), *target);
            true
        }
        Step::Merge(at) => !at.is_empty() && model.remove(at).is_some(),
        Step::Assign(at, target) if *target < targets => match model.get_mut(at) {
            Some(owner) => {
                *owner = *target;
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn run(range: &mut Range, step: &Step) -> Result<(), PartitionError> {
    match step {
        Step::Split(at, target) => range.split(at, *target),
        Step::Merge(at) => range.merge(at),
        Step::Assign(at, target) => range.assign(at, *target),
    }
}

proptest! {
    #[test]
    fn steps_do_what_they_say(
        steps in prop::collection::vec(any_step(), 0..30),
        keys in prop::collection::vec(any_key(), 20),
        bounds in (any_bound(), any_bound()),
    ) {
        let mut range = Range::new(&["b", "c"]).unwrap();
        let firsts = [(vec![], 0), (b"b".to_vec(), 1), (b"c".to_vec(), 2)];
        let mut model = BTreeMap::from(firsts);
        for step in &steps {
            let before = range.clone();
            let done = apply(&mut model, step, 3);
            prop_assert_eq!(run(&mut range, step).is_ok(), done, "{:?}", step);
            prop_assert!(done || range == before, "a refused step changes nothing");
        }
        let listed = range.ranges().map(|range| (range.start.to_vec(), range.target));
        prop_assert_eq!(listed.collect::<BTreeMap<_, _>>(), model.clone());
        for key in &keys {
            let below = model.range::<Vec<u8>, _>((Bound::Unbounded, Bound::Included(key)));
            prop_assert_eq!(range.place(key), *below.last().unwrap().1);
        }
        covers(&range, &keys, bounds);
    }

    #[test]
    fn key_order_is_range_order(mut boundaries in prop::collection::btree_set("[a-z]{1,3}", 0..20), a: Vec<u8>, b: Vec<u8>) {
        boundaries.retain(|boundary| !boundary.is_empty());
        let boundaries: Vec<String> = boundaries.into_iter().collect();
        let range = Range::new(&boundaries).unwrap();
        prop_assert_eq!(range.targets(), boundaries.len() + 1);
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        prop_assert!(range.place(&low) <= range.place(&high));
    }
}

/// Every key within the bounds lies in a covering range; the ranges follow each other; none is without use.
fn covers(range: &Range, keys: &[Vec<u8>], (from, to): (Bound<Vec<u8>>, Bound<Vec<u8>>)) {
    let (low, high) = (from.as_ref().map(|k| &k[..]), to.as_ref().map(|k| &k[..]));
    let covering: Vec<_> = range.covering(low, high).collect();
    for two in covering.windows(2) {
        assert_eq!(two[0].end, Some(two[1].start));
    }
    let within = |key: &[u8]| {
        let above = match low {
            Bound::Included(low) => key >= low,
            Bound::Excluded(low) => key > low,
            Bound::Unbounded => true,
        };
        let below = match high {
            Bound::Included(high) => key <= high,
            Bound::Excluded(high) => key < high,
            Bound::Unbounded => true,
        };
        above && below
    };
    for key in keys.iter().filter(|key| within(key)) {
        let holds = |start: &[u8], end: Option<&[u8]>| {
            start <= &key[..] && end.is_none_or(|end| &key[..] < end)
        };
        assert!(covering.iter().any(|one| holds(one.start, one.end)));
    }
    // The first range holds the lower bound; the others are there for a key of their own.
    let mut others = covering.iter().skip(1);
    assert!(others.all(|one| within(one.start)), "a range too much");
}

#[test]
fn a_grown_range_keeps_its_keys_until_it_is_split() {
    let range = Range::new(&["m"]).unwrap();
    let grown = range.resized(4).unwrap();
    assert_eq!(
        (grown.targets(), grown.place(b"a"), grown.place(b"z")),
        (4, 0, 1)
    );
}
