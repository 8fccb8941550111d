//! Verdicts by command line, and walks over what a shard holds.

use corelane::PARTITIONS;

use super::*;
use crate::owned::OwnedArgs;

fn command(name: &str) -> &'static Command {
    let mut commands = corelane_store::COMMANDS.iter();
    commands
        .find(|command| {
            command.spec.name.eq_ignore_ascii_case(name) && command.spec.parent.is_none()
        })
        .unwrap_or_else(|| panic!("{name} is not listed"))
}

/// On shard 0 of two: `b` (slot 3300) is here, `a` (slot 15495) is not.
#[track_caller]
fn check(line: &str, expected: Verdict) {
    let args = OwnedArgs::from_parts(line.split(' ').map(str::as_bytes));
    let (map, here) = (ShardMap::even(2), ShardId::new(0));
    let name = line.split(' ').next().unwrap_or_default();
    let verdict = judge(command(name), args.args(), &map, here, &mut None);
    assert_eq!(verdict, expected, "{line}");
}

const THERE: Verdict = Verdict::Moved(15495, ShardId::new(1));
const CROSSED: Verdict = Verdict::Refused(Refusal::CrossSlot);

#[test]
fn a_key_is_here_or_elsewhere() {
    check("GET b", Verdict::Here);
    check("GET a", THERE);
    check("SET {a}:1 x", THERE);
    check("DEL b", Verdict::Here);
    check("MGET {b}1 {b}2", Verdict::Here);
    check("MGET {a}1 {a}2", THERE);
    check("RENAME {b}1 {b}2", Verdict::Here);
    check("LCS {b}1 {b}2", Verdict::Awaited);
    check("LCS {a}1 {a}2", THERE);
}

#[test]
fn slots_are_crossed_even_where_one_shard_owns_both() {
    check("MGET a b", CROSSED);
    check("MGET b {b}x c", CROSSED);
    check("MSET b 1 c 2", CROSSED);
    check("DEL b c", CROSSED);
    check("RENAME b c", CROSSED);
    check("LCS b c", CROSSED);
    check("COPY b c DB 1", CROSSED);
}

#[test]
fn what_names_no_key_concerns_this_shard() {
    for line in [
        "KEYS *",
        "DBSIZE",
        "SCAN 0",
        "RANDOMKEY",
        "FLUSHALL",
        "FLUSHDB",
    ] {
        check(line, Verdict::Awaited);
    }
}

#[test]
fn there_is_one_database() {
    check("MOVE b 1", Verdict::Refused(Refusal::Move));
    check("MOVE a 1", THERE);
    check("SWAPDB 0 1", Verdict::Refused(Refusal::SwapDb));
    check("COPY {b}1 {b}2 DB 1", Verdict::Refused(Refusal::CopyAway));
    check(
        "COPY {b}1 {b}2 REPLACE db 3",
        Verdict::Refused(Refusal::CopyAway),
    );
    check("COPY {a}1 {a}2 DB 1", THERE);
    check("COPY {b}1 {b}2 DB 0", Verdict::Here);
    check("COPY {b}1 {b}2 DB x", Verdict::Here);
    check("COPY {b}1 {b}2", Verdict::Here);
}

/// [`judge`] looks at the first key of such a command alone.
#[test]
fn single_commands_have_one_key() {
    use corelane_wire::spec::{Begin, Find};
    for command in corelane_store::COMMANDS {
        if command.split == Split::Single {
            let one = |spec: &corelane_wire::spec::KeySpec| {
                matches!(
                    (spec.begin, spec.find),
                    (Begin::Index(_), Find::Range { last: 0, .. })
                )
            };
            let keys = command.spec.keys;
            assert!(
                keys.len() <= 1 && keys.iter().all(one),
                "{}",
                command.spec.name
            );
        }
    }
}

#[test]
fn a_walk_goes_over_what_is_owned_and_ends() {
    let home = ShardId::new(1);
    let owners = (0..PARTITIONS).map(|partition| match partition {
        2 | 3 | 7 => home,
        _ => ShardId::new(0),
    });
    let map = ShardMap::with_owners(1, 3, owners.collect());
    let start = |partition: usize| cursor_of_slot((partition * SLOTS_PER_PARTITION) as u16);
    let from = |cursor| owned_from(&map, home, cursor);
    assert_eq!(from(0), Some(start(2)));
    assert_eq!(from(start(2) + 5), Some(start(2) + 5));
    assert_eq!(from(start(4)), Some(start(7)));
    assert_eq!(from(start(8)), None);
    assert_eq!(from(u64::MAX), None);
    assert_eq!(owned_from(&map, ShardId::new(0), 0), Some(0));
    assert_eq!(owned_from(&map, ShardId::new(2), 0), None);
}

#[test]
fn a_cursor_is_replaced_in_its_reply() {
    #[track_caller]
    fn check(reply: &str, expected: &str) {
        let new = with_cursor(reply.as_bytes().to_vec(), |cursor| cursor * 1000);
        assert_eq!(String::from_utf8_lossy(&new), expected);
    }
    check(
        "*2\r\n$2\r\n12\r\n*1\r\n$1\r\na\r\n",
        "*2\r\n$5\r\n12000\r\n*1\r\n$1\r\na\r\n",
    );
    check("*2\r\n$1\r\n0\r\n*0\r\n", "*2\r\n$1\r\n0\r\n*0\r\n");
    check("-ERR invalid cursor\r\n", "-ERR invalid cursor\r\n");
}
