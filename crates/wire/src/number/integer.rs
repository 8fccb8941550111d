//! 64-bit integers: one spelling per number, so that what is parsed and written again is what was there.

/// The longest spelling: that of `i64::MIN`.
const MAX_DIGITS: usize = 20;

/// The integer that `text` spells, in the only accepted form: no sign but `-`, no leading zeros, no space, no
/// `-0`, within the range of `i64` (Redis's `string2ll`).
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    if text.len() > MAX_DIGITS {
        return None;
    }
    match text {
        [b'0'] => Some(0),
        [b'-', digits @ ..] => {
            parse_positive(digits).and_then(|value| 0i64.checked_sub_unsigned(value))
        }
        digits => parse_positive(digits).and_then(|value| i64::try_from(value).ok()),
    }
}

/// The decimal digits of `value`, in `buffer`.
#[inline]
pub fn format_i64(buffer: &mut itoa::Buffer, value: i64) -> &[u8] {
    buffer.format(value).as_bytes()
}

#[inline]
fn parse_positive(digits: &[u8]) -> Option<u64> {
    let first @ b'1'..=b'9' = *digits.first()? else {
        return None;
    };
    let mut value = u64::from(first - b'0');
    for byte in &digits[1..] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}
