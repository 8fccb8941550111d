//! Which numbers can be asked for, and what the answer is.

/// The greatest number whose Fibonacci number fits into 128 bits.
pub const NUMBER_MAX: u8 = 186;

/// Why a line is no number that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Nothing in it.
    #[error("an empty line: send a number from 0 to {NUMBER_MAX}")]
    Empty,
    /// Something else than digits.
    #[error("not a number: send digits alone, from 0 to {NUMBER_MAX}")]
    NotDigits,
    /// Beyond what fits.
    #[error("too large: Fibonacci numbers up to that of {NUMBER_MAX} fit into 128 bits")]
    TooLarge,
}

/// The number that a line asks for.
///
/// # Errors
///
/// [`BadNumber`], in words for whoever sent the line.
pub fn parse_number(line: &[u8]) -> Result<u8, BadNumber> {
    if line.is_empty() {
        return Err(BadNumber::Empty);
    }
    if !line.iter().all(u8::is_ascii_digit) {
        return Err(BadNumber::NotDigits);
    }
    let digits = line.iter().map(|digit| u64::from(digit - b'0'));
    let number = digits.fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(digit)
    });
    u8::try_from(number)
        .ok()
        .filter(|number| *number <= NUMBER_MAX)
        .ok_or(BadNumber::TooLarge)
}

/// The Fibonacci number: 0, 1, 1, 2, 3, …
///
/// # Panics
///
/// Beyond [`NUMBER_MAX`].
pub fn fibonacci(number: u8) -> u128 {
    assert!(number <= NUMBER_MAX, "{number} is beyond {NUMBER_MAX}");
    // `next` may overflow at the last step, where it is not needed any more.
    let step = |(now, next): (u128, u128), _| (next, now.wrapping_add(next));
    (0..number).fold((0, 1), step).0
}

#[cfg(test)]
mod tests {
    use super::{BadNumber, NUMBER_MAX, fibonacci, parse_number};

    #[test]
    fn known_numbers() {
        let rows = [
            (0, 0),
            (1, 1),
            (2, 1),
            (42, 267_914_296),
            (
                NUMBER_MAX,
                332_825_110_087_067_562_321_196_029_789_634_457_848,
            ),
        ];
        for (number, expected) in rows {
            assert_eq!(fibonacci(number), expected, "of {number}");
        }
        for number in 2..=NUMBER_MAX {
            let sum = fibonacci(number - 1).checked_add(fibonacci(number - 2));
            assert_eq!(sum, Some(fibonacci(number)), "of {number}");
        }
    }

    #[test]
    fn lines() {
        let rows: [(&[u8], _); 11] = [
            (b"0", Ok(0)),
            (b"42", Ok(42)),
            (b"0042", Ok(42)),
            (b"186", Ok(186)),
            (b"187", Err(BadNumber::TooLarge)),
            (b"256", Err(BadNumber::TooLarge)),
            (b"99999999999999999999999999", Err(BadNumber::TooLarge)),
            (b"", Err(BadNumber::Empty)),
            (b"-1", Err(BadNumber::NotDigits)),
            (b"4 2", Err(BadNumber::NotDigits)),
            (b"\xff\x00", Err(BadNumber::NotDigits)),
        ];
        for (line, expected) in rows {
            assert_eq!(parse_number(line), expected, "{}", line.escape_ascii());
        }
    }
}
