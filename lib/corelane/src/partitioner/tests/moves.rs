//! Consistent placements: shares as due, and few keys that move when targets come and go.

use proptest::prelude::*;

use super::super::{Member, PartitionError, Partitioner, Rendezvous, Ring, VIRTUAL_NODES};
use super::{balance, count, keys};

const KEYS: usize = 4000;

type Build = fn(&[Member]) -> Result<Box<dyn Partitioner>, PartitionError>;

/// The two consistent ones, and how far a share may lie from what is due.
const CONSISTENT: [(Build, f64); 2] = [(ring, 0.3), (rendezvous, 0.2)];

fn ring(members: &[Member]) -> Result<Box<dyn Partitioner>, PartitionError> {
    Ok(Box::new(Ring::of(members, VIRTUAL_NODES)?))
}

fn rendezvous(members: &[Member]) -> Result<Box<dyn Partitioner>, PartitionError> {
    Ok(Box::new(Rendezvous::of(members)?))
}

#[test]
fn equal_members_have_equal_shares() {
    for targets in [1, 2, 3, 8, 24] {
        for (build, off) in CONSISTENT {
            let members: Vec<Member> = (0..targets).map(Member::new).collect();
            let placement = build(&members).unwrap();
            let (least, most) = balance(&*placement, 1000 * members.len());
            assert!(
                least > 1.0 - off && most < 1.0 + off,
                "{} on {targets}: {least:.2}..{most:.2}",
                placement.name()
            );
        }
    }
}

#[test]
fn weights_are_shares() {
    let weights = (100..).zip([1, 2, 5, 2]);
    let members = weights.map(|(id, weight)| Member { id, weight });
    let members: Vec<Member> = members.collect();
    for (build, off) in CONSISTENT {
        let placement = build(&members).unwrap();
        for (member, count) in members.iter().zip(count(&*placement, 20_000)) {
            let due = 2000.0 * f64::from(member.weight);
            let share = count as f64 / due;
            assert!((share - 1.0).abs() < off, "{member:?}: {share:.2}");
        }
    }
}

#[test]
fn only_the_newcomer_gets_keys_and_only_its_share() {
    for targets in [1, 2, 5, 16, 40] {
        for (build, off) in CONSISTENT {
            let members: Vec<Member> = (0..targets).map(Member::new).collect();
            let before = build(&members).unwrap();
            let after = before.resized(members.len() + 1).unwrap();
            let moved = keys(KEYS * 4).filter(|key| before.place(key) != after.place(key));
            let to: Vec<usize> = moved.map(|key| after.place(&key)).collect();
            assert!(to.iter().all(|to| *to == members.len()), "{targets}");
            let share = to.len() as f64 * (targets + 1) as f64 / (KEYS * 4) as f64;
            let name = after.name();
            assert!((share - 1.0).abs() < off, "{name} on {targets}: {share:.2}");
        }
    }
}

#[test]
fn the_order_of_members_is_only_their_numbering() {
    let members = [9, 4, 7, 1].map(|id| Member::new(id).weighing(2));
    let reversed = [1, 7, 4, 9].map(|id| Member::new(id).weighing(2));
    for (build, _) in CONSISTENT {
        let (one, other) = (build(&members).unwrap(), build(&reversed).unwrap());
        for key in keys(KEYS) {
            assert_eq!(one.place(&key), 3 - other.place(&key));
        }
    }
}

fn any_members() -> impl Strategy<Value = Vec<Member>> {
    let weights = prop::collection::btree_map(0u64..1000, 1u32..8, 2..12);
    let weights = weights.prop_map(|weights| {
        let members = weights.into_iter();
        members
            .map(|(id, weight)| Member { id, weight })
            .collect::<Vec<_>>()
    });
    // All equal is a path of its own.
    prop_oneof![
        weights.clone(),
        weights.prop_map(|members| members.iter().map(|one| one.weighing(1)).collect())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_member_that_leaves_moves_its_own_keys_alone(members in any_members(), leaver: prop::sample::Index) {
        let leaver = leaver.index(members.len());
        let mut rest = members.clone();
        rest.remove(leaver);
        for (build, _) in CONSISTENT {
            let (before, after) = (build(&members).unwrap(), build(&rest).unwrap());
            for key in keys(300) {
                let (was, is) = (members[before.place(&key)], rest[after.place(&key)]);
                prop_assert!(was == is || was == members[leaver]);
            }
        }
    }

    #[test]
    fn a_weight_that_rises_takes_keys_and_gives_none(members in any_members(), riser: prop::sample::Index) {
        let riser = riser.index(members.len());
        let mut risen = members.clone();
        risen[riser].weight += 3;
        for (build, _) in CONSISTENT {
            let (before, after) = (build(&members).unwrap(), build(&risen).unwrap());
            for key in keys(300) {
                prop_assert!(after.place(&key) == riser || after.place(&key) == before.place(&key));
            }
        }
    }

    #[test]
    fn sizes_come_and_go_without_a_trace(members in any_members(), more in 1usize..5) {
        for (build, _) in CONSISTENT {
            let before = build(&members).unwrap();
            let there = before.resized(members.len() + more).unwrap();
            let back = there.resized(members.len()).unwrap();
            for key in keys(100) {
                prop_assert_eq!(before.place(&key), back.place(&key));
            }
        }
    }

    /// The ring against a walk over all points of all members.
    #[test]
    fn the_ring_is_a_ring(members in any_members(), virtual_nodes in 1u32..20, key: Vec<u8>) {
        let ring = Ring::of(&members, virtual_nodes).unwrap();
        let hash = crate::map::hash_v1(&key);
        let points = members.iter().enumerate().flat_map(|(index, member)| {
            (0..virtual_nodes * member.weight).map(move |replica| (member.seed(replica), index))
        });
        let nearest = points.min_by_key(|(point, _)| point.wrapping_sub(hash)).unwrap();
        prop_assert_eq!(ring.place(&key), nearest.1);
    }
}
