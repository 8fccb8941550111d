//! A reply as a value.

/// One reply, of either protocol version.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A simple string; bytes that are no UTF-8 are replaced.
    Simple(String),
    /// An error, its code first; bytes that are no UTF-8 are replaced.
    Error(String),
    /// An integer.
    Int(i64),
    /// A bulk string.
    Bulk(Vec<u8>),
    /// Nothing, in any of the three forms.
    Null,
    /// An array.
    Array(Vec<Value>),
    /// A map, in the order in which it was sent.
    Map(Vec<(Value, Value)>),
    /// A set, in the order in which it was sent.
    Set(Vec<Value>),
    /// A double.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Text with its kind.
    Verbatim([u8; 3], Vec<u8>),
    /// A message nobody asked for.
    Push(Vec<Value>),
    /// An integer of any size, as its digits.
    BigNumber(String),
}

impl Value {
    /// A bulk string of that text.
    pub fn bulk(text: impl AsRef<[u8]>) -> Self {
        Self::Bulk(text.as_ref().to_vec())
    }

    /// The bytes of a string of any kind.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) => Some(text.as_bytes()),
            Self::Bulk(bytes) | Self::Verbatim(_, bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The integer.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text of an error.
    pub fn as_error(&self) -> Option<&str> {
        if let Self::Error(text) = self {
            Some(text)
        } else {
            None
        }
    }
}
