//! Placements that are stored never change. A row that fails here loses somebody's data: the remedy is
//! another version beside this one, not another row.
//!
//! The rows come from an implementation of the same definitions in another language.

use super::super::{Hash, Member, Partitioner, Rendezvous, Ring, Slots};

const KEYS: [&[u8]; 10] = [
    b"",
    b"a",
    b"foo",
    b"bar",
    b"user:1000",
    b"user:1001",
    b"{user:1000}.cart",
    b"\x00\x00\x00\x00\x00\x00\x00\x2a",
    b"\xff",
    b"a key that is longer than one cache line of sixty-four bytes, all told",
];

fn check(partitioner: &dyn Partitioner, name: &str, placed: [usize; 10]) {
    assert_eq!(partitioner.name(), name);
    assert_eq!(KEYS.map(|key| partitioner.place(key)), placed, "{name}");
}

fn weighted() -> [Member; 4] {
    [
        Member::new(7),
        Member::new(1).weighing(3),
        Member::new(u64::MAX).weighing(10),
        Member::new(0).weighing(2),
    ]
}

#[test]
fn hash() {
    check(
        &Hash::new(5).unwrap(),
        "hash-v1",
        [4, 2, 3, 4, 2, 3, 1, 1, 0, 1],
    );
    check(
        &Hash::new(256).unwrap(),
        "hash-v1",
        [239, 130, 175, 254, 113, 164, 68, 100, 27, 94],
    );
    check(
        &Hash::new(1000).unwrap(),
        "hash-v1",
        [936, 510, 685, 993, 445, 643, 265, 391, 108, 370],
    );
}

#[test]
fn ring() {
    check(
        &Ring::new(5).unwrap(),
        "ring-v1",
        [0, 0, 1, 4, 3, 1, 3, 0, 2, 2],
    );
    check(
        &Ring::new(16).unwrap(),
        "ring-v1",
        [5, 11, 5, 5, 10, 11, 3, 15, 7, 10],
    );
    check(
        &Ring::of(&weighted(), 40).unwrap(),
        "ring-v1",
        [2, 2, 2, 1, 2, 1, 2, 2, 1, 2],
    );
}

#[test]
fn rendezvous() {
    check(
        &Rendezvous::new(5).unwrap(),
        "rendezvous-v1",
        [4, 0, 3, 2, 4, 3, 4, 1, 2, 1],
    );
    check(
        &Rendezvous::new(16).unwrap(),
        "rendezvous-v1",
        [6, 0, 5, 14, 9, 5, 8, 1, 9, 5],
    );
    check(
        &Rendezvous::of(&weighted()).unwrap(),
        "rendezvous-v1",
        [2, 3, 2, 2, 2, 2, 2, 2, 0, 1],
    );
}

#[test]
fn slots() {
    check(
        &Slots::new(5).unwrap(),
        "slots-crc16",
        [0, 4, 3, 1, 0, 1, 0, 0, 2, 1],
    );
    check(
        &Slots::new(256).unwrap(),
        "slots-crc16",
        [0, 242, 190, 79, 25, 89, 25, 20, 123, 77],
    );
    check(
        &Slots::new(16384).unwrap(),
        "slots-crc16",
        [0, 15495, 12182, 5061, 1649, 5712, 1649, 1320, 7920, 4971],
    );
}
