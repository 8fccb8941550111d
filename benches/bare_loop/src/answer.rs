//! Splitting a pipeline into commands and answering each with a fixed reply. Nothing is stored.

/// The reply to GET: a value of 64 bytes, the size that is compared.
const GET_REPLY: &[u8] = concat!(
    "$64\r\n",
    "abcdefghijklmnopqrstuvwxyz012345abcdefghijklmnopqrstuvwxyz012345",
    "\r\n"
)
.as_bytes();

/// Answers every complete command at the front of `input`. Gives the length of what was answered.
///
/// Commands are arrays of bulk strings; anything else is an error and `None`.
pub(crate) fn answer(input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let mut answered = 0;
    while let Step::Command { end, name } = next(input, answered)? {
        out.extend_from_slice(reply(name));
        answered = end;
    }
    Some(answered)
}

fn reply(name: &[u8]) -> &'static [u8] {
    match name {
        b"GET" | b"get" => GET_REPLY,
        b"SET" | b"set" => b"+OK\r\n",
        b"PING" | b"ping" => b"+PONG\r\n",
        // What redis-benchmark asks before it begins.
        b"CONFIG" | b"config" | b"COMMAND" => b"*0\r\n",
        _ => b"-ERR this is no server\r\n",
    }
}

enum Step<'a> {
    Command { end: usize, name: &'a [u8] },
    Incomplete,
}

fn next(input: &[u8], start: usize) -> Option<Step<'_>> {
    let Some((args, mut at)) = header(input, start, b'*')? else {
        return Some(Step::Incomplete);
    };
    let mut name: &[u8] = b"";
    for i in 0..args {
        let Some((bytes, value)) = header(input, at, b'$')? else {
            return Some(Step::Incomplete);
        };
        at = value.checked_add(bytes)?.checked_add(2)?;
        if at > input.len() {
            return Some(Step::Incomplete);
        }
        if i == 0 {
            name = &input[value..value + bytes];
        }
    }
    Some(Step::Command { end: at, name })
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
            let answered = answer(&input[..cut], &mut out).unwrap();
            let want = match cut {
                0..20 => (0, 0),
                20..48 => (20, GET_REPLY.len()),
                _ => (48, GET_REPLY.len() + 5),
            };
            assert_eq!((answered, out.len()), want, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for input in [
            &b"PING\r\n"[..],
            b"*x\r\n",
            b"*1\r\n+GET\r\n",
            b"*99999999999999999999\r\n",
        ] {
            assert_eq!(answer(input, &mut Vec::new()), None);
        }
    }
}
