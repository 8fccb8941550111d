//! Splitting a pipeline into commands and answering each: with a fixed reply, or, as a second limit,
//! from the plainest table there is.

use std::collections::HashMap;

/// What answers come from.
pub(crate) enum Source {
    /// Nothing is stored; GET always brings one and the same value.
    Fixed,
    /// A map from the standard library.
    Map(HashMap<Vec<u8>, Vec<u8>>),
}

/// Most arguments of a command, its name among them: as many as SET has.
const ARGS: usize = 3;

/// The fixed reply to GET: a value of 64 bytes, the size that is compared.
const GET_REPLY: &[u8] = concat!(
    "$64\r\n",
    "abcdefghijklmnopqrstuvwxyz012345abcdefghijklmnopqrstuvwxyz012345",
    "\r\n"
)
.as_bytes();

impl Source {
    /// Answers every complete command at the front of `input`. Gives the length of what was
    /// answered.
    ///
    /// Commands are arrays of at most [`ARGS`] bulk strings; anything else is an error and `None`.
    pub(crate) fn answer(&mut self, input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut answered = 0;
        while let Step::Command { end, args } = next(input, answered)? {
            match self {
                Self::Fixed => out.extend_from_slice(fixed(args[0])),
                Self::Map(map) => from_map(map, args, out),
            }
            answered = end;
        }
        Some(answered)
    }
}

fn fixed(name: &[u8]) -> &'static [u8] {
    match name {
        b"GET" | b"get" => GET_REPLY,
        b"SET" | b"set" => b"+OK\r\n",
        b"PING" | b"ping" => b"+PONG\r\n",
        // What redis-benchmark asks before it begins.
        b"CONFIG" | b"config" | b"COMMAND" => b"*0\r\n",
        _ => b"-ERR this is no server\r\n",
    }
}

fn from_map(map: &mut HashMap<Vec<u8>, Vec<u8>>, args: [&[u8]; ARGS], out: &mut Vec<u8>) {
    let [name, key, value] = args;
    match (name, map.get_mut(key)) {
        (b"GET" | b"get", Some(value)) => push_bulk(value, out),
        (b"GET" | b"get", None) => out.extend_from_slice(b"$-1\r\n"),
        (b"SET" | b"set", old) => {
            match old {
                Some(old) => {
                    old.clear();
                    old.extend_from_slice(value);
                }
                None => drop(map.insert(key.to_vec(), value.to_vec())),
            }
            out.extend_from_slice(b"+OK\r\n");
        }
        _ => out.extend_from_slice(fixed(name)),
    }
}

fn push_bulk(value: &[u8], out: &mut Vec<u8>) {
    // Twenty digits are enough for every length.
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), value.len());
    while at == digits.len() || rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.push(b'$');
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

enum Step<'a> {
    Command { end: usize, args: [&'a [u8]; ARGS] },
    Incomplete,
}

fn next(input: &[u8], start: usize) -> Option<Step<'_>> {
    let Some((count, mut at)) = header(input, start, b'*')? else {
        return Some(Step::Incomplete);
    };
    let mut args: [&[u8]; ARGS] = [b""; ARGS];
    for arg in args.get_mut(..count)? {
        let Some((bytes, value)) = header(input, at, b'$')? else {
            return Some(Step::Incomplete);
        };
        at = value.checked_add(bytes)?.checked_add(2)?;
        if at > input.len() {
            return Some(Step::Incomplete);
        }
        *arg = &input[value..value + bytes];
    }
    Some(Step::Command { end: at, args })
}

/// Reads `kind`, digits and CR LF at `at`: the number and the place behind it. The inner `None`
/// says that more bytes are needed, the outer one that these are wrong.
fn header(input: &[u8], at: usize, kind: u8) -> Option<Option<(usize, usize)>> {
    let Some((first, digits)) = input.get(at..).and_then(<[u8]>::split_first) else {
        return Some(None);
    };
    if *first != kind {
        return None;
    }
    let mut number = 0usize;
    for (i, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                number = number
                    .checked_mul(10)?
                    .checked_add(usize::from(byte - b'0'))?
            }
            b'\r' if digits.len() > i + 1 => return Some(Some((number, at + i + 3))),
            b'\r' => return Some(None),
            _ => return None,
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_are_answered_up_to_the_last_whole_command() {
        let input = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n";
        for cut in 0..=input.len() {
            let mut out = Vec::new();
            let answered = Source::Fixed.answer(&input[..cut], &mut out).unwrap();
            let want = match cut {
                0..20 => (0, 0),
                20..48 => (20, GET_REPLY.len()),
                _ => (48, GET_REPLY.len() + 5),
            };
            assert_eq!((answered, out.len()), want, "cut at {cut}");
        }
    }

    #[test]
    fn the_map_keeps_what_was_set() {
        let mut map = Source::Map(HashMap::new());
        let get = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
        let mut out = Vec::new();
        map.answer(get, &mut out);
        map.answer(
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nabcdefghijkl\r\n",
            &mut out,
        );
        map.answer(get, &mut out);
        map.answer(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", &mut out);
        map.answer(get, &mut out);
        assert_eq!(
            out,
            b"$-1\r\n+OK\r\n$12\r\nabcdefghijkl\r\n+OK\r\n$0\r\n\r\n"
        );
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for input in [
            &b"PING\r\n"[..],
            b"*x\r\n",
            b"*1\r\n+GET\r\n",
            b"*99999999999999999999\r\n",
        ] {
            assert_eq!(Source::Fixed.answer(input, &mut Vec::new()), None);
        }
    }
}
