//! Natural numbers of any size: the little of them that exact decimal conversion of long doubles needs.

/// A natural number, as digits of base 2³² with the least first and no zero at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural {
    limbs: Vec<u32>,
}

const LIMB_BITS: u32 = u32::BITS;

/// The largest power of ten in a limb, and its exponent.
const CHUNK: u32 = 1_000_000_000;
const CHUNK_DIGITS: usize = 9;

impl Natural {
    /// The number that these decimal digits spell.
    pub(super) fn from_digits(digits: impl IntoIterator<Item = u8>) -> Self {
        let mut number = Self::default();
        let (mut chunk, mut factor) = (0u32, 1u32);
        for digit in digits {
            chunk = chunk * 10 + u32::from(digit - b'0');
            factor *= 10;
            if factor == CHUNK {
                number.multiply_add(factor, chunk);
                (chunk, factor) = (0, 1);
            }
        }
        number.multiply_add(factor, chunk);
        number
    }

    pub(super) fn from_u64(value: u64) -> Self {
        let mut number = Self {
            limbs: vec![value as u32, (value >> LIMB_BITS) as u32],
        };
        number.trim();
        number
    }

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    /// Bits up to the highest that is set.
    pub(super) fn bits(&self) -> u32 {
        let top = self.limbs.last().map_or(0, |limb| limb.leading_zeros());
        self.limbs.len() as u32 * LIMB_BITS - top
    }

    /// `self × factor + addend`, in place.
    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.limbs {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= LIMB_BITS;
        }
        self.limbs.push(carry as u32);
        self.trim();
    }

    /// `self × 10^power`, in place.
    pub(super) fn scale_by_ten(&mut self, power: u32) {
        for _ in 0..power as usize / CHUNK_DIGITS {
            self.multiply_add(CHUNK, 0);
        }
        self.multiply_add(10u32.pow(power % CHUNK_DIGITS as u32), 0);
    }

    /// `self × 2^by`, in place.
    pub(super) fn shift_left(&mut self, by: u32) {
        self.multiply_add(1 << (by % LIMB_BITS), 0);
        let zeros = (by / LIMB_BITS) as usize;
        if !self.is_zero() {
            self.limbs.splice(0..0, std::iter::repeat_n(0, zeros));
        }
    }

    /// Takes `other` away if it is not larger; whether it was done.
    pub(super) fn subtract_if_fits(&mut self, other: &Self) -> bool {
        if self.limbs.len() < other.limbs.len()
            || self.limbs.len() == other.limbs.len()
                && self.limbs.iter().rev().lt(other.limbs.iter().rev())
        {
            return false;
        }
        let mut borrow = false;
        for (i, limb) in self.limbs.iter_mut().enumerate() {
            let taken = other.limbs.get(i).copied().unwrap_or(0);
            let (rest, under) = limb.overflowing_sub(taken);
            let (rest, under_again) = rest.overflowing_sub(borrow.into());
            *limb = rest;
            borrow = under || under_again;
        }
        self.trim();
        true
    }

    /// The highest 128 bits, by how many bits they are shifted, and whether lower ones are lost.
    pub(super) fn top_128(&self) -> (u128, u32, bool) {
        let shift = self.bits().saturating_sub(128);
        let mut top = 0u128;
        let mut lost = false;
        for (i, limb) in self.limbs.iter().enumerate() {
            let place = i as i64 * i64::from(LIMB_BITS) - i64::from(shift);
            let limb = u128::from(*limb);
            if place >= 0 {
                top |= limb << place;
            } else {
                let below = (-place).min(127) as u32;
                top |= limb >> below;
                lost |= below >= LIMB_BITS && limb != 0
                    || below < LIMB_BITS && limb & ((1 << below) - 1) != 0;
            }
        }
        (top, shift, lost)
    }

    /// Its decimal digits.
    pub(super) fn into_digits(mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while !self.is_zero() {
            let mut chunk = self.divide_by_chunk();
            for _ in 0..CHUNK_DIGITS {
                digits.push(b'0' + (chunk % 10) as u8);
                chunk /= 10;
            }
        }
        let len = digits
            .iter()
            .rposition(|digit| *digit != b'0')
            .map_or(0, |last| last + 1);
        digits.truncate(len.max(1));
        if digits.is_empty() {
            digits.push(b'0');
        }
        digits.reverse();
        digits
    }

    /// Divides by [`CHUNK`] in place; the remainder.
    fn divide_by_chunk(&mut self) -> u32 {
        let mut rest = 0u64;
        for limb in self.limbs.iter_mut().rev() {
            let value = rest << LIMB_BITS | u64::from(*limb);
            *limb = (value / u64::from(CHUNK)) as u32;
            rest = value % u64::from(CHUNK);
        }
        self.trim();
        rest as u32
    }

    fn trim(&mut self) {
        let len = self
            .limbs
            .iter()
            .rposition(|limb| *limb != 0)
            .map_or(0, |last| last + 1);
        self.limbs.truncate(len);
    }
}
