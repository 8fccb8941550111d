//! Which slot a key lies in: CRC16 of its hash tag, as Redis Cluster has it.
//!
//! <https://redis.io/docs/reference/cluster-spec/>, "Key distribution model" and "Hash tags". The checksum is
//! CRC-16/XMODEM (polynomial 0x1021, initial value 0, nothing reflected), eight bytes a step.

/// Number of slots.
pub const SLOTS: u16 = 16384;

/// The slot of `key`.
///
/// If the key holds a `{` with a later `}` and at least one byte between them, only the bytes between the
/// first `{` and the first `}` after it count, so that clients can keep keys together.
#[inline]
pub fn slot_of(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) & (SLOTS - 1)
}

/// The part of `key` that decides its slot.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else {
        return key;
    };
    let tail = &key[open + 1..];
    match tail.iter().position(|byte| *byte == b'}') {
        Some(len) if len > 0 => &tail[..len],
        _ => key,
    }
}

/// CRC-16/XMODEM of `bytes`.
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        let head = crc ^ u16::from_be_bytes([chunk[0], chunk[1]]);
        crc = TABLES[7][usize::from(head >> 8)]
            ^ TABLES[6][usize::from(head & 0xff)]
            ^ TABLES[5][usize::from(chunk[2])]
            ^ TABLES[4][usize::from(chunk[3])]
            ^ TABLES[3][usize::from(chunk[4])]
            ^ TABLES[2][usize::from(chunk[5])]
            ^ TABLES[1][usize::from(chunk[6])]
            ^ TABLES[0][usize::from(chunk[7])];
    }
    for byte in rest {
        crc = step(crc, *byte);
    }
    crc
}

const POLYNOMIAL: u16 = 0x1021;

/// `TABLES[k][b]`: the checksum of byte `b` followed by `k` zero bytes.
static TABLES: [[u16; 256]; 8] = tables();

#[inline]
fn step(crc: u16, byte: u8) -> u16 {
    (crc << 8) ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)]
}

const fn tables() -> [[u16; 256]; 8] {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ POLYNOMIAL
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[zeros - 1][byte];
            tables[zeros][byte] = (crc << 8) ^ tables[0][(crc >> 8) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, slot: u16) {
        assert_eq!(slot_of(key.as_bytes()), slot, "key {key:?}");
    }

    #[test]
    fn slots_are_those_of_redis_cluster() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        check("", 0);
        check("123456789", 0x31C3);
        check("foo", 12182);
        check("bar", 5061);
        check("hello", 866);
        check("somekey", 11058);
        check("foo{hash_tag}", 2515);
        check("bar{hash_tag}", 2515);
    }

    #[test]
    fn hash_tags_follow_the_cluster_specification() {
        for (key, tag) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
            ("foo}bar{", "foo}bar{"),
            ("}{a}", "a"),
            ("{}", "{}"),
        ] {
            assert_eq!(hash_tag(key.as_bytes()), tag.as_bytes(), "key {key:?}");
        }
    }

    #[test]
    fn eight_bytes_a_step_equals_one_bit_a_step() {
        let bytes: Vec<u8> = (0..=255u8)
            .map(|i| i.wrapping_mul(167).wrapping_add(13))
            .collect();
        for len in 0..bytes.len() {
            assert_eq!(crc16(&bytes[..len]), bitwise(&bytes[..len]), "length {len}");
        }
    }

    fn bitwise(bytes: &[u8]) -> u16 {
        bytes.iter().fold(0, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte) << 8, |crc: u16, _| {
                if crc & 0x8000 == 0 {
                    crc << 1
                } else {
                    crc << 1 ^ POLYNOMIAL
                }
            })
        })
    }
}
