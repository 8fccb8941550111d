//! Resizing: even afterwards, and no plan with fewer moves.

use proptest::prelude::*;

use super::super::{Move, plan_resize};
use super::even;
use crate::{PARTITIONS, ShardId};

fn apply(owners: &[ShardId], moves: &[Move]) -> Vec<ShardId> {
    let mut owners = owners.to_vec();
    for planned in moves {
        assert_eq!(owners[planned.partition], planned.from);
        assert_ne!(planned.from, planned.to);
        owners[planned.partition] = planned.to;
    }
    owners
}

fn sizes(owners: &[ShardId], shards: usize) -> Vec<usize> {
    let mut sizes = vec![0; shards];
    owners.iter().for_each(|owner| sizes[owner.index()] += 1);
    sizes
}

fn is_even(owners: &[ShardId], shards: usize) -> bool {
    let sizes = sizes(owners, shards);
    sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1
}

#[test]
fn from_even_maps_few_move() {
    let rows = [
        (1, 2, 128),
        (2, 3, 85),
        (4, 5, 51),
        (7, 8, 32),
        (15, 16, 16),
        (255, 256, 1),
        (5, 4, 51),
        (2, 1, 128),
        (256, 255, 1),
        (4, 8, 128),
        (6, 6, 0),
        (1, 256, 255),
    ];
    for (before, after, moved) in rows {
        let moves = plan_resize(&even(PARTITIONS, before), after).unwrap();
        assert_eq!(moves.len(), moved, "{before} to {after} shards");
    }
}

#[test]
fn growing_step_by_step_moves_to_the_newcomer_alone() {
    let mut owners = even(PARTITIONS, 1);
    for shards in 2..=64 {
        let moves = plan_resize(&owners, shards).unwrap();
        assert!(moves.iter().all(|one| one.to == ShardId::at(shards - 1)));
        assert_eq!(moves.len(), PARTITIONS / shards, "to {shards} shards");
        owners = apply(&owners, &moves);
    }
}

proptest! {
    #[test]
    fn the_result_is_even_and_the_moves_are_due(
        owners in prop::collection::vec(0u16..12, 1..100),
        shards in 1usize..12,
    ) {
        let owners: Vec<ShardId> = owners.into_iter().map(ShardId::new).collect();
        prop_assume!(shards <= owners.len());
        let moves = plan_resize(&owners, shards).unwrap();
        let after = apply(&owners, &moves);
        prop_assert!(is_even(&after, shards));
        prop_assert!(plan_resize(&after, shards).unwrap().is_empty(), "and stays so");
    }

    /// Against all placements of a few partitions.
    #[test]
    fn no_even_placement_is_nearer(
        owners in prop::collection::vec(0u16..5, 1..7),
        shards in 1usize..5,
    ) {
        let owners: Vec<ShardId> = owners.into_iter().map(ShardId::new).collect();
        prop_assume!(shards <= owners.len());
        let placements = shards.pow(owners.len() as u32);
        let placement = |number: usize| -> Vec<ShardId> {
            let digits = (0..owners.len() as u32).map(|i| number / shards.pow(i) % shards);
            digits.map(ShardId::at).collect()
        };
        let even = (0..placements).map(placement).filter(|placed| is_even(placed, shards));
        let changed = even.map(|placed| placed.iter().zip(&owners).filter(|(a, b)| a != b).count());
        let moves = plan_resize(&owners, shards).unwrap();
        prop_assert_eq!(Some(moves.len()), changed.min());
    }
}
