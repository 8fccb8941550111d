//! One row per form of each kind: the text, and what `CONFIG GET` would answer or the error.

use super::*;

#[track_caller]
fn check(kind: Kind, rows: &[(&str, Result<&str, &str>)]) {
    for (text, want) in rows {
        let got = kind
            .parse(text.as_bytes(), None)
            .map(|v| v.to_string())
            .map_err(|e| e.to_string());
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, *want, "{kind:?} of {text:?}"),
            (Err(got), Err(want)) => assert_eq!(got, *want, "{kind:?} of {text:?}"),
            (got, want) => panic!("{kind:?} of {text:?}: got {got:?}, want {want:?}"),
        }
    }
}

#[test]
fn bool() {
    let bad = Err("argument must be 'yes' or 'no'");
    check(
        Kind::Bool,
        &[
            ("yes", Ok("yes")),
            ("NO", Ok("no")),
            ("true", bad),
            ("", bad),
            ("1", bad),
        ],
    );
}

#[test]
fn int() {
    let kind = Kind::Int {
        min: -1,
        max: 65535,
    };
    let range = Err("argument must be between -1 and 65535 inclusive");
    let text = Err("argument couldn't be parsed into an integer");
    check(
        kind,
        &[
            ("0", Ok("0")),
            ("-1", Ok("-1")),
            ("-2", range),
            ("65536", range),
            ("x", text),
            ("", text),
            ("1k", text),
        ],
    );
}

#[test]
fn int_or_auto() {
    let range = Err("argument must be between 0 and 9 inclusive");
    check(
        Kind::IntOrAuto { max: 9 },
        &[
            ("auto", Ok("auto")),
            ("9", Ok("9")),
            ("10", range),
            ("-1", range),
        ],
    );
}

#[test]
fn bytes() {
    let text = Err("argument must be a memory value");
    let kind = Kind::Bytes {
        min: 1 << 20,
        max: i64::MAX as u64,
    };
    let range = Err("argument must be between 1048576 and 9223372036854775807 inclusive");
    check(
        kind,
        &[
            ("1mb", Ok("1048576")),
            ("10000000000", Ok("10000000000")),
            ("1", range),
            ("invalid", text),
            ("", text),
        ],
    );
    check(
        Kind::BytesOrAuto,
        &[
            ("auto", Ok("auto")),
            ("AUTO", Ok("auto")),
            ("0", Ok("0")),
            ("11mb", Ok("11534336")),
        ],
    );
}

#[test]
fn bytes_or_percent() {
    let text = Err("argument must be a memory or percent value");
    let range = Err("percentage argument must be less or equal to 100");
    check(
        Kind::BytesOrPercent,
        &[
            ("3mb", Ok("3145728")),
            ("0", Ok("0")),
            ("5%", Ok("5%")),
            ("200%", range),
            ("%", text),
            ("-5%", text),
            ("x", text),
        ],
    );
}

#[test]
fn mode() {
    let text = Err("argument couldn't be parsed as an octal number");
    let range = Err("argument must be between 0 and 777 inclusive");
    check(
        Kind::Mode,
        &[
            ("700", Ok("700")),
            ("0", Ok("0")),
            ("1777", range),
            ("9", text),
            ("rwx", text),
        ],
    );
}

#[test]
fn words() {
    let one = Kind::Word(&["everysec", "always", "no"]);
    let bad = Err("argument(s) must be one of the following: everysec, always, no");
    check(one, &[("ALWAYS", Ok("always")), ("never", bad), ("", bad)]);
    let many = Kind::Words(&["default", "save", "nosave", "now", "force"]);
    let bad = Err("argument(s) must be one of the following: default, save, nosave, now, force");
    check(
        many,
        &[
            ("now nosave", Ok("nosave now")),
            ("default", Ok("default")),
            ("default save", Ok("save")),
            ("", bad),
            ("now  save", bad),
        ],
    );
}

#[test]
fn addresses() {
    check(
        Kind::Addresses,
        &[
            ("127.0.0.1 -::1", Ok("127.0.0.1 -::1")),
            ("*", Ok("0.0.0.0")),
            ("", Ok("")),
            ("127.0.0.1 here", Err("'here' is not an IP address")),
        ],
    );
    let many = vec!["127.0.0.1"; MAX_ADDRESSES + 1].join(" ");
    check(
        Kind::Addresses,
        &[(&many, Err("Too many bind addresses specified."))],
    );
}

#[test]
fn save_points() {
    let bad = Err("Invalid save parameters");
    check(
        Kind::SavePoints,
        &[
            ("3600 1 300 100", Ok("3600 1 300 100")),
            ("", Ok("")),
            ("900", bad),
            ("0 1", bad),
            ("9 -1", bad),
            ("a b", bad),
        ],
    );
}

#[test]
fn percentiles_and_ints() {
    check(
        Kind::Percentiles,
        &[
            ("50 99 99.9", Ok("50 99 99.9")),
            ("50.0 0.0", Ok("50 0")),
            ("", Ok("")),
            (
                "101",
                Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
            ),
            (
                "NaN",
                Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
            ),
            (
                "x",
                Err("Invalid latency-tracking-info-percentiles parameters"),
            ),
        ],
    );
    check(
        Kind::Ints {
            count: 3,
            bound: 2000,
        },
        &[
            ("0 200 -800", Ok("0 200 -800")),
            ("0 200", Err("wrong number of arguments")),
            (
                "0 200 2001",
                Err("Invalid values, elements must be between -2000 and 2000."),
            ),
        ],
    );
}

#[test]
fn texts() {
    check(
        Kind::SomeText,
        &[("x", Ok("x")), ("", Err("argument can't be empty"))],
    );
    check(
        Kind::Events,
        &[
            ("KEA", Ok("AKE")),
            (
                "Q",
                Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
            ),
        ],
    );
    check(Kind::Secret, &[("s3cret", Ok("(redacted)")), ("", Ok(""))]);
    assert_eq!(
        Kind::Secret.parse(b"a\0\xff", None).unwrap().to_bytes(),
        b"a\0\xff"
    );
    assert!(Kind::Text.parse(b"\xff", None).is_err());
}

#[test]
fn output_limits_are_laid_over_the_current_ones() {
    let current = Kind::OutputLimits
        .parse(b"pubsub 32mb 8mb 60", None)
        .unwrap();
    let next = Kind::OutputLimits
        .parse(b"normal 1 1 1", Some(&current))
        .unwrap();
    assert_eq!(
        next.to_string(),
        "normal 1 1 1 slave 0 0 0 pubsub 33554432 8388608 60"
    );
}
