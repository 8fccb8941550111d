//! The x87 extended format, C's `long double` on x86-64: what `INCRBYFLOAT` and `HINCRBYFLOAT` compute in.
//!
//! Redis answers `10.5 + 0.1` with `10.6`, which doubles would not; and the sum it stores is what other servers and
//! clients will read. So the sums here are bit for bit those of an x86-64 machine: 64 bits of mantissa, rounded
//! to nearest, ties to even.

use super::binary::{EXTENDED, Exact, Format, Overflow, Rounded, parse_exponent, parse_hex};
use super::float::{is_hex, is_infinity, split_sign};
use super::natural::Natural;

/// The longest accepted spelling (Redis's `MAX_LONG_DOUBLE_CHARS`, less C's zero byte).
const MAX_TEXT_BYTES: usize = 5 * 1024 - 1;

/// Digits behind the point that replies show.
const FRACTION_DIGITS: usize = 17;

/// A long double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongDouble {
    negative: bool,
    size: Size,
}

/// A long double without its sign.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Finite(Rounded),
    Infinite,
    NotANumber,
}

impl LongDouble {
    /// Zero.
    pub const ZERO: Self = Self {
        negative: false,
        size: Size::Finite(Rounded {
            mantissa: 0,
            exponent: 0,
        }),
    };

    /// The number that `text` spells in full: as [`super::parse_f64`], in this format (Redis's `string2ld`).
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let (negative, digits) = split_sign(str::from_utf8(text).ok()?);
        if is_infinity(digits) {
            return Some(Self {
                negative,
                size: Size::Infinite,
            });
        }
        let exact = if is_hex(digits) {
            parse_hex(digits)?
        } else {
            parse_decimal(digits)?
        };
        let rounded = exact.round(&EXTENDED).ok()?;
        let underflowed = rounded.mantissa == 0 && exact.mantissa != 0;
        (!underflowed).then_some(Self {
            negative,
            size: Size::Finite(rounded),
        })
    }

    /// Whether it is neither infinite nor the absence of a number.
    pub const fn is_finite(self) -> bool {
        matches!(self.size, Size::Finite(_))
    }

    /// The number as a reply shows it: 17 digits behind the point, rounded, without zeros at the end; never with an
    /// exponent, however large (Redis's `ld2string` in its human-friendly mode).
    pub fn format(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        match self.size {
            Size::NotANumber => "nan".to_owned(),
            Size::Infinite => format!("{sign}inf"),
            Size::Finite(value) => match format_fixed(value) {
                digits if digits == "0" => digits,
                digits => format!("{sign}{digits}"),
            },
        }
    }

    const NOT_A_NUMBER: Self = Self {
        negative: false,
        size: Size::NotANumber,
    };

    fn from_exact(negative: bool, exact: Exact) -> Self {
        let size = match exact.round(&EXTENDED) {
            Ok(rounded) => Size::Finite(rounded),
            Err(Overflow) => Size::Infinite,
        };
        Self { negative, size }
    }
}

impl From<f64> for LongDouble {
    /// Exact: every double is one.
    fn from(value: f64) -> Self {
        let negative = value.is_sign_negative();
        if value.is_nan() {
            return Self::NOT_A_NUMBER;
        }
        if value.is_infinite() {
            return Self {
                negative,
                size: Size::Infinite,
            };
        }
        Self::from_exact(negative, Exact::of_f64(value.abs()))
    }
}

impl std::ops::Add for LongDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        match (self.size, other.size) {
            (Size::NotANumber, _) | (_, Size::NotANumber) => Self::NOT_A_NUMBER,
            (Size::Infinite, Size::Infinite) if self.negative != other.negative => {
                Self::NOT_A_NUMBER
            }
            (Size::Infinite, _) => self,
            (_, Size::Infinite) => other,
            (Size::Finite(a), Size::Finite(b)) => {
                add_finite((self.negative, a), (other.negative, b))
            }
        }
    }
}

/// A sign and what it belongs to.
type Signed = (bool, Rounded);

fn add_finite(a: Signed, b: Signed) -> LongDouble {
    if a.1.mantissa == 0 || b.1.mantissa == 0 {
        return add_zero(a, b);
    }
    let (large, small) = if is_larger(&a.1, &b.1) {
        (a, b)
    } else {
        (b, a)
    };
    // The larger one's last bit gets this many bits of room below it: enough for rounding, with what is lost of the
    // smaller one kept as one mark.
    const ROOM: u32 = 62;
    let wide = u128::from(large.1.mantissa) << ROOM;
    let distance = (large.1.exponent - small.1.exponent) as u32;
    let shifted = u128::from(small.1.mantissa) << ROOM;
    let (narrow, lost) = match distance {
        0..128 => (
            shifted >> distance,
            shifted & ((1u128 << distance) - 1) != 0,
        ),
        _ => (0, true),
    };
    let mantissa = if large.0 == small.0 {
        wide + narrow
    } else {
        // What is lost is taken away too: one less here, and the mark says that it was not all of one.
        wide - narrow - u128::from(lost)
    };
    let negative = large.0 && mantissa != 0;
    LongDouble::from_exact(
        negative,
        Exact {
            mantissa,
            exponent: large.1.exponent - ROOM as i32,
            inexact: lost,
        },
    )
}

fn add_zero(a: Signed, b: Signed) -> LongDouble {
    let (negative, value) = match (a.1.mantissa, b.1.mantissa) {
        (0, 0) => (a.0 && b.0, a.1),
        (0, _) => b,
        _ => a,
    };
    LongDouble {
        negative,
        size: Size::Finite(value),
    }
}

/// Whether `a` is at least `b`, both rounded to the format.
fn is_larger(a: &Rounded, b: &Rounded) -> bool {
    (a.exponent, a.mantissa) >= (b.exponent, b.mantissa)
}

/// The value of decimal digits with or without a point, then perhaps an exponent.
fn parse_decimal(text: &str) -> Option<Exact> {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, parse_exponent(power)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = Natural::from_digits(digits());
    Some(times_power_of_ten(number, power - fraction.len() as i32))
}

/// `number × 10^power`, to more bits than any format holds.
fn times_power_of_ten(mut number: Natural, power: i32) -> Exact {
    // Beyond these the result is infinite, or zero, whatever the digits are.
    const MAX_POWER: i32 = 5_000;
    const MIN_POWER: i32 = -15_000;
    if number.is_zero() {
        return Exact {
            mantissa: 0,
            exponent: 0,
            inexact: false,
        };
    }
    let power = power.clamp(MIN_POWER, MAX_POWER);
    if power >= 0 {
        number.scale_by_ten(power as u32);
        let (mantissa, shift, inexact) = number.top_128();
        return Exact {
            mantissa,
            exponent: shift as i32,
            inexact,
        };
    }
    let mut divisor = Natural::from_u64(1);
    divisor.scale_by_ten(power.unsigned_abs());
    divide(number, divisor)
}

/// `number / divisor`, both above zero, by long division of as many bits as rounding needs.
fn divide(mut number: Natural, mut divisor: Natural) -> Exact {
    const QUOTIENT_BITS: u32 = EXTENDED_GUARDED_BITS;
    // Make the quotient lie between 1/2 and 2, then take it bit by bit.
    let shift = i64::from(divisor.bits()) - i64::from(number.bits());
    if shift >= 0 {
        number.shift_left(shift as u32);
    } else {
        divisor.shift_left(-shift as u32);
    }
    let mut mantissa = 0u128;
    for i in 0..QUOTIENT_BITS {
        if i > 0 {
            number.shift_left(1);
        }
        mantissa = mantissa << 1 | u128::from(number.subtract_if_fits(&divisor));
    }
    let exponent = -(shift as i32) - (QUOTIENT_BITS as i32 - 1);
    Exact {
        mantissa,
        exponent,
        inexact: !number.is_zero(),
    }
}

/// Bits of a quotient: a mantissa's 64, one for a quotient below 1, and two to round by.
const EXTENDED_GUARDED_BITS: u32 = 67;
const _: () = assert!(EXTENDED_GUARDED_BITS as i32 >= Format::BITS_OF_EXTENDED + 3);

/// As C's `%.17Lf`, without zeros at the end.
fn format_fixed(value: Rounded) -> String {
    let Rounded { mantissa, exponent } = value;
    if exponent >= 0 {
        let mut number = Natural::from_u64(mantissa);
        number.shift_left(exponent as u32);
        return String::from_utf8(number.into_digits()).expect("digits are ASCII");
    }
    // In units of the last digit shown: 64 bits times 10^17 fit 121 bits.
    let exact = Exact {
        mantissa: u128::from(mantissa) * 10u128.pow(FRACTION_DIGITS as u32),
        exponent: 0,
        inexact: false,
    };
    let units = exact.shift_right_rounding(exponent.unsigned_abs());
    let unit = 10u128.pow(FRACTION_DIGITS as u32);
    let text = format!("{}.{:017}", units / unit, units % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
