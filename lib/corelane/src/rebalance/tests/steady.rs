//! Load steps of all kinds: overload is relieved in time, moves are few, and they end.

use proptest::prelude::*;

use super::super::RebalanceOptions;
use super::even;
use super::simulated::Node;
use crate::ShardId;

const PARTITIONS: usize = 256;

/// A number that looks like chance and depends on its arguments alone.
fn noise(round: usize, partition: usize) -> u64 {
    crate::map::mix(((round as u64) << 32) + partition as u64 + 1)
}

#[test]
fn an_even_load_with_noise_moves_nothing() {
    for shards in [1, 2, 5, 16, 64] {
        let mut node = Node::new(PARTITIONS, shards);
        node.run(300, |round, partition| 500 + noise(round, partition) % 1000);
        assert_eq!(node.moves, [], "{shards} shards");
    }
}

#[test]
fn an_idle_node_is_left_alone() {
    let mut node = Node::new(PARTITIONS, 4);
    node.run(100, |_, partition| u64::from(partition < 8) * 100);
    assert_eq!((node.moves.len(), node.stats().idle_rounds), (0, 100));
}

#[test]
fn a_partition_that_cannot_be_split_stays_and_the_others_leave_it() {
    for hot in [0, 100, 255] {
        let mut node = Node::new(PARTITIONS, 4);
        let load = |_, partition| if partition == hot { 256_000 } else { 1000 };
        let home = node.owners[hot];
        node.run(200, load);
        assert!(node.moves.iter().all(|(_, one)| one.partition != hot));
        assert!(node.moves.iter().all(|(_, one)| one.from == home));
        // Half of all the load is one partition; a shard of four cannot have less than twice the mean.
        let peak = node.peaks[199];
        assert!((2.0..2.01).contains(&peak), "{peak}");
        // Each of the others moved at most once, and then nothing.
        assert!(node.moves.len() <= 63, "{}", node.moves.len());
        assert_eq!(node.moves_in(50..200), 0);
        assert!(node.stats().without_gain > 0);
    }
}

#[test]
fn two_hot_partitions_part() {
    let mut node = Node::new(PARTITIONS, 4);
    node.run(60, |_, partition| if partition < 2 { 100_000 } else { 100 });
    assert_ne!(node.owners[0], node.owners[1]);
    let hot = node.moves.iter().filter(|(_, one)| one.partition < 2);
    assert_eq!(hot.count(), 1);
    assert_eq!(node.moves_in(40..60), 0);
}

#[test]
fn a_hot_spot_that_shifts_is_followed_with_few_moves() {
    const STAY: usize = 100;
    for delay_rounds in [0, 4] {
        let mut node = Node::new(PARTITIONS, 4).slow(delay_rounds);
        let is_hot = |round: usize, partition: usize| partition / 16 == round / STAY * 5 % 16;
        node.run(STAY * 6, |round, partition| {
            let noise = noise(round, partition) % 200;
            noise + if is_hot(round, partition) { 6000 } else { 400 }
        });
        for step in 0..6 {
            let (begin, end) = (step * STAY, (step + 1) * STAY);
            let peak = |from: usize| node.peaks[from..end].iter().copied().fold(0.0, f64::max);
            assert!(node.peaks[begin] > 2.2, "step {step} is one");
            let soon = peak(begin + 15 + delay_rounds);
            assert!(soon < 1.45, "step {step}, soon: {soon:.2}");
            let later = peak(begin + 80);
            assert!(later < 1.15, "step {step}, later: {later:.2}");
            assert!(node.moves_in(begin..end) <= 12, "step {step}");
            assert_eq!(
                node.moves_in(begin + 80..end),
                0,
                "step {step} came to rest"
            );
        }
    }
}

#[test]
fn a_zipf_load_is_spread_and_then_left_alone() {
    for shards in [2, 4, 8, 16] {
        let mut node = Node::new(PARTITIONS, shards);
        let load = |partition: usize| 1_000_000 / (partition as u64 + 1);
        node.run(200, |_, partition| load(partition));
        let total: u64 = (0..PARTITIONS).map(load).sum();
        let heaviest = load(0) as f64 * shards as f64 / total as f64;
        let (peak, moves) = (node.peaks[199], node.moves.len());
        // Nothing is left on the shard of the heaviest partition that would be worth a move.
        assert!(
            peak <= f64::max(heaviest * 1.01, 1.1),
            "{shards}: {peak:.2} for {heaviest:.2}"
        );
        assert!(moves <= 40, "{moves} moves on {shards} shards");
        assert_eq!(node.moves_in(20..200), 0, "{shards} shards");
    }
}

/// Two halves of a node that are hot by turns: swings that are short are left alone, and long ones
/// are answered by mixing the halves, once.
#[test]
fn a_load_that_swings_is_not_chased() {
    for (half_period, most) in [
        (1, 0),
        (2, 0),
        (3, 10),
        (5, 20),
        (10, 90),
        (30, 90),
        (100, 90),
    ] {
        let mut node = Node::new(PARTITIONS, 2);
        let is_hot = |round: usize, partition: usize| round / half_period % 2 == partition / 128;
        let load = |hot: bool| if hot { 1000 } else { 300 };
        node.run(600, |round, partition| load(is_hot(round, partition)));
        let moves = node.moves.len();
        assert!(moves <= most, "{moves} at half a period of {half_period}");
        assert_eq!(node.moves_in(200..600), 0, "half a period of {half_period}");
    }
}

/// Two partitions, each too hot for any shard, take turns, at every rhythm there is: the averages, the
/// patience and the cool-down all have one of their own, and where they meet it (16 and 17 rounds) nothing may go
/// on for long.
#[test]
fn single_partitions_that_swing_do_not_stir_the_others() {
    for half_period in (1..=24).chain([30, 50, 100]) {
        let mut node = Node::new(PARTITIONS, 4);
        let hot = |round: usize| [3, 130][round / half_period % 2];
        let load = |is_hot: bool| if is_hot { 120_000 } else { 1000 };
        node.run(600, |round, partition| load(hot(round) == partition));
        let times = |of: usize| {
            node.moves
                .iter()
                .filter(|(_, one)| one.partition == of)
                .count()
        };
        assert!(times(3) + times(130) <= 2, "half a period of {half_period}");
        let most = (0..PARTITIONS).map(times).max().unwrap();
        assert!(most <= 5, "{most} times at half a period of {half_period}");
        assert!(
            node.moves.len() <= PARTITIONS,
            "{} at {half_period}",
            node.moves.len()
        );
        assert_eq!(node.moves_in(300..600), 0, "half a period of {half_period}");
    }
}

/// Whatever the load does, a partition that moves again and again does so ever more rarely.
#[test]
fn whoever_keeps_moving_keeps_longer_still() {
    let options = RebalanceOptions {
        sample_percent: 100,
        patience_rounds: 1,
        cooldown_rounds: 1,
        ..RebalanceOptions::default()
    };
    // Wherever the first partition goes, the others there get twice as busy as those elsewhere.
    let mut node = Node::with(options, even(8, 2), 2);
    for _ in 0..2000 {
        let owners = node.owners.clone();
        let load = |partition: usize| {
            let others = owners[1..].iter().filter(|one| **one == owners[partition]);
            let busy = if owners[partition] == owners[0] {
                4000
            } else {
                2000
            };
            if partition == 0 {
                2000
            } else {
                busy / others.count() as u64
            }
        };
        node.run(1, |_, partition| load(partition));
    }
    let (moves, most) = (node.moves.len(), 8 * (6 + 2000 / 64));
    assert!((20..most).contains(&moves), "{moves}");
}

#[test]
fn moves_that_do_not_take_place_are_not_piled_up() {
    let hot = |_: usize, partition: usize| if partition < 8 { 20_000 } else { 500 };
    let mut stuck = Node::new(PARTITIONS, 4).slow(1000);
    stuck.run(13, hot);
    let mut swift = Node::new(PARTITIONS, 4);
    swift.run(13, hot);
    assert_eq!(
        stuck.moves, swift.moves,
        "planned once, whatever becomes of it"
    );
}

fn any_loads() -> impl Strategy<Value = (usize, Vec<u64>, Vec<usize>)> {
    (2usize..9, 8usize..120).prop_flat_map(|(shards, partitions)| {
        let load = prop_oneof![8 => 0u64..2000, 1 => 0u64..40_000];
        let loads = prop::collection::vec(load, partitions);
        let owners = prop::collection::vec(0..shards, partitions);
        (Just(shards), loads, owners)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Under a steady load every move brings two shards closer together, moves end, and what is left is what
    /// cannot be helped by moving any partition to the idlest shard.
    #[test]
    fn a_steady_load_comes_to_rest((shards, loads, owners) in any_loads()) {
        let owners: Vec<ShardId> = owners.into_iter().map(ShardId::at).collect();
        let options = RebalanceOptions { min_shard_load: 0, ..RebalanceOptions::default() };
        let mut node = Node::with(options, owners.clone(), shards);
        node.run(250, |_, partition| loads[partition]);
        prop_assert_eq!(node.moves_in(120..250), 0);
        prop_assert!(node.moves.len() <= loads.len());

        let mut sums = vec![0; shards];
        owners.iter().zip(&loads).for_each(|(owner, load)| sums[owner.index()] += load);
        let mean = sums.iter().sum::<u64>() as f64 / shards as f64;
        for (_, one) in &node.moves {
            let before = sums[one.from.index()].max(sums[one.to.index()]);
            sums[one.from.index()] -= loads[one.partition];
            sums[one.to.index()] += loads[one.partition];
            prop_assert!(sums[one.from.index()].max(sums[one.to.index()]) < before);
        }
        let idlest = *sums.iter().min().unwrap();
        for (partition, load) in loads.iter().enumerate() {
            let home = sums[node.owners[partition].index()];
            let average = mean * shards as f64 / loads.len() as f64;
            let gain = home.saturating_sub((home - load).max(idlest + load)) as f64;
            let overloaded = home as f64 > mean * 1.3 && *load as f64 <= mean * 1.3;
            prop_assert!(!overloaded || gain <= average * 0.1 + 1.0, "{partition} should go");
        }
    }

    /// Under chance: however loads jump, moves stay few.
    #[test]
    fn noise_is_not_chased(seed: u32, shards in 2usize..9) {
        let mut node = Node::new(PARTITIONS, shards);
        node.run(300, |round, partition| {
            200 + noise(round ^ seed as usize, partition) % 2000
        });
        prop_assert_eq!(node.moves.len(), 0);
    }
}
