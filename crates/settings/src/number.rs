//! Numbers as Redis's configuration writes them: whole numbers without frills, bytes with a unit,
//! modes in octal. Pure text to number; ranges are [`Kind`](crate::Kind)'s.

/// A whole number with no sign but `-`, no leading zeros, no space.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !digits.starts_with('0');
    if plain && canonical {
        text.parse().ok()
    } else {
        None
    }
}

/// Bytes: `1024`, `64b`, `10k` (thousands), `10kb` (1024s), and so for `m`, `mb`, `g`, `gb`.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let scale = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
        .1;
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1 << 30),
];

/// Bytes in the largest unit that divides them: `512mb`, `1gb`, `1000`.
pub(crate) fn show_bytes(bytes: u64) -> String {
    for (unit, scale) in [("gb", 1u64 << 30), ("mb", 1 << 20), ("kb", 1 << 10)] {
        if bytes > 0 && bytes.is_multiple_of(scale) {
            return format!("{}{unit}", bytes / scale);
        }
    }
    bytes.to_string()
}

/// A file mode in octal digits.
pub(crate) fn parse_octal(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain {
        u32::from_str_radix(text, 8).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_strict() {
        let rows = [
            ("0", Some(0)),
            ("-2", Some(-2)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            (" 1", None),
            ("1.0", None),
            ("abc", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_int(text), want, "{text:?}");
        }
    }

    #[test]
    fn bytes_take_units() {
        let rows = [
            ("0", Some(0)),
            ("100", Some(100)),
            ("64B", Some(64)),
            ("1k", Some(1000)),
            ("1kb", Some(1024)),
            ("11mb", Some(11 << 20)),
            ("2G", Some(2_000_000_000)),
            ("3Gb", Some(3 << 30)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551615kb", None),
            ("", None),
            ("kb", None),
            ("-1", None),
            ("1 mb", None),
            ("1tb", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_bytes(text), want, "{text:?}");
        }
    }

    #[test]
    fn bytes_are_shown_as_they_may_be_given() {
        for bytes in [0, 1, 1000, 1024, 1536, 10 << 20, 3 << 30, u64::MAX] {
            assert_eq!(parse_bytes(&show_bytes(bytes)), Some(bytes), "{bytes}");
        }
        assert_eq!(show_bytes(512 << 20), "512mb");
    }

    #[test]
    fn modes_are_octal() {
        for (text, want) in [
            ("700", Some(0o700)),
            ("0", Some(0)),
            ("8", None),
            ("", None),
            ("+7", None),
        ] {
            assert_eq!(parse_octal(text), want, "{text:?}");
        }
    }
}
