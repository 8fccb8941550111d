//! Doubles, such as the scores of sorted sets. (`INCRBYFLOAT` and `HINCRBYFLOAT` compute in long doubles instead.)

use super::binary::{DOUBLE, parse_hex};
use super::text::NumberText;

/// The exponents from which on, and below which, C's `%.17g` writes an exponent.
const MAX_FIXED_EXPONENT: i32 = 17;
const MIN_FIXED_EXPONENT: i32 = -4;

/// The double that `text` spells in full: decimal or (as C's `strtod` has it) hexadecimal, `inf` and `infinity` in
/// any case, a sign of either kind. No space, no `nan`, nothing that overflows, nothing but zero that becomes zero
/// (Redis's `string2d`).
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let (negative, digits) = split_sign(text);
    if is_infinity(digits) {
        return Some(if negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        });
    }
    let value = if is_hex(digits) {
        parse_hex_double(digits)?
    } else {
        parse_decimal(digits)?
    };
    Some(if negative { -value } else { value })
}

/// `value` as a reply shows it: the fewest digits that read back to the same double, laid out as `%.17g`
/// lays them out: `3`, `0.1`, `1e+17`, `1e-05`, `inf`, `-0`.
pub fn format_f64(value: f64) -> NumberText {
    let mut text = NumberText::new();
    if value.is_nan() {
        text.push(b"nan");
        return text;
    }
    if value.is_sign_negative() {
        text.push(b"-");
    }
    if value.is_infinite() {
        text.push(b"inf");
    } else if value == 0.0 {
        text.push(b"0");
    } else {
        let decimal = Decimal::shortest(value.abs());
        decimal.write(&mut text);
    }
    text
}

pub(super) fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

pub(super) fn is_infinity(digits: &str) -> bool {
    digits.eq_ignore_ascii_case("inf") || digits.eq_ignore_ascii_case("infinity")
}

pub(super) fn is_hex(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'0', b'x' | b'X', ..])
}

/// Rust's grammar for decimal floats is C's, once signs, infinities and `nan` are out of the way.
fn parse_decimal(digits: &str) -> Option<f64> {
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    let underflowed = value == 0.0 && has_nonzero_digit(digits);
    (value.is_finite() && !underflowed).then_some(value)
}

fn parse_hex_double(digits: &str) -> Option<f64> {
    let exact = parse_hex(digits)?;
    let value = exact.round(&DOUBLE).ok()?.to_f64();
    (value != 0.0 || exact.mantissa == 0).then_some(value)
}

/// Whether the digits before any exponent hold one that is not zero.
fn has_nonzero_digit(digits: &str) -> bool {
    digits
        .bytes()
        .take_while(|byte| !matches!(byte, b'e' | b'E'))
        .any(|byte| matches!(byte, b'1'..=b'9'))
}

/// A positive number's digits and where its point stands: `d₁.d₂…dₙ × 10^exponent`.
struct Decimal {
    digits: [u8; Self::MAX_DIGITS],
    len: usize,
    exponent: i32,
}

impl Decimal {
    const MAX_DIGITS: usize = 17;

    /// The fewest digits that read back to `value`, which is positive and finite.
    fn shortest(value: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        let (mantissa, scale) = match text.split_once('e') {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse().expect("an exponent is a number"))
            }
            None => (text, 0),
        };
        let whole = mantissa.find('.').unwrap_or(mantissa.len());
        let mut digits = mantissa
            .bytes()
            .filter(|byte| *byte != b'.')
            .enumerate()
            .skip_while(|(_, byte)| *byte == b'0');
        let mut decimal = Self {
            digits: [b'0'; Self::MAX_DIGITS],
            len: 0,
            exponent: 0,
        };
        let Some((first, byte)) = digits.next() else {
            return decimal;
        };
        decimal.exponent = scale + whole as i32 - 1 - first as i32;
        decimal.digits[0] = byte;
        decimal.len = 1;
        for (at, byte) in digits.map(|(at, byte)| (at - first, byte)) {
            if byte != b'0' {
                decimal.digits[at] = byte;
                decimal.len = at + 1;
            }
        }
        decimal
    }

    fn write(&self, text: &mut NumberText) {
        let digits = &self.digits[..self.len];
        match self.exponent {
            ..MIN_FIXED_EXPONENT | MAX_FIXED_EXPONENT.. => self.write_scientific(digits, text),
            ..0 => {
                text.push(b"0.");
                text.push(&b"000"[..(-self.exponent - 1) as usize]);
                text.push(digits);
            }
            exponent => {
                let whole = exponent as usize + 1;
                text.push(&self.digits[..whole.min(Self::MAX_DIGITS)]);
                if digits.len() > whole {
                    text.push(b".");
                    text.push(&digits[whole..]);
                }
            }
        }
    }

    fn write_scientific(&self, digits: &[u8], text: &mut NumberText) {
        text.push(&digits[..1]);
        if digits.len() > 1 {
            text.push(b".");
            text.push(&digits[1..]);
        }
        text.push(if self.exponent < 0 { b"e-" } else { b"e+" });
        let exponent = self.exponent.unsigned_abs();
        if exponent < 10 {
            text.push(b"0");
        }
        text.push(itoa::Buffer::new().format(exponent).as_bytes());
    }
}
