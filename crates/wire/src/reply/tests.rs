//! Every kind of reply in both protocol versions, byte for byte, and once more through the decoder.

use super::*;
use crate::frame::{Decoder, Value};
use proptest::collection::vec;
use proptest::prelude::*;

/// What `write` gives in RESP2 and in RESP3.
fn check(write: impl Fn(&mut Reply<'_>), resp2: &str, resp3: &str) {
    for (proto, expected) in [(Proto::Resp2, resp2), (Proto::Resp3, resp3)] {
        let mut out = b"before".to_vec();
        write(&mut Reply::new(&mut out, proto));
        assert_eq!(
            out.escape_ascii().to_string(),
            format!("before{}", expected.as_bytes().escape_ascii()),
            "{proto:?}"
        );
    }
}

fn same(write: impl Fn(&mut Reply<'_>), expected: &str) {
    check(write, expected, expected);
}

#[test]
fn replies_of_both_versions() {
    same(|reply| reply.ok(), "+OK\r\n");
    same(|reply| reply.pong(), "+PONG\r\n");
    same(|reply| reply.queued(), "+QUEUED\r\n");
    same(|reply| reply.simple("hello there"), "+hello there\r\n");
    same(|reply| reply.simple("a\r\nb"), "+a  b\r\n");
    same(
        |reply| reply.error("ERR no such key"),
        "-ERR no such key\r\n",
    );
    same(|reply| reply.error("ERR a\r\nb\r\n\n"), "-ERR a  b\r\n");
    same(|reply| reply.error(""), "-\r\n");
    same(|reply| reply.array(3), "*3\r\n");
    same(|reply| reply.empty_array(), "*0\r\n");
    same(|reply| reply.raw(b"+raw\r\n"), "+raw\r\n");
    for (value, text) in [
        (0, "0"),
        (9, "9"),
        (10, "10"),
        (99, "99"),
        (100, "100"),
        (-1, "-1"),
        (i64::MAX, "9223372036854775807"),
        (i64::MIN, "-9223372036854775808"),
    ] {
        same(|reply| reply.int(value), &format!(":{text}\r\n"));
        same(
            |reply| reply.bulk_int(value),
            &format!("${}\r\n{text}\r\n", text.len()),
        );
    }
    for len in [0, 1, 9, 10, 99, 100, 1000, 123_456] {
        let text = "x".repeat(len);
        same(
            |reply| reply.bulk(text.as_bytes()),
            &format!("${len}\r\n{text}\r\n"),
        );
    }
}

#[test]
fn replies_that_fall_back() {
    check(|reply| reply.null(), "$-1\r\n", "_\r\n");
    check(|reply| reply.null_array(), "*-1\r\n", "_\r\n");
    check(|reply| reply.bool(true), ":1\r\n", "#t\r\n");
    check(|reply| reply.bool(false), ":0\r\n", "#f\r\n");
    check(|reply| reply.map(3), "*6\r\n", "%3\r\n");
    check(|reply| reply.set(12), "*12\r\n", "~12\r\n");
    check(|reply| reply.push(3), "*3\r\n", ">3\r\n");
    check(|reply| reply.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
    check(
        |reply| reply.double(f64::INFINITY),
        "$3\r\ninf\r\n",
        ",inf\r\n",
    );
    check(
        |reply| reply.double(f64::NEG_INFINITY),
        "$4\r\n-inf\r\n",
        ",-inf\r\n",
    );
    check(
        |reply| reply.double_text(b"10.6"),
        "$4\r\n10.6\r\n",
        ",10.6\r\n",
    );
    check(
        |reply| reply.verbatim("txt", b"a\r\nb"),
        "$4\r\na\r\nb\r\n",
        "=8\r\ntxt:a\r\nb\r\n",
    );
    check(
        |reply| reply.big_number("123456789012345678901"),
        "$21\r\n123456789012345678901\r\n",
        "(123456789012345678901\r\n",
    );
    let with_attribute = |reply: &mut Reply<'_>| {
        if reply.attribute(1) {
            reply.bulk(b"key");
            reply.int(1);
        }
        reply.ok();
    };
    check(
        with_attribute,
        "+OK\r\n",
        "|1\r\n$3\r\nkey\r\n:1\r\n+OK\r\n",
    );
}

#[test]
fn a_reply_can_be_taken_back() {
    let midway = |reply: &mut Reply<'_>| {
        let start = reply.position();
        reply.array(2);
        reply.int(1);
        reply.rewind(start);
        reply.error("ERR no");
    };
    same(midway, "-ERR no\r\n");
}

#[test]
fn a_reply_ends_where_its_room_does() {
    #[track_caller]
    fn check(before: usize, end: usize, allowed: usize, values: &[usize], left: Option<usize>) {
        let mut out = vec![b'.'; before];
        let allowance = Allowance::new(allowed);
        let mut reply = Reply::bounded(&mut out, Proto::Resp2, end, Some(&allowance));
        for bytes in values {
            reply.bulk(&vec![b'v'; *bytes]);
        }
        assert_eq!(reply.is_cut(), left.is_none());
        let whole = values.iter().map(|bytes| bytes + 2 + head::MAX_HEAD_BYTES);
        assert!(out.len() <= before + whole.sum::<usize>());
        assert!(out.len() < end.max(before) + allowed + 2 * head::MAX_HEAD_BYTES);
        if let Some(left) = left {
            assert!(!allowance.take(left + 1), "more is left");
            assert!(allowance.take(left), "less is left");
        }
    }
    check(0, 1_000, 0, &[500, 400], Some(0));
    check(0, 1_000, 0, &[500, 600], None);
    check(0, 1_000, 0, &[5_000], None);
    check(900, 1_000, 0, &[50], Some(0));
    check(900, 1_000, 0, &[500], None);
    // Beyond the end from the allowance, to the byte; a value that is too long takes nothing of it.
    check(0, 1_000, 500, &[500, 400, 450], Some(134));
    check(0, 1_000, 500, &[500, 400, 800], None);
    check(0, 0, 500, &[500], Some(0));
    check(0, 0, 500, &[501], None);
    let mut out = Vec::new();
    let mut reply = Reply::bounded(&mut out, Proto::Resp2, 100, None);
    reply.bulk(&[b'v'; 500]);
    reply.bulk(b"short");
    assert!(
        reply.is_cut() && out.is_empty(),
        "after a cut nothing comes"
    );
}

#[test]
fn what_is_kept_for_a_reply_takes_its_room() {
    let allowance = Allowance::new(100);
    let mut out = Vec::new();
    let mut reply = Reply::bounded(&mut out, Proto::Resp2, 50, Some(&allowance));
    assert!(reply.may_grow(0, 50));
    assert!(reply.may_grow(50, 60));
    assert!(reply.may_grow(110, 40));
    assert!(!reply.may_grow(150, 1) && reply.is_cut());
    assert!(!reply.may_grow(0, 1), "it is cut");
    let mut endless = Reply::new(&mut out, Proto::Resp2);
    assert!(endless.may_grow(1 << 40, 1 << 40) && !endless.is_cut());
}

/// Values as a handler would write them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[^\r\n]{0,20}".prop_map(Value::Simple),
        "[A-Z]{1,5} [^\r\n]{0,20}[^\r\n ]".prop_map(Value::Error),
        any::<i64>().prop_map(Value::Int),
        vec(any::<u8>(), 0..300).prop_map(Value::Bulk),
        Just(Value::Null),
        any::<f64>()
            .prop_filter("is no number", |value| !value.is_nan())
            .prop_map(Value::Double),
        any::<bool>().prop_map(Value::Bool),
        vec(any::<u8>(), 0..40).prop_map(|text| Value::Verbatim(*b"txt", text)),
        "-?[0-9]{1,40}".prop_map(Value::BigNumber),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::Array),
            vec(inner.clone(), 0..8).prop_map(Value::Set),
            vec(inner.clone(), 0..8).prop_map(Value::Push),
            vec((inner.clone(), inner), 0..8).prop_map(Value::Map),
        ]
    })
}

fn write(value: &Value, reply: &mut Reply<'_>) {
    let elements = match value {
        Value::Simple(text) => return reply.simple(text),
        Value::Error(text) => return reply.error(text),
        Value::Int(value) => return reply.int(*value),
        Value::Bulk(bytes) => return reply.bulk(bytes),
        Value::Null => return reply.null(),
        Value::Double(value) => return reply.double(*value),
        Value::Bool(value) => return reply.bool(*value),
        Value::Verbatim(_, text) => return reply.verbatim("txt", text),
        Value::BigNumber(digits) => return reply.big_number(digits),
        Value::Map(pairs) => {
            reply.map(pairs.len());
            for (key, value) in pairs {
                write(key, reply);
                write(value, reply);
            }
            return;
        }
        Value::Array(elements) => {
            reply.array(elements.len());
            elements
        }
        Value::Set(elements) => {
            reply.set(elements.len());
            elements
        }
        Value::Push(elements) => {
            reply.push(elements.len());
            elements
        }
    };
    for element in elements {
        write(element, reply);
    }
}

/// What a RESP2 client sees of a value.
fn fallen_back(value: &Value) -> Value {
    let all = |elements: &[Value]| Value::Array(elements.iter().map(fallen_back).collect());
    match value {
        Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => all(elements),
        Value::Map(pairs) => all(&pairs
            .iter()
            .flat_map(|(key, value)| [key.clone(), value.clone()])
            .collect::<Vec<_>>()),
        Value::Double(value) => Value::bulk(crate::number::format_f64(*value).as_bytes()),
        Value::Bool(value) => Value::Int((*value).into()),
        Value::Verbatim(_, text) => Value::bulk(text),
        Value::BigNumber(digits) => Value::bulk(digits),
        same => same.clone(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(value in values(), cut in any::<prop::sample::Index>()) {
        for (proto, expected) in [(Proto::Resp3, value.clone()), (Proto::Resp2, fallen_back(&value))] {
            let mut out = Vec::new();
            write(&value, &mut Reply::new(&mut out, proto));
            let mut decoder = Decoder::new();
            let cut = cut.index(out.len());
            prop_assert_eq!(decoder.decode(&out[..cut]), Ok(None));
            let len = out.len();
            out.extend_from_slice(b"+next\r\n");
            prop_assert_eq!(decoder.decode(&out), Ok(Some((expected, len))));
            prop_assert_eq!(crate::skip(&out), Ok(Some(len)));
        }
    }
}
