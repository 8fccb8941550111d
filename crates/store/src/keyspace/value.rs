//! What a key holds, borrowed or on its own.

use crate::entry::{Entry, Kind, Payload, Word};

/// A key with what it holds, borrowed from the keyspace.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a>(pub(super) Entry<'a>);

/// A string as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Str<'a> {
    /// A canonical integer.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

/// Longest string that Redis would keep in one piece with its object.
const EMBEDDED_BYTES: usize = 44;

/// A key's share of its bucket: its word and its tag, at the load that tables have on average.
const WORD_SHARE_BYTES: usize = 11;

impl<'a> Value<'a> {
    /// The key's name.
    #[inline]
    pub fn name(self) -> &'a [u8] {
        self.0.key()
    }

    /// The string it holds.
    #[inline]
    pub fn string(self) -> Str<'a> {
        match self.0.payload() {
            Payload::Int(int) => Str::Int(int),
            Payload::Bytes(bytes) => Str::Bytes(bytes),
        }
    }

    /// The type's name as `TYPE` tells it.
    pub fn type_name(self) -> &'static str {
        "string"
    }

    /// The encoding's name as `OBJECT ENCODING` tells it.
    pub fn encoding(self) -> &'static str {
        match (self.0.kind(), self.0.payload()) {
            (_, Payload::Int(_)) => "int",
            (Kind::Inline, Payload::Bytes(bytes)) if bytes.len() <= EMBEDDED_BYTES => "embstr",
            _ => "raw",
        }
    }

    /// When the key expires, unix time in ms.
    #[inline]
    pub fn expire_at_ms(self) -> Option<u64> {
        self.0.expire_at_ms()
    }

    /// Whether its time has come.
    #[inline]
    pub fn is_expired(self, now_ms: u64) -> bool {
        self.expire_at_ms().is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// Seconds since the key was last used, up to 194 days.
    pub fn idle_s(self, now_ms: u64) -> u64 {
        u64::from(clock(now_ms).wrapping_sub(self.0.clock()) & CLOCK_MASK)
    }

    /// Bytes of memory that the key takes, its share of the table included.
    pub fn memory_bytes(self) -> usize {
        self.0.bytes() + WORD_SHARE_BYTES
    }

    /// A copy with a life of its own.
    pub fn to_detached(self) -> Detached {
        Detached {
            word: Word::copy_of(self.0),
        }
    }
}

impl<'a> Str<'a> {
    /// The string's bytes; an integer's digits are written to `digits`.
    #[inline]
    pub fn bytes<'b>(self, digits: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Str::Int(int) => digits.format(int).as_bytes(),
            Str::Bytes(bytes) => bytes,
        }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.bytes(&mut itoa::Buffer::new()).len()
    }

    /// Whether the string is empty.
    pub fn is_empty(self) -> bool {
        self == Str::Bytes(b"")
    }
}

/// A value without a place: taken from a keyspace, to be put into the same or another. `Send`.
#[derive(Debug)]
pub struct Detached {
    pub(super) word: Word,
}

impl Detached {
    /// A string made of bytes, under no name yet.
    pub fn from_bytes(bytes: &[u8], expire_at_ms: Option<u64>) -> Self {
        Self {
            word: Word::new(0, b"", payload_of(bytes), expire_at_ms),
        }
    }

    /// What it holds.
    pub fn value(&self) -> Value<'_> {
        Value(self.word.entry())
    }

    /// Sets or removes the expiry it carries.
    pub fn set_expire(&mut self, at_ms: Option<u64>) {
        self.word.set_expire(at_ms);
    }
}

impl Clone for Detached {
    fn clone(&self) -> Self {
        self.value().to_detached()
    }
}

/// How bytes that are set are kept: as the integer they spell, if they spell one.
#[inline]
pub(super) fn payload_of(bytes: &[u8]) -> Payload<'_> {
    match corelane_wire::number::parse_i64(bytes) {
        Some(int) => Payload::Int(int),
        None => Payload::Bytes(bytes),
    }
}

const CLOCK_MASK: u32 = 0x00ff_ffff;

/// The access clock at a time: seconds, in 24 bits.
#[inline]
pub(super) fn clock(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & CLOCK_MASK
}
