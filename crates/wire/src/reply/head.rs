//! The line that opens a reply or an argument: a type byte, a number, CR LF, such as `$3`, `*-1`, `:1234`.
//!
//! Short numbers, which are most, go out as arrays of a size the compiler knows, which it stores without a call.

/// The longest such line: a type byte, the 20 characters of `i64::MIN`, CR LF.
pub(crate) const MAX_HEAD_BYTES: usize = 23;

/// Appends the line for a length.
#[inline]
pub(crate) fn push_len(out: &mut Vec<u8>, kind: u8, len: usize) {
    let digit = |unit: usize| b'0' + (len / unit % 10) as u8;
    match len {
        0..10 => out.extend_from_slice(&[kind, digit(1), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[kind, digit(10), digit(1), b'\r', b'\n']),
        100..1000 => out.extend_from_slice(&[kind, digit(100), digit(10), digit(1), b'\r', b'\n']),
        _ => push_digits(out, kind, itoa::Buffer::new().format(len)),
    }
}

/// Appends the line for any integer.
#[inline]
pub(crate) fn push_int(out: &mut Vec<u8>, kind: u8, value: i64) {
    match value {
        0..1000 => push_len(out, kind, value as usize),
        _ => push_digits(out, kind, itoa::Buffer::new().format(value)),
    }
}

fn push_digits(out: &mut Vec<u8>, kind: u8, digits: &str) {
    out.reserve(MAX_HEAD_BYTES);
    out.push(kind);
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends a bulk string.
#[inline]
pub(crate) fn push_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(MAX_HEAD_BYTES + bytes.len() + 2);
    push_len(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}
