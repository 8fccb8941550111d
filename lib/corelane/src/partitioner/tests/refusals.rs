//! Bad use: each an error that says what is wrong and what to change.

use super::super::*;

fn check<T>(result: Result<T, PartitionError>, words: &[&str]) {
    let Err(error) = result else {
        panic!("nothing was refused, but {words:?} should have been");
    };
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
}

#[test]
fn numbers_of_targets() {
    check(Hash::new(0), &["0 were given", "give 1 or more"]);
    check(Hash::new(MAX_TARGETS + 1), &["65537", "65536 or fewer"]);
    check(RoundRobin::new(0), &["0 were given"]);
    check(Custom::new(0, |_, _| 0), &["0 were given"]);
    check(Slots::new(0), &["0 were given"]);
    check(Slots::new(SLOTS + 1), &["16385", "16384 or fewer"]);
    check(Ring::new(0), &["0 were given"]);
    check(Rendezvous::new(0), &["0 were given"]);
    check(Ring::new(MAX_MEMBERS + 1), &["4097 members", "4096"]);
    check(Rendezvous::new(usize::MAX), &["members", "4096"]);
    check(Ring::new(3).unwrap().resized(0), &["0 were given"]);
    check(Ring::new(3).unwrap().resized(usize::MAX), &["4096"]);
    check(Custom::new(1, |_, _| 0).unwrap().resized(0), &["0 were"]);
}

#[test]
fn a_pool_of_another_size() {
    let ring = Ring::new(8).unwrap();
    assert_eq!(ring.check_fits(8), Ok(()));
    check(
        ring.check_fits(4),
        &["8 targets", "4 workers", "resized(4)"],
    );
}

#[test]
fn members() {
    let two = |second| [Member::new(1), second];
    let rows: [(Member, &[&str]); 3] = [
        (Member::new(2).weighing(0), &["member 2", "weight 0"]),
        (Member::new(2).weighing(1001), &["weight 1001", "1 to 1000"]),
        (Member::new(1), &["id 1", "differ"]),
    ];
    for (second, words) in rows {
        check(Ring::of(&two(second), 10), words);
        check(Rendezvous::of(&two(second)), words);
    }
    let pair = two(Member::new(2).weighing(1000));
    check(Ring::of(&pair, 0), &["virtual nodes", "0 were given"]);
    check(
        Ring::of(&pair, u32::MAX),
        &["4299262262295 points", "1048576", "fewer virtual nodes"],
    );
}

#[test]
fn ranges() {
    check(
        Range::new(&["b", "a"]),
        &["boundary 1", "\"a\"", "sort the boundaries"],
    );
    check(Range::new(&["b", "b"]), &["boundary 1"]);
    check(Range::new(&[""]), &["leave it out"]);
    let many: Vec<[u8; 4]> = (1..=MAX_RANGES as u32).map(u32::to_be_bytes).collect();
    check(Range::new(&many), &["65536 ranges", "merge some"]);

    let mut range = Range::new(&["m"]).unwrap();
    check(
        range.split(b"m", 0),
        &["already starts at \"m\"", "`assign`"],
    );
    check(range.split(b"", 0), &["already starts at \"\""]);
    check(range.split(b"x", 2), &["target 2", "below 2", "`resized`"]);
    check(range.merge(b"x"), &["no range starts at \"x\""]);
    check(range.merge(b""), &["cannot be a boundary"]);
    check(range.assign(b"x", 0), &["no range starts at \"x\""]);
    check(range.assign(b"m", 7), &["target 7"]);
    check(
        range.resized(1),
        &["target 1 still has", "\"m\"", "only 1 targets"],
    );
    range.assign(b"m", 0).unwrap();
    assert_eq!(range.resized(1).unwrap().targets(), 1);

    let mut full = Range::new(&many[1..]).unwrap();
    check(full.split(b"\xff", 0), &["65536 ranges"]);
}
