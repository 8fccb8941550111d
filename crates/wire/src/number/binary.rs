//! Rounding of exact binary values to a floating format, and the hexadecimal spelling that C accepts for them.

/// A positive value `mantissa × 2^exponent`, plus something below the mantissa's last bit if `inexact`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    pub(super) mantissa: u128,
    pub(super) exponent: i32,
    pub(super) inexact: bool,
}

/// A floating format: how many bits a mantissa has, and the exponents of its last bit.
pub(super) struct Format {
    bits: i32,
    min_exponent: i32,
    max_exponent: i32,
}

/// IEEE 754 binary64.
pub(super) const DOUBLE: Format = Format {
    bits: 53,
    min_exponent: -1074,
    max_exponent: 971,
};

/// The x87 extended format, which is C's `long double` on x86-64.
pub(super) const EXTENDED: Format = Format {
    bits: Format::BITS_OF_EXTENDED,
    min_exponent: -16445,
    max_exponent: 16320,
};

impl Format {
    pub(super) const BITS_OF_EXTENDED: i32 = 64;
}

/// A value rounded to a format: `mantissa × 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rounded {
    pub(super) mantissa: u64,
    pub(super) exponent: i32,
}

/// The first bit of a normal double's mantissa, which is not stored.
const HIDDEN_BIT: u64 = 1 << 52;

/// The value is too large for the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

impl Exact {
    /// The value of a double that is not negative.
    pub(super) fn of_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let (biased, fraction) = ((bits >> 52) as i32, bits & (HIDDEN_BIT - 1));
        let (mantissa, exponent) = if biased == 0 {
            (fraction, DOUBLE.min_exponent)
        } else {
            (fraction | HIDDEN_BIT, biased - 1 + DOUBLE.min_exponent)
        };
        Self {
            mantissa: mantissa.into(),
            exponent,
            inexact: false,
        }
    }

    /// The nearest value of `format`, the even one of two equally near.
    pub(super) fn round(self, format: &Format) -> Result<Rounded, Overflow> {
        let top = 128 - self.mantissa.leading_zeros() as i32;
        let exponent = (self.exponent + top - format.bits).max(format.min_exponent);
        let by = exponent - self.exponent;
        let mut exponent = exponent;
        // A mantissa that is too short for the format moves left, and nothing is lost.
        let mut mantissa = if by <= 0 {
            self.mantissa << -by
        } else {
            self.shift_right_rounding(by.unsigned_abs())
        };
        if mantissa >> format.bits != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
        if mantissa != 0 && exponent > format.max_exponent {
            return Err(Overflow);
        }
        if mantissa == 0 {
            exponent = 0;
        }
        Ok(Rounded {
            mantissa: mantissa as u64,
            exponent,
        })
    }

    /// The mantissa moved right by `by` bits: the nearest whole value, the even one of two equally near.
    pub(super) fn shift_right_rounding(self, by: u32) -> u128 {
        let Self {
            mantissa, inexact, ..
        } = self;
        if by == 0 {
            return mantissa;
        }
        if by > u128::BITS {
            return 0;
        }
        let half = 1u128 << (by - 1);
        let kept = mantissa.checked_shr(by).unwrap_or(0);
        let rest = mantissa & (half | (half - 1));
        let up = rest > half || rest == half && (inexact || kept & 1 == 1);
        kept + u128::from(up)
    }
}

impl Rounded {
    /// The double, of a value rounded to [`DOUBLE`].
    pub(super) fn to_f64(self) -> f64 {
        if self.mantissa < HIDDEN_BIT {
            return f64::from_bits(self.mantissa);
        }
        let biased = (self.exponent - DOUBLE.min_exponent + 1) as u64;
        f64::from_bits(biased << 52 | self.mantissa & (HIDDEN_BIT - 1))
    }
}

/// The value of `0x…` (the sign is gone): hexadecimal digits with or without a point, then perhaps `p` and a power
/// of two.
pub(super) fn parse_hex(text: &str) -> Option<Exact> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    let (digits, power) = match digits.split_once(['p', 'P']) {
        Some((digits, power)) => (digits, parse_exponent(power)?),
        None => (digits, 0),
    };
    let mut exact = Exact {
        mantissa: 0,
        exponent: power,
        inexact: false,
    };
    let (mut any, mut in_fraction) = (false, false);
    for c in digits.chars() {
        if c == '.' && !in_fraction {
            in_fraction = true;
            continue;
        }
        let digit = u128::from(c.to_digit(16)?);
        any = true;
        let fits = exact.mantissa >> 124 == 0;
        if fits {
            exact.mantissa = exact.mantissa << 4 | digit;
        } else {
            exact.inexact |= digit != 0;
        }
        // A digit that fits moves the point in a fraction; one that does not moves it in a whole part.
        exact.exponent += 4 * (i32::from(!fits) - i32::from(in_fraction));
    }
    any.then_some(exact)
}

/// A decimal exponent with an optional sign. Those beyond any format come back as a bound that is beyond it too.
pub(super) fn parse_exponent(text: &str) -> Option<i32> {
    const BEYOND: i32 = 1_000_000;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .parse::<i32>()
        .map_or(BEYOND, |size| size.min(BEYOND));
    Some(if text.starts_with('-') { -size } else { size })
}
