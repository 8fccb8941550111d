//! The parser against a reference parser that is slow and simple: whole buffers, one byte after the other.

use corelane_wire::{Args, Limits, Parsed, Parser, encode_command};
use proptest::collection::vec;
use proptest::prelude::*;

/// A command's arguments.
type Command = Vec<Vec<u8>>;

/// What became of a stream of bytes: the commands in it, and how it ended.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    commands: Vec<Command>,
    end: End,
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    /// All bytes but these many were used; they are the beginning of something.
    Open(usize),
    Error(String),
}

mod reference {
    //! The rules once more, in the plainest words: each function gets the bytes from some place on and says what is
    //! there (`Ok(None)`: not enough bytes to tell).

    use super::{Command, End, Outcome};
    use corelane_wire::Limits;

    type Found<T> = Result<Option<T>, String>;

    pub(super) fn parse(mut bytes: &[u8], limits: &Limits) -> Outcome {
        let mut commands = Vec::new();
        let end = loop {
            let found = if bytes.first() == Some(&b'*') {
                array(bytes, limits)
            } else {
                inline(bytes, limits)
            };
            match found {
                Ok(Some((command, used))) => {
                    bytes = &bytes[used..];
                    if !command.is_empty() {
                        commands.push(command);
                    }
                }
                Ok(None) => break End::Open(bytes.len()),
                Err(text) => break End::Error(text),
            }
        };
        Outcome { commands, end }
    }

    fn line(bytes: &[u8], end: u8, limits: &Limits, too_long: &str) -> Found<usize> {
        let limit = limits.max_inline_bytes as usize;
        for (i, byte) in bytes.iter().enumerate() {
            if i > limit {
                break;
            }
            if *byte == end {
                return Ok(Some(i));
            }
        }
        if bytes.len() > limit {
            Err(format!("Protocol error: {too_long}"))
        } else {
            Ok(None)
        }
    }

    fn number(text: &[u8]) -> Option<i128> {
        let text = std::str::from_utf8(text).ok()?;
        let value: i128 = text.parse().ok()?;
        (value.to_string() == text && i64::try_from(value).is_ok()).then_some(value)
    }

    fn array(bytes: &[u8], limits: &Limits) -> Found<(Command, usize)> {
        let Some(end) = line(bytes, b'\r', limits, "too big mbulk count string")? else {
            return Ok(None);
        };
        if bytes.len() < end + 2 {
            return Ok(None);
        }
        let count = number(&bytes[1..end]).filter(|count| *count <= limits.max_args.into());
        let count = count.ok_or("Protocol error: invalid multibulk length")?;
        let mut at = end + 2;
        let mut command = Vec::new();
        for _ in 0..count {
            let Some((arg, next)) = bulk(bytes, at, limits)? else {
                return Ok(None);
            };
            command.push(arg);
            at = next;
        }
        Ok(Some((command, at)))
    }

    fn bulk(bytes: &[u8], at: usize, limits: &Limits) -> Found<(Vec<u8>, usize)> {
        let rest = &bytes[at..];
        let Some(end) = line(rest, b'\r', limits, "too big bulk count string")? else {
            return Ok(None);
        };
        if rest.len() < end + 2 {
            return Ok(None);
        }
        if rest[0] != b'$' {
            let shown = match rest[0] {
                b'\r' | b'\n' => " ".to_owned(),
                byte if byte.is_ascii_graphic() || byte == b' ' => char::from(byte).to_string(),
                byte => format!("\\x{byte:02x}"),
            };
            return Err(format!("Protocol error: expected '$', got '{shown}'"));
        }
        let len =
            number(&rest[1..end]).filter(|len| *len >= 0 && *len <= limits.max_bulk_bytes.into());
        let len = len.ok_or("Protocol error: invalid bulk length")? as usize;
        let start = at + end + 2;
        if start + len + 2 > limits.max_query_bytes as usize {
            return Err(
                "Protocol error: too big query, the limit is client-query-buffer-limit".to_owned(),
            );
        }
        if bytes.len() < start + len + 2 {
            return Ok(None);
        }
        Ok(Some((bytes[start..start + len].to_vec(), start + len + 2)))
    }

    fn inline(bytes: &[u8], limits: &Limits) -> Found<(Command, usize)> {
        let Some(end) = line(bytes, b'\n', limits, "too big inline request")? else {
            return Ok(None);
        };
        let mut text = &bytes[..end];
        if text.ends_with(b"\r") {
            text = &text[..end - 1];
        }
        let command = words(text).ok_or("Protocol error: unbalanced quotes in request")?;
        Ok(Some((command, end + 1)))
    }

    fn words(text: &[u8]) -> Option<Command> {
        let mut words = Vec::new();
        let mut word: Option<Vec<u8>> = None;
        let mut quote = None;
        let mut i = 0;
        while i < text.len() {
            let byte = text[i];
            let next = text.get(i + 1).copied();
            i += 1;
            match quote {
                None if word.is_none() && is_space(byte) => {}
                None if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => words.extend(word.take()),
                None if byte == b'"' || byte == b'\'' => {
                    word.get_or_insert_default();
                    quote = Some(byte);
                }
                None => word.get_or_insert_default().push(byte),
                Some(open) if byte == open => {
                    if next.is_some_and(|next| !is_space(next)) {
                        return None;
                    }
                    quote = None;
                    words.extend(word.take());
                }
                Some(b'\'') if byte == b'\\' && next == Some(b'\'') => {
                    word.as_mut()?.push(b'\'');
                    i += 1;
                }
                Some(b'"') if byte == b'\\' && next.is_some() => {
                    let (byte, used) = escape(&text[i..]);
                    word.as_mut()?.push(byte);
                    i += used;
                }
                Some(_) => word.as_mut()?.push(byte),
            }
        }
        words.extend(word);
        quote.is_none().then_some(words)
    }

    fn escape(text: &[u8]) -> (u8, usize) {
        let hex = text.get(1..3).and_then(|hex| std::str::from_utf8(hex).ok());
        let hex = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (text[0], hex) {
            (b'x', Some(hex)) => (
                u8::from_str_radix(hex, 16).expect("two hexadecimal digits"),
                3,
            ),
            (b'n', _) => (b'\n', 1),
            (b'r', _) => (b'\r', 1),
            (b't', _) => (b'\t', 1),
            (b'b', _) => (8, 1),
            (b'a', _) => (7, 1),
            (byte, _) => (byte, 1),
        }
    }

    fn is_space(byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
    }
}

/// Feeds `bytes` to a parser as a connection would, read by read; the reads end at `cuts`.
fn parse(bytes: &[u8], mut cuts: Vec<usize>, limits: &Limits) -> Outcome {
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut parser = Parser::new();
    let mut commands = Vec::new();
    let mut start = 0;
    for cut in cuts {
        loop {
            let buf = &bytes[start..cut];
            match parser.parse(buf, limits) {
                Ok(Parsed::Command { consumed }) => {
                    assert!(
                        (1..=buf.len()).contains(&consumed),
                        "consumed {consumed} of {}",
                        buf.len()
                    );
                    commands.push(to_command(parser.args(buf)));
                    start += consumed;
                }
                Ok(Parsed::Empty { consumed }) => {
                    assert!(
                        (1..=buf.len()).contains(&consumed),
                        "consumed {consumed} of {}",
                        buf.len()
                    );
                    start += consumed;
                }
                Ok(Parsed::Incomplete { need }) => {
                    assert!(need > buf.len(), "needs {need}, has {}", buf.len());
                    break;
                }
                Err(error) => {
                    return Outcome {
                        commands,
                        end: End::Error(error.to_string()),
                    };
                }
            }
        }
        assert!(
            parser.memory_bytes() <= 8 * (cut - start) + 4096 + 256 * 8,
            "memory runs ahead of the bytes"
        );
    }
    Outcome {
        commands,
        end: End::Open(bytes.len() - start),
    }
}

fn to_command(args: Args<'_>) -> Command {
    assert!(!args.is_empty(), "a command without a name");
    args.iter().map(<[u8]>::to_vec).collect()
}

fn args() -> impl Strategy<Value = Command> {
    vec(
        prop_oneof![
            vec(any::<u8>(), 0..12),
            vec(any::<u8>(), 95..120),
            vec(any::<u8>(), 990..1010)
        ],
        1..12,
    )
}

/// Bytes that are likely to come near the rules: pieces of the protocol in any order.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "*", "$", "\r\n", "\r", "\n", "*1\r\n", "*2\r\n$1\r\na\r\n", "$3\r\nfoo\r\n", "$0\r\n\r\n", "*0\r\n", "*-1\r\n",
            "-", "0", "1", "9", "10", "007", "99999999999999999999", "$-1\r\n", "PING\r\n", "\"", "'", "\\", "\\x4", "\\x41",
            "\\n", " ", "\t", "\u{b}", "\0", "set k 'v w'\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Limits low enough for random bytes to reach them.
fn limits() -> impl Strategy<Value = Limits> {
    let low =
        (0u64..40, 0u32..6, 32u32..50, 0u64..200).prop_map(|(bulk, args, inline, query)| Limits {
            max_bulk_bytes: bulk,
            max_args: args,
            max_inline_bytes: inline,
            max_query_bytes: query,
        });
    prop_oneof![Just(Limits::DEFAULT), low]
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..12)
}

fn at(cuts: Vec<prop::sample::Index>, bytes: &[u8]) -> Vec<usize> {
    cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn commands_come_out_as_they_went_in(commands in vec(args(), 0..8), cuts in cuts()) {
        let mut bytes = Vec::new();
        for command in &commands {
            encode_command(&mut bytes, command);
        }
        let whole = Outcome { commands, end: End::Open(0) };
        let limits = Limits::DEFAULT;
        prop_assert_eq!(&reference::parse(&bytes, &limits), &whole);
        prop_assert_eq!(&parse(&bytes, at(cuts, &bytes), &limits), &whole);
    }

    #[test]
    fn any_bytes_at_any_split_are_what_the_reference_says(bytes in fragments(), limits in limits(), cuts in cuts()) {
        let expected = reference::parse(&bytes, &limits);
        prop_assert_eq!(&parse(&bytes, Vec::new(), &limits), &expected);
        prop_assert_eq!(&parse(&bytes, at(cuts, &bytes), &limits), &expected);
        prop_assert_eq!(&parse(&bytes, (0..bytes.len()).collect(), &limits), &expected);
    }

    #[test]
    fn random_bytes_are_what_the_reference_says(bytes in vec(any::<u8>(), 0..200), limits in limits(), cuts in cuts()) {
        prop_assert_eq!(parse(&bytes, at(cuts, &bytes), &limits), reference::parse(&bytes, &limits));
    }
}
