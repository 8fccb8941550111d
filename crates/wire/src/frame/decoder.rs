//! The client's side of a connection: replies out of bytes, however they were split.

use super::error::{DecodeError, DecodeFault};
use super::scan::{Item, Scan, next_item};
use super::value::Value;
use crate::number::{parse_f64, parse_i64};

/// Reads replies off one connection.
///
/// Both calls take a buffer that begins at the current reply's first byte, and after `None` the same bytes again with
/// more behind them. What was gone through is remembered, so replies may arrive in any pieces at no extra cost.
#[derive(Clone, Debug)]
pub struct Decoder {
    scan: Scan,
}

impl Decoder {
    /// A decoder at the beginning of a connection.
    pub const fn new() -> Self {
        Self { scan: Scan::new() }
    }

    /// The reply at the beginning of `buf` and its length in bytes, once it is there in full.
    ///
    /// Attributes are passed over: the reply is the one that they belong to.
    ///
    /// # Errors
    /// The bytes are no reply. The connection is to be closed; the decoder is of no further use.
    pub fn decode(&mut self, buf: &[u8]) -> Result<Option<(Value, usize)>, DecodeError> {
        let Some(len) = self.skip(buf)? else {
            return Ok(None);
        };
        let mut at = 0;
        let value = build(&buf[..len], &mut at)?;
        Ok(Some((value, len)))
    }

    /// The length of the reply at the beginning of `buf`, once it is there in full. Takes no memory. The contents of
    /// numbers and the like are not checked.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn skip(&mut self, buf: &[u8]) -> Result<Option<usize>, DecodeError> {
        let len = self.scan.advance(buf)?;
        if len.is_some() {
            self.scan = Scan::new();
        }
        Ok(len)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The length of the reply at the beginning of `buf`, if it is there in full: [`Decoder::skip`] for those who need
/// nothing kept between calls, such as a load generator whose replies are short.
///
/// # Errors
/// As [`Decoder::decode`].
#[inline]
pub fn skip(buf: &[u8]) -> Result<Option<usize>, DecodeError> {
    match next_item(buf, 0, &mut 0)? {
        None => Ok(None),
        Some(Item::Line { end } | Item::Bulk { end, .. }) => Ok(Some(end + 2)),
        Some(Item::Null { next } | Item::Container { values: 0, next }) => Ok(Some(next)),
        Some(Item::Container { .. }) => Scan::new().advance(buf),
    }
}

/// Builds the value at `at`, and moves `at` behind it. The scan has seen that it is whole and how deep it is.
fn build(buf: &[u8], at: &mut usize) -> Result<Value, DecodeError> {
    let start = *at;
    let bad_content = DecodeError {
        at: start,
        fault: DecodeFault::BadContent,
    };
    let item = next_item(buf, start, &mut 0)?.ok_or(bad_content)?;
    match item {
        Item::Line { end } => {
            *at = end + 2;
            line_value(buf[start], &buf[start + 1..end]).ok_or(bad_content)
        }
        Item::Bulk { start: first, end } => {
            *at = end + 2;
            bulk_value(buf[start], &buf[first..end]).ok_or(bad_content)
        }
        Item::Null { next } => {
            *at = next;
            Ok(Value::Null)
        }
        Item::Container { values, next } => {
            *at = next;
            build_container(buf, at, buf[start], values)
        }
    }
}

fn build_container(
    buf: &[u8],
    at: &mut usize,
    kind: u8,
    values: usize,
) -> Result<Value, DecodeError> {
    match kind {
        b'%' => {
            let pairs = (0..values / 2).map(|_| Ok((build(buf, at)?, build(buf, at)?)));
            Ok(Value::Map(pairs.collect::<Result<_, _>>()?))
        }
        b'|' => {
            for _ in 1..values {
                build(buf, at)?;
            }
            build(buf, at)
        }
        _ => {
            let elements = (0..values)
                .map(|_| build(buf, at))
                .collect::<Result<_, _>>()?;
            Ok(match kind {
                b'~' => Value::Set(elements),
                b'>' => Value::Push(elements),
                _ => Value::Array(elements),
            })
        }
    }
}

fn line_value(kind: u8, content: &[u8]) -> Option<Value> {
    Some(match kind {
        b'+' => Value::Simple(text(content)),
        b'-' => Value::Error(text(content)),
        b':' => Value::Int(parse_i64(content)?),
        b',' => Value::Double(if content == b"nan" {
            f64::NAN
        } else {
            parse_f64(content)?
        }),
        b'(' => Value::BigNumber(is_integer(content).then(|| text(content))?),
        b'#' => Value::Bool(match content {
            b"t" => true,
            b"f" => false,
            _ => return None,
        }),
        _ => content.is_empty().then_some(Value::Null)?,
    })
}

fn bulk_value(kind: u8, content: &[u8]) -> Option<Value> {
    Some(match kind {
        b'!' => Value::Error(text(content)),
        b'=' => {
            let (kind, text) = content.split_first_chunk::<3>()?;
            Value::Verbatim(*kind, text.strip_prefix(b":")?.to_vec())
        }
        _ => Value::Bulk(content.to_vec()),
    })
}

fn is_integer(content: &[u8]) -> bool {
    let digits = content.strip_prefix(b"-").unwrap_or(content);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn text(content: &[u8]) -> String {
    String::from_utf8_lossy(content).into_owned()
}
