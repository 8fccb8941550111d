//! Inline commands: a line of words, as a person types them into a raw connection.
//!
//! Words are separated by white space and may be quoted as in Redis: `"…"` with `\n \r \t \b \a \xHH \" \\`, and
//! `'…'` with `\'`. Unlike arrays, whose arguments stay where they are, words are copied, unescaped, into a buffer
//! of the parser: nothing fast speaks this form.

use super::error::ProtocolError;
use crate::args::Span;

/// Splits `line` (without its line end) into words: their bytes go to `text`, where they lie to `spans`.
/// Both must be empty.
pub(super) fn split(
    line: &[u8],
    text: &mut Vec<u8>,
    spans: &mut Vec<Span>,
) -> Result<(), ProtocolError> {
    let mut rest = line.trim_ascii_start_c();
    while !rest.is_empty() {
        let start = text.len() as u32;
        rest = take_word(rest, text)?.trim_ascii_start_c();
        spans.push(Span {
            start,
            end: text.len() as u32,
        });
    }
    Ok(())
}

/// Moves one word to `text`; returns what follows it.
fn take_word<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match *rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Ok(rest),
            // A closing quote ends the word, so these return.
            [b'"', ref quoted @ ..] => return take_double_quoted(quoted, text),
            [b'\'', ref quoted @ ..] => return take_single_quoted(quoted, text),
            [byte, ref after @ ..] => {
                text.push(byte);
                rest = after;
            }
        }
    }
}

fn take_double_quoted<'a>(
    mut rest: &'a [u8],
    text: &mut Vec<u8>,
) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match *rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', ref after @ ..] => return after_quote(after),
            [b'\\', b'x', high, low, ref after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                text.push(hex_digit(high) << 4 | hex_digit(low));
                after
            }
            [b'\\', escaped, ref after @ ..] => {
                text.push(unescape(escaped));
                after
            }
            [byte, ref after @ ..] => {
                text.push(byte);
                after
            }
        }
    }
}

fn take_single_quoted<'a>(
    mut rest: &'a [u8],
    text: &mut Vec<u8>,
) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match *rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', ref after @ ..] => return after_quote(after),
            [b'\\', b'\'', ref after @ ..] => {
                text.push(b'\'');
                after
            }
            [byte, ref after @ ..] => {
                text.push(byte);
                after
            }
        }
    }
}

/// A closing quote must be followed by white space or the end.
fn after_quote(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

/// C's `isspace`: Rust's notion of ASCII white space leaves the vertical tab out.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

trait TrimStart {
    fn trim_ascii_start_c(&self) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_ascii_start_c(&self) -> &Self {
        let start = self
            .iter()
            .position(|byte| !is_space(*byte))
            .unwrap_or(self.len());
        &self[start..]
    }
}
