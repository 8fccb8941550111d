//! Folding the replies of a command's parts into the one reply that its caller expects.

use corelane_store::Split;
use corelane_wire::{Proto, Reply};

/// The reply for a command whose shard left before it answered; only a failing node gets here.
pub(crate) const SHARD_GONE: &[u8] =
    b"-ERR the shard that owns this key has stopped; the node is going down\r\n";

/// Folds `replies`, one per part; `key_parts` names each key's part, in the caller's order.
pub(crate) fn fold(split: Split, replies: &[&[u8]], key_parts: &[u16], out: &mut Vec<u8>) {
    if let Some(error) = replies.iter().find(|reply| is_error(reply)) {
        out.extend_from_slice(error);
        return;
    }
    match split {
        Split::Sum => {
            let total = replies.iter().map(|reply| integer(reply)).sum();
            Reply::new(out, Proto::Resp2).int(total);
        }
        Split::InOrder => in_order(replies, key_parts, out),
        _ => out.extend_from_slice(replies[0]),
    }
}

fn is_error(reply: &[u8]) -> bool {
    reply.first() == Some(&b'-')
}

/// The number in `:123\r\n`.
pub(crate) fn integer(reply: &[u8]) -> i64 {
    let digits = reply
        .strip_prefix(b":")
        .and_then(|r| r.strip_suffix(b"\r\n"));
    digits
        .and_then(corelane_wire::number::parse_i64)
        .unwrap_or_default()
}

/// One array of all parts' elements, in the order of the caller's keys.
fn in_order(replies: &[&[u8]], key_parts: &[u16], out: &mut Vec<u8>) {
    let mut rest: Vec<&[u8]> = replies.iter().map(|reply| elements(reply)).collect();
    Reply::new(out, Proto::Resp2).array(key_parts.len());
    for part in key_parts {
        let source = &mut rest[*part as usize];
        let length = element_len(source);
        out.extend_from_slice(&source[..length]);
        *source = &source[length..];
    }
}

/// The number of elements that an array's header `*3\r\n` (or `~3\r\n`) announces.
pub(crate) fn array_len(reply: &[u8]) -> usize {
    let header = reply[..memchr_crlf(reply)].trim_ascii_end();
    let digits = header.get(1..).and_then(corelane_wire::number::parse_i64);
    digits
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or_default()
}

/// What follows an array's header.
pub(crate) fn elements(reply: &[u8]) -> &[u8] {
    let header = memchr_crlf(reply);
    &reply[header..]
}

fn memchr_crlf(reply: &[u8]) -> usize {
    reply
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(reply.len(), |at| at + 1)
}

/// Length of the first whole value of `bytes`, which this node wrote itself.
fn element_len(bytes: &[u8]) -> usize {
    match corelane_wire::skip(bytes) {
        Ok(Some(length)) => length,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fold_into_one_reply() {
        #[track_caller]
        fn check(split: Split, replies: &[&str], keys: &[u16], expected: &str) {
            let replies: Vec<&[u8]> = replies.iter().map(|r| r.as_bytes()).collect();
            let mut out = Vec::new();
            fold(split, &replies, keys, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
        check(
            Split::Sum,
            &[":2\r\n", ":3\r\n"],
            &[0, 1, 0, 1, 1],
            ":5\r\n",
        );
        check(Split::AllOk, &["+OK\r\n", "+OK\r\n"], &[0, 1], "+OK\r\n");
        check(
            Split::AllOk,
            &["+OK\r\n", "-OOM no\r\n"],
            &[0, 1],
            "-OOM no\r\n",
        );
        check(
            Split::InOrder,
            &["*2\r\n$1\r\na\r\n$-1\r\n", "*1\r\n$1\r\nb\r\n"],
            &[0, 1, 0],
            "*3\r\n$1\r\na\r\n$1\r\nb\r\n$-1\r\n",
        );
    }
}
