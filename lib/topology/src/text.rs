//! Sizes and counts as people write them: read from sysfs, written into reasons and tables.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Bytes with a binary unit, rounded to one digit after the point: `409.6 MiB`, `2 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        TIB.. => (TIB, "TiB"),
        GIB.. => (GIB, "GiB"),
        MIB.. => (MIB, "MiB"),
        KIB.. => (KIB, "KiB"),
        _ => return format!("{count} B"),
    };
    let tenths = (u128::from(count) * 10 + u128::from(unit) / 2) / u128::from(unit);
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        tenth => format!("{}.{tenth} {name}", tenths / 10),
    }
}

/// A count with its noun: `1 shard`, `2 shards`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A cache size as sysfs writes it: `48K`, `32768K`, `1M`; a bare number is bytes.
pub(crate) fn parse_cache_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], KIB),
        b'M' => (&text[..text.len() - 1], MIB),
        b'G' => (&text[..text.len() - 1], GIB),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The bytes on the line of a `meminfo` file that holds `field`: `MemTotal:  24684092 kB`.
///
/// A node's own file writes `Node 0` before the field's name, so the name may stand anywhere.
pub(crate) fn meminfo_bytes(meminfo: &str, field: &str) -> Option<u64> {
    let mut lines = meminfo.lines().map(str::split_whitespace);
    let mut after = lines.find_map(|mut words| words.any(|word| word == field).then_some(words))?;
    after.next()?.parse::<u64>().ok()?.checked_mul(KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_to_tenths() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (2 * MIB - 1, "2 MiB"),
            (512 * MIB * 8 / 10, "409.6 MiB"),
            (GIB, "1 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn cache_sizes_are_read() {
        for (text, expected) in [
            ("48K", Some(48 << 10)),
            ("1M", Some(1 << 20)),
            ("64", Some(64)),
            ("", None),
            ("K", None),
            ("-1K", None),
            ("1ü", None),
            ("18446744073709551615G", None),
        ] {
            assert_eq!(parse_cache_bytes(text), expected, "for {text:?}");
        }
    }

    #[test]
    fn meminfo_lines_are_found_by_their_whole_name() {
        let machine = "MemTotal:       2 kB\nMemTotalling:  7 kB\nMemAvailable:   1 kB\n";
        assert_eq!(meminfo_bytes(machine, "MemTotal:"), Some(2048));
        assert_eq!(meminfo_bytes(machine, "MemAvailable:"), Some(1024));
        assert_eq!(meminfo_bytes(machine, "MemFree:"), None);
        assert_eq!(
            meminfo_bytes("Node 0 MemTotal:  3 kB", "MemTotal:"),
            Some(3072)
        );
        assert_eq!(
            meminfo_bytes("MemTotal: 18446744073709551615 kB", "MemTotal:"),
            None
        );
        assert_eq!(meminfo_bytes("MemTotal:", "MemTotal:"), None);
    }
}
