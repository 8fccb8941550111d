//! What a key holds.

/// A key's value, borrowed from the keyspace.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) entry: &'a Detached,
}

/// A string as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Str<'a> {
    /// A canonical integer.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The key's name.
    pub fn name(self) -> &'a [u8] {
        self.name
    }

    /// The string it holds.
    #[inline]
    pub fn string(self) -> Str<'a> {
        match &self.entry.payload {
            Payload::Int(int) => Str::Int(*int),
            Payload::Bytes(bytes) | Payload::Raw(bytes) => Str::Bytes(bytes),
        }
    }

    /// The type's name as `TYPE` tells it.
    pub fn type_name(self) -> &'static str {
        "string"
    }

    /// The encoding's name as `OBJECT ENCODING` tells it.
    pub fn encoding(self) -> &'static str {
        match &self.entry.payload {
            Payload::Int(_) => "int",
            Payload::Bytes(bytes) if bytes.len() <= 44 => "embstr",
            _ => "raw",
        }
    }

    /// When the key expires, unix time in ms.
    #[inline]
    pub fn expire_at_ms(self) -> Option<u64> {
        self.entry.expire_at_ms
    }

    /// Whether its time has come.
    #[inline]
    pub fn is_expired(self, now_ms: u64) -> bool {
        self.expire_at_ms().is_some_and(|at| at <= now_ms)
    }

    /// Seconds since the key was last used.
    pub fn idle_s(self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.entry.used_ms) / 1000
    }

    /// Bytes that the key takes, its share of the table included.
    pub fn memory_bytes(self) -> usize {
        64 + self.name.len()
    }

    /// A copy with a life of its own.
    pub fn to_detached(self) -> Detached {
        self.entry.clone()
    }
}

impl<'a> Str<'a> {
    /// The string's bytes; an integer's digits are written to `digits`.
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
        self.len() == 0
    }
}

/// A value without a place: taken from a keyspace, to be put into the same or another. `Send`.
#[derive(Debug, Clone)]
pub struct Detached {
    pub(crate) name: Vec<u8>,
    pub(crate) payload: Payload,
    pub(crate) expire_at_ms: Option<u64>,
    pub(crate) used_ms: u64,
}

impl Detached {
    /// What it holds.
    pub fn value(&self) -> Value<'_> {
        Value { name: &self.name, entry: self }
    }

    /// A string made of bytes, e.g. one that came from elsewhere (`RESTORE`).
    pub fn from_bytes(bytes: &[u8], expire_at_ms: Option<u64>) -> Self {
        let payload = match parse_int(bytes) {
            Some(int) => Payload::Int(int),
            None => Payload::Bytes(bytes.to_vec()),
        };
        Self { name: Vec::new(), payload, expire_at_ms, used_ms: 0 }
    }

    /// Sets or removes the expiry it carries.
    pub fn set_expire(&mut self, at_ms: Option<u64>) {
        self.expire_at_ms = at_ms;
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Payload {
    Int(i64),
    Bytes(Vec<u8>),
    Raw(Vec<u8>),
}

impl Payload {
    pub(crate) fn as_raw(&mut self) -> &mut Vec<u8> {
        let bytes = match self {
            Payload::Int(int) => int.to_string().into_bytes(),
            Payload::Bytes(bytes) | Payload::Raw(bytes) => std::mem::take(bytes),
        };
        *self = Payload::Raw(bytes);
        match self {
            Payload::Raw(bytes) => bytes,
            _ => unreachable!(),
        }
    }
}

pub(crate) fn parse_int(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 20 {
        return None;
    }
    let int: i64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    (itoa::Buffer::new().format(int).as_bytes() == bytes).then_some(int)
}
