//! SCAN's promise, and the stability of its cursors.

use std::collections::HashSet;

use super::*;

#[test]
fn a_key_that_stays_is_visited() {
    for count in [1, 10, 1000] {
        let mut space = space();
        let stays = |i: u32| format!("{{{}}}stays:{i}", i % 5).into_bytes();
        let comes = |i: u32| format!("{{{}}}comes:{i}", i % 7).into_bytes();
        (0..2000).for_each(|i| set(&mut space, 0, &stays(i), b"v"));
        let (mut cursor, mut seen, mut step) = (0, HashSet::new(), 0);
        loop {
            cursor = space.scan(0, cursor, count, 0, &mut Vec::new(), |value| {
                seen.insert(value.name().to_vec());
            });
            if cursor == 0 {
                break;
            }
            // Tables of the same slots grow and split, and later shrink, under the walk.
            for i in step * 10..step * 10 + 10 {
                if step < 300 {
                    set(&mut space, 0, &comes(i), b"v");
                } else if step < 600 {
                    let name = comes(i - 3000);
                    space.remove(0, &space.key(&name, None), 0);
                }
            }
            step += 1;
        }
        assert!((0..2000).all(|i| seen.contains(&stays(i))), "count {count}");
    }
}

#[test]
fn a_walk_visits_about_as_many_keys_as_asked_for() {
    let mut space = space();
    (0..10_000u32).for_each(|i| set(&mut space, 0, format!("key:{i}").as_bytes(), b"v"));
    let (mut cursor, mut calls) = (0, 0);
    loop {
        let mut visited = 0;
        cursor = space.scan(0, cursor, 10, 0, &mut Vec::new(), |_| visited += 1);
        calls += 1;
        assert!(visited < 10 + 14, "one bucket too many at most: {visited}");
        if cursor == 0 {
            break;
        }
        assert!(cursor < 1 << 53, "a double can carry it");
    }
    assert!((700..=1000).contains(&calls), "{calls} calls");
}

#[test]
fn an_empty_walk_ends_at_once() {
    let mut space = space();
    assert_eq!(
        space.scan(0, 0, 10, 0, &mut Vec::new(), |_| panic!("no key")),
        0
    );
    set(&mut space, 0, b"foo", b"bar");
    assert_eq!(walk(&space, 0, 10, 0), [b"foo".to_vec()]);
    for no_cursor in [u64::MAX, 1 << 53, (1 << 53) | 5] {
        assert_eq!(space.scan(0, no_cursor, 10, 0, &mut Vec::new(), |_| {}), 0);
        assert_eq!(slot_of_cursor(no_cursor), 16_383);
    }
}

#[test]
fn a_walk_stops_at_a_partition_that_is_elsewhere() {
    let mut whole = space();
    (0..3000u32).for_each(|i| set(&mut whole, 0, format!("key:{i}").as_bytes(), b"v"));
    let expected = walk(&whole, 0, 10, 0);
    let mut halves =
        [0, 1].map(|odd| Keyspace::holding(4, SEED, move |partition| partition % 2 == odd));
    for partition in 0..PARTITIONS {
        let moved = whole.detach(partition).expect("it is here");
        halves[partition % 2]
            .detach(partition)
            .expect("it was made");
        halves[partition % 2].attach(partition, moved);
    }
    assert_eq!((whole.used_bytes(), whole.len(0)), (0, 0));
    assert_eq!(halves[0].len(0) + halves[1].len(0), 3000);
    let (mut cursor, mut names) = (0, Vec::new());
    loop {
        let owner = slot_of_cursor(cursor) as usize / SLOTS_PER_PARTITION % 2;
        let visit = |value: Value<'_>| names.push(value.name().to_vec());
        cursor = halves[owner].scan(0, cursor, 10, 0, &mut Vec::new(), visit);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(names, expected);
}

/// A walk's cursors are handed to clients, who may come back with them after an upgrade: where a key
/// stands follows from its name and the seed alone and does not change from version to version.
#[test]
fn places_are_what_they_have_always_been() {
    #[track_caller]
    fn check(name: &str, hash: u64, cursor: u64) {
        let mut space = space();
        assert_eq!(space.key(name.as_bytes(), None).hash.0, hash, "{name:?}");
        assert_eq!(place_of(&space, name.as_bytes()), cursor, "{name:?}");
        set(&mut space, 0, name.as_bytes(), b"v");
        let visits = |cursor| {
            let mut visited = false;
            space.scan(0, cursor, 1, 0, &mut Vec::new(), |_| visited = true);
            visited
        };
        assert!(visits(cursor) && !visits(cursor + 1));
    }
    check("", 0x187f_707e_6e0f_3d95, 0x00_000c_3fb8_3d95);
    check("a", 0x4752_b056_5fb9_ba9f, 0x1e_43a3_a958_3a9f);
    check("key:1", 0xa1d6_f7b5_9d2e_104f, 0x0d_00d0_eb7b_904f);
    check("{tag}1", 0xe276_0bff_9b1d_a62a, 0x10_4971_3b05_a62a);
    check(
        "a rather long name, longer than sixteen bytes",
        0x5c17_9bd0_16ef_c1ae,
        0x06_812e_0bcd_c1ae,
    );
}

/// The cursor that stands exactly before a key.
fn place_of(space: &Keyspace, name: &[u8]) -> u64 {
    let key = space.key(name, None);
    let prefix = (key.hash.0 >> (64 - crate::table::PREFIX_BITS)) as u32;
    let at = crate::table::Position {
        prefix,
        fragment: key.hash.fragment(),
    };
    super::super::cursor::cursor_of(key.slot(), at)
}

#[test]
fn a_key_is_behind_its_own_place_whatever_the_table_looks_like() {
    let mut space = space();
    let name = |i: u32| format!("{{tag}}{i}").into_bytes();
    for i in 0..3000 {
        set(&mut space, 0, &name(i), b"v");
        let old = name(i * 7 % (i + 1));
        let mut found = false;
        space.scan(0, place_of(&space, &old), 1, 0, &mut Vec::new(), |value| {
            found |= value.name() == old;
        });
        assert!(found, "key {i}");
    }
}
