//! The model itself, by example; and that what it calls inert changes nothing.

use corelane_wire::Value;

use super::{Action, Group, Life, OnlyIf, Strings, Write};
use crate::check::Model;

fn write(value: &str, only: Option<OnlyIf>, get: bool, life: Life) -> Action {
    Action::Set(Write {
        key: 0,
        value: value.as_bytes().into(),
        only,
        get,
        life,
    })
}

fn set(value: &str) -> Action {
    write(value, None, false, Life::Clear)
}

fn ok() -> Value {
    Value::Simple("OK".into())
}

fn error() -> Value {
    Value::Error("ERR whatever".into())
}

/// Runs actions one after another; each must allow its reply and refuse a strange one.
#[track_caller]
fn check(rows: Vec<(Action, Value)>) {
    let mut group: Group = Group::from_elem(None, 2);
    for (action, reply) in rows {
        let strange = Value::Bulk(b"strange".to_vec());
        assert!(
            Strings::step(&group, &action, Some(&strange)).is_none(),
            "{action:?} answers anything"
        );
        let after = Strings::step(&group, &action, Some(&reply));
        let after = after.unwrap_or_else(|| panic!("{action:?} in {group:?} never says {reply:?}"));
        if Strings::is_inert(&action, Some(&reply)) {
            assert_eq!(after, group, "{action:?} -> {reply:?} is called inert");
        }
        group = after;
    }
}

#[test]
fn strings_by_example() {
    use Action::*;
    let bulk = |text: &str| Value::bulk(text);
    check(vec![
        (Get(0), Value::Null),
        (set("a"), ok()),
        (
            write("b", Some(OnlyIf::Missing), false, Life::Clear),
            Value::Null,
        ),
        (
            write("b", Some(OnlyIf::Missing), true, Life::Clear),
            bulk("a"),
        ),
        (write("b", Some(OnlyIf::Exists), true, Life::Far), bulk("a")),
        (Ttl(0), Value::Int(99_999)),
        (write("c", None, false, Life::Keep), ok()),
        (Persist(0), Value::Int(1)),
        (Persist(0), Value::Int(0)),
        (Ttl(0), Value::Int(-1)),
        (Ttl(1), Value::Int(-2)),
        (Append(0, b"de".as_slice().into()), Value::Int(3)),
        (Incr(0, 1), error()),
        (GetRange(0, -2, -1), bulk("de")),
        (GetRange(0, 2, 1), bulk("")),
        (GetRange(0, -8, -9), bulk("")),
        (GetRange(0, -9, -8), bulk("c")),
        (SetRange(0, 4, b"x".as_slice().into()), Value::Int(5)),
        (Get(0), bulk("cde\0x")),
        (Strlen(0), Value::Int(5)),
        (GetDel(0), bulk("cde\0x")),
        (GetDel(0), Value::Null),
        (Incr(0, -3), Value::Int(-3)),
        (GetSet(0, b"9".as_slice().into()), bulk("-3")),
        (GetEx(0, true), bulk("9")),
        (GetEx(0, false), bulk("9")),
        (Expire(0), Value::Int(1)),
        (Rename(0, 1, false), ok()),
        (Rename(0, 1, false), error()),
        (Copy(1, 0, false), Value::Int(1)),
        (Copy(1, 0, false), Value::Int(0)),
        (Copy(1, 0, true), Value::Int(1)),
        (Rename(0, 1, true), Value::Int(0)),
        (Ttl(0), Value::Int(5)),
        (Exists(vec![0, 1]), Value::Int(2)),
        (MsetOdd(vec![(0, b"1".as_slice().into())]), error()),
        (Mget(vec![1, 0]), Value::Array(vec![bulk("9"), bulk("9")])),
        (MsetNx(vec![(0, b"7".as_slice().into())]), Value::Int(0)),
        (Mset(vec![(0, b"8".as_slice().into())]), ok()),
        (Ttl(0), Value::Int(-1)),
        (Del(vec![0, 1]), Value::Int(2)),
        (Del(vec![0, 1]), Value::Int(0)),
        (MsetNx(vec![(0, b"7".as_slice().into())]), Value::Int(1)),
        (Flush, ok()),
        (Exists(vec![0]), Value::Int(0)),
        (Expire(0), Value::Int(0)),
    ]);
}

#[test]
fn actions_become_their_commands() {
    #[track_caller]
    fn check(action: Action, expected: &str) {
        let names = vec![b"k".to_vec(), b"l".to_vec()];
        let words = action.words(&names);
        let text: Vec<_> = words
            .iter()
            .map(|word| String::from_utf8_lossy(word))
            .collect();
        assert_eq!(text.join(" "), expected);
    }
    let value = || -> Box<[u8]> { b"v".as_slice().into() };
    let everything = write("v", Some(OnlyIf::Exists), true, Life::Keep);
    check(everything, "SET k v XX GET KEEPTTL");
    let far = write("v", Some(OnlyIf::Missing), false, Life::Far);
    check(far, "SET k v NX EX 100000");
    check(Action::Del(vec![0]), "DEL k");
    check(Action::Del(vec![1, 0]), "UNLINK l k");
    check(
        Action::Mset(vec![(0, value()), (1, value())]),
        "MSET k v l v",
    );
    check(
        Action::MsetOdd(vec![(0, value()), (1, value())]),
        "MSET k v l",
    );
    check(Action::Rename(0, 1, true), "RENAMENX k l");
    check(Action::Copy(0, 1, true), "COPY k l REPLACE");
    check(Action::SetRange(0, 3, value()), "SETRANGE k 3 v");
    check(Action::GetEx(0, true), "GETEX k EX 100000");
    check(Action::Flush, "FLUSHALL");
}
