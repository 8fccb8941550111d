//! What the decoder takes, and what it refuses. That it reads what [`crate::Reply`] writes is tested there.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn check(bytes: &str, expected: Value) {
    let bytes = bytes.as_bytes();
    let decoded = Ok(Some((expected, bytes.len())));
    assert_eq!(
        Decoder::new().decode(bytes),
        decoded,
        "{}",
        bytes.escape_ascii()
    );
    assert_eq!(
        skip(bytes),
        Ok(Some(bytes.len())),
        "{}",
        bytes.escape_ascii()
    );
    let mut decoder = Decoder::new();
    for end in 0..bytes.len() {
        assert_eq!(
            decoder.decode(&bytes[..end]),
            Ok(None),
            "{} of {}",
            end,
            bytes.escape_ascii()
        );
        assert_eq!(
            skip(&bytes[..end]),
            Ok(None),
            "{} of {}",
            end,
            bytes.escape_ascii()
        );
    }
    assert_eq!(
        decoder.decode(bytes),
        decoded,
        "{}, byte by byte",
        bytes.escape_ascii()
    );
}

fn refuse(bytes: &[u8], at: usize, fault: DecodeFault) {
    let error = DecodeError { at, fault };
    assert_eq!(
        Decoder::new().decode(bytes),
        Err(error),
        "{}",
        bytes.escape_ascii()
    );
    if fault != DecodeFault::BadContent {
        assert_eq!(skip(bytes), Err(error), "{}", bytes.escape_ascii());
    }
}

#[test]
fn replies() {
    check("+OK\r\n", Value::Simple("OK".to_owned()));
    check("+\r\n", Value::Simple(String::new()));
    check("-ERR no\r\n", Value::Error("ERR no".to_owned()));
    check("!6\r\nERR\r\nX\r\n", Value::Error("ERR\r\nX".to_owned()));
    check(":-12\r\n", Value::Int(-12));
    check("$3\r\na\r\n\r\n", Value::bulk("a\r\n"));
    check("$0\r\n\r\n", Value::bulk(""));
    check("$-1\r\n", Value::Null);
    check("*-1\r\n", Value::Null);
    check("_\r\n", Value::Null);
    check("*0\r\n", Value::Array(vec![]));
    check("%0\r\n", Value::Map(vec![]));
    check(
        "*2\r\n*1\r\n:1\r\n*0\r\n",
        Value::Array(vec![
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![]),
        ]),
    );
    check(
        "%1\r\n+a\r\n~1\r\n#t\r\n",
        Value::Map(vec![(
            Value::Simple("a".to_owned()),
            Value::Set(vec![Value::Bool(true)]),
        )]),
    );
    check(">1\r\n#f\r\n", Value::Push(vec![Value::Bool(false)]));
    check(",-1.5e3\r\n", Value::Double(-1500.0));
    check(",inf\r\n", Value::Double(f64::INFINITY));
    check(
        "(-123456789012345678901\r\n",
        Value::BigNumber("-123456789012345678901".to_owned()),
    );
    check(
        "=7\r\ntxt:abc\r\n",
        Value::Verbatim(*b"txt", b"abc".to_vec()),
    );
    check("|1\r\n+ttl\r\n:1\r\n:5\r\n", Value::Int(5));
    check(
        "*2\r\n|1\r\n+ttl\r\n:1\r\n:5\r\n:6\r\n",
        Value::Array(vec![Value::Int(5), Value::Int(6)]),
    );
    check("|0\r\n+OK\r\n", Value::Simple("OK".to_owned()));
}

#[test]
fn faults_are_named_with_their_place() {
    refuse(b"x\r\n", 0, DecodeFault::UnknownType(b'x'));
    refuse(b"*1\r\nx", 4, DecodeFault::UnknownType(b'x'));
    refuse(b"+OK\n", 3, DecodeFault::NoLineEnd);
    refuse(b"+\n", 1, DecodeFault::NoLineEnd);
    refuse(b"$1\r\nabc", 5, DecodeFault::NoLineEnd);
    refuse(b"$x\r\n", 0, DecodeFault::BadLength);
    refuse(b"$-2\r\n", 0, DecodeFault::BadLength);
    refuse(b"*?\r\n", 0, DecodeFault::BadLength);
    refuse(b"%-1\r\n", 0, DecodeFault::BadLength);
    refuse(b"=-1\r\n", 0, DecodeFault::BadLength);
    refuse(b"*9223372036854775807\r\n", 0, DecodeFault::TooLong);
    refuse(b"*2\r\n:1\r\n$4294967296\r\n", 8, DecodeFault::TooLong);
    refuse(b":\r\n", 0, DecodeFault::BadContent);
    refuse(b":1x\r\n", 0, DecodeFault::BadContent);
    refuse(b"#x\r\n", 0, DecodeFault::BadContent);
    refuse(b",one\r\n", 0, DecodeFault::BadContent);
    refuse(b"(1.5\r\n", 0, DecodeFault::BadContent);
    refuse(b"_x\r\n", 0, DecodeFault::BadContent);
    refuse(b"*1\r\n=2\r\nab\r\n", 4, DecodeFault::BadContent);
    let text = DecodeError {
        at: 4,
        fault: DecodeFault::UnknownType(b'x'),
    }
    .to_string();
    assert_eq!(text, "byte 4 of the reply: no RESP type begins with 'x'");
}

#[test]
fn what_a_reply_may_take_is_bounded() {
    let line = [&b"+"[..], &vec![b'a'; 1024 * 1024]].concat();
    refuse(&line, 0, DecodeFault::LineTooLong);
    let deepest = [b"*1\r\n".repeat(128), b":1\r\n".to_vec()].concat();
    assert_eq!(skip(&deepest), Ok(Some(deepest.len())));
    assert!(matches!(Decoder::new().decode(&deepest), Ok(Some(_))));
    refuse(&b"*1\r\n".repeat(129), 512, DecodeFault::TooDeep);
    refuse(&b"|0\r\n".repeat(129), 512, DecodeFault::TooDeep);
    // A container without elements contains nothing.
    let flat = [b"*1\r\n".repeat(128), b"*0\r\n".to_vec()].concat();
    assert_eq!(skip(&flat), Ok(Some(flat.len())));
}

/// Were anything gone through twice, this would take minutes.
#[test]
fn a_million_elements_byte_by_byte_take_linear_time() {
    let count = 1_000_000;
    let mut bytes = format!("*{count}\r\n").into_bytes();
    bytes.extend_from_slice(&b":1\r\n".repeat(count));
    let mut decoder = Decoder::new();
    for end in 0..bytes.len() {
        assert_eq!(decoder.skip(&bytes[..end]), Ok(None));
    }
    assert_eq!(decoder.skip(&bytes), Ok(Some(bytes.len())));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_all_ways_agree(
        pieces in vec(prop::sample::select(vec![
            "*1\r\n", "*2\r\n", "%1\r\n", "~1\r\n", "|1\r\n", ">2\r\n", "$1\r\na\r\n", "$", "-1", "0", "9", "\r\n", "\n",
            "+OK\r\n", ":1\r\n", "#t\r\n", ",1\r\n", "_\r\n", "(1\r\n", "=4\r\ntxt:\r\n", "=1\r\na\r\n", "!1\r\nE\r\n", "x",
        ]), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = pieces.concat().into_bytes();
        let whole = Decoder::new().decode(&bytes);
        let skipped = skip(&bytes);
        match &whole {
            Ok(value) => prop_assert_eq!(&skipped, &Ok(value.as_ref().map(|(_, len)| *len))),
            Err(error) if error.fault == DecodeFault::BadContent => prop_assert!(matches!(skipped, Ok(Some(_)))),
            Err(error) => prop_assert_eq!(&skipped, &Err(*error)),
        }
        let mut decoder = Decoder::new();
        let early = decoder.decode(&bytes[..cut.index(bytes.len() + 1)]);
        if early == Ok(None) {
            prop_assert_eq!(decoder.decode(&bytes), whole);
        } else {
            prop_assert_eq!(early, whole);
        }
    }
}
