//! Single rules of the parser. Whole streams at random splits are held against a model in `tests/parser_model.rs`.

use super::*;
use std::fmt::Write as _;

/// The commands in `bytes`, fed at once and byte by byte, and the error after them if one comes.
fn check(bytes: &[u8], commands: &[&[&str]], error: &str) {
    let mut expected = String::new();
    for command in commands {
        writeln!(expected, "{command:?}").expect("strings take all");
    }
    expected += error;
    let limits = Limits::DEFAULT;
    assert_eq!(
        parse(bytes, &limits, bytes.len()),
        expected,
        "{}",
        bytes.escape_ascii()
    );
    assert_eq!(
        parse(bytes, &limits, 1),
        expected,
        "{}, byte by byte",
        bytes.escape_ascii()
    );
}

fn parse(bytes: &[u8], limits: &Limits, read: usize) -> String {
    let mut parser = Parser::new();
    let (mut start, mut end) = (0, 0);
    let mut out = String::new();
    while end < bytes.len() {
        end = bytes.len().min(end + read);
        loop {
            match parser.parse(&bytes[start..end], limits) {
                Ok(Parsed::Command { consumed }) => {
                    writeln!(out, "{:?}", parser.args(&bytes[start..end]))
                        .expect("strings take all");
                    start += consumed;
                }
                Ok(Parsed::Empty { consumed }) => start += consumed,
                Ok(Parsed::Incomplete { .. }) => break,
                Err(error) => return out + &error.to_string(),
            }
        }
    }
    out
}

#[test]
fn arrays() {
    check(b"*1\r\n$4\r\nPING\r\n", &[&["PING"]], "");
    check(
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n",
        &[&["SET", "k", ""]],
        "",
    );
    check(
        b"*2\r\n$3\r\nGET\r\n$12\r\nabcdefghijkl\r\n*1\r\n$1\r\na\r\n",
        &[&["GET", "abcdefghijkl"], &["a"]],
        "",
    );
    check(b"*1\r\n$4\r\na\r\nb\r\n", &[&["a\\r\\nb"]], "");
    check(
        b"*0\r\n*-1\r\n*-10\r\n\r\n \t\r\n*1\r\n$1\r\na\r\n",
        &[&["a"]],
        "",
    );
    // As in Redis, what stands in the place of CR LF behind an argument, and of LF in a header, is not looked at.
    check(b"*2\rX$1\r\naXX$1\rYbYY", &[&["a", "b"]], "");
}

#[test]
fn inline_commands() {
    check(b"PING\r\n", &[&["PING"]], "");
    check(b"PING\nPING\n", &[&["PING"], &["PING"]], "");
    check(b"  set\tk   v  \r\n", &[&["set", "k", "v"]], "");
    check(
        b"set k \"a b\\x41\\n\\\"\\q\" 'c\\'d\\n'\r\n",
        &[&["set", "k", "a bA\\n\\\"q", "c\\'d\\\\n"]],
        "",
    );
    check(b"echo \"\" ''\r\n", &[&["echo", "", ""]], "");
    check(b"\"\"\r\n", &[&[""]], "");
    check(b"a\"b c\"\r\n", &[&["ab c"]], "");
    check(b"a\x0bb \x0bc\x0c\r\n", &[&["a\\x0bb", "c\\x0c"]], "");
    check(b"a\0b\r\n", &[&["a\\x00b"]], "");
    check(b"echo \"\\x4\"\r\n", &[&["echo", "x4"]], "");
    check(b"$3\r\n", &[&["$3"]], "");
}

#[test]
fn errors_are_those_of_redis() {
    let bulk_error = "Protocol error: invalid bulk length";
    check(
        b"*3000000000\r\n",
        &[],
        "Protocol error: invalid multibulk length",
    );
    check(
        b"*1048577\r\n",
        &[],
        "Protocol error: invalid multibulk length",
    );
    check(
        b"*99999999999999999999\r\n",
        &[],
        "Protocol error: invalid multibulk length",
    );
    check(b"*\r\n", &[], "Protocol error: invalid multibulk length");
    check(b"*01\r\n", &[], "Protocol error: invalid multibulk length");
    check(b"*+1\r\n", &[], "Protocol error: invalid multibulk length");
    check(b"*1 \r\n", &[], "Protocol error: invalid multibulk length");
    check(
        b"*1\r\n$1\r\na\r\n*x\r\n",
        &[&["a"]],
        "Protocol error: invalid multibulk length",
    );
    check(
        b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n",
        &[],
        "Protocol error: expected '$', got 'f'",
    );
    check(
        b"*1\r\nfoo\r\n",
        &[],
        "Protocol error: expected '$', got 'f'",
    );
    check(b"*1\r\n\r\n", &[], "Protocol error: expected '$', got ' '");
    check(
        b"*1\r\n\xff\r\n",
        &[],
        "Protocol error: expected '$', got '\\xff'",
    );
    check(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n", &[], bulk_error);
    check(
        b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n",
        &[],
        bulk_error,
    );
    check(
        b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n",
        &[],
        bulk_error,
    );
    check(b"*1\r\n$-1\r\n", &[], bulk_error);
    check(b"*1\r\n$536870913\r\n", &[], bulk_error);
    check(b"*1\r\n$03\r\nabc\r\n", &[], bulk_error);
    check(
        b"set \"\"\"test-key\"\"\" test-value\r\n",
        &[],
        "Protocol error: unbalanced quotes in request",
    );
    check(
        b"set \"a\\\r\n",
        &[],
        "Protocol error: unbalanced quotes in request",
    );
    check(
        b"set 'a'b\r\n",
        &[],
        "Protocol error: unbalanced quotes in request",
    );
    check(
        b"set 'a\r\n",
        &[],
        "Protocol error: unbalanced quotes in request",
    );
}

#[test]
fn a_half_read_header_leaves_no_trace_in_the_next() {
    let bytes = b"*2\r\n$10\r\naaaaaaaaaa\r\n\r\n";
    check(bytes, &[], "Protocol error: expected '$', got ' '");
}

#[test]
fn lines_end_within_64_kib() {
    for (head, error) in [
        ("", "Protocol error: too big inline request"),
        ("*", "Protocol error: too big mbulk count string"),
        ("*1\r\n$", "Protocol error: too big bulk count string"),
        ("*1\r\nx", "Protocol error: too big bulk count string"),
    ] {
        let line = head.rsplit('\n').next().expect("at least one line").len();
        let fits = [head.as_bytes(), &vec![b'1'; 65536 - line]].concat();
        check(&fits, &[], "");
        check(&[&fits[..], b"1"].concat(), &[], error);
    }
    let word = "a".repeat(65536);
    check(format!("{word}\n").as_bytes(), &[&[&word]], "");
}

#[test]
fn a_command_ends_within_the_query_limit() {
    let limits = Limits {
        max_query_bytes: 20,
        ..Limits::DEFAULT
    };
    let error = "Protocol error: too big query, the limit is client-query-buffer-limit";
    assert_eq!(
        parse(b"*1\r\n$9\r\naaaaaaaaa\r\n", &limits, 1),
        "[\"aaaaaaaaa\"]\n"
    );
    assert_eq!(parse(b"*1\r\n$10\r\n", &limits, 1), error);
    assert_eq!(parse(b"*2\r\n$1\r\na\r\n$4\r\n", &limits, 1), error);
    let unlimited = Limits {
        max_bulk_bytes: u64::MAX,
        max_query_bytes: u64::MAX,
        ..Limits::DEFAULT
    };
    assert_eq!(parse(b"*1\r\n$4294967295\r\n", &unlimited, 1), error);
    assert_eq!(
        parse(b"*1\r\n$9223372036854775807\r\n", &unlimited, 1),
        error
    );
}

#[test]
fn announced_lengths_take_no_memory() {
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    assert_eq!(
        parser.parse(b"*1048576\r\n", &limits),
        Ok(Parsed::Incomplete { need: 11 })
    );
    assert!(
        parser.memory_bytes() <= 256,
        "{} bytes for a header",
        parser.memory_bytes()
    );
    let buf = b"*1048576\r\n$536870912\r\n";
    assert_eq!(
        parser.parse(buf, &limits),
        Ok(Parsed::Incomplete {
            need: buf.len() + 536_870_912 + 2
        })
    );
    assert!(
        parser.memory_bytes() <= 256,
        "{} bytes for a header",
        parser.memory_bytes()
    );
}

#[test]
fn a_large_command_leaves_no_memory_behind() {
    let count = 10_000;
    let mut buf = format!("*{count}\r\n").into_bytes();
    buf.extend_from_slice(&b"$1\r\na\r\n".repeat(count));
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    assert_eq!(
        parser.parse(&buf, &limits),
        Ok(Parsed::Command {
            consumed: buf.len()
        })
    );
    assert_eq!(parser.args(&buf).len(), count);
    assert!(parser.memory_bytes() >= 8 * count);
    parser.trim();
    assert!(
        parser.memory_bytes() <= 8 * 256,
        "{} bytes kept",
        parser.memory_bytes()
    );
}

/// Were anything gone through twice, a million arguments byte by byte would take minutes.
#[test]
fn a_million_arguments_byte_by_byte_take_linear_time() {
    let count = 1024 * 1024;
    let mut buf = format!("*{count}\r\n").into_bytes();
    buf.extend_from_slice(&b"$1\r\na\r\n".repeat(count));
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    for end in 1..buf.len() {
        assert!(matches!(
            parser.parse(&buf[..end], &limits),
            Ok(Parsed::Incomplete { .. })
        ));
    }
    assert_eq!(
        parser.parse(&buf, &limits),
        Ok(Parsed::Command {
            consumed: buf.len()
        })
    );
    assert_eq!(parser.args(&buf).len(), count);
}

#[test]
fn trimming_keeps_a_half_read_command() {
    let buf = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n";
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    assert_eq!(
        parser.parse(&buf[..12], &limits),
        Ok(Parsed::Incomplete { need: 13 })
    );
    parser.trim();
    assert_eq!(
        parser.parse(buf, &limits),
        Ok(Parsed::Command {
            consumed: buf.len()
        })
    );
    assert_eq!(parser.args(buf).iter().collect::<Vec<_>>(), [b"a", b"b"]);
}
