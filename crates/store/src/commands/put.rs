//! The effect of a value that comes to a key from elsewhere: what the command that moved it means on its own.

use crate::exec::Data;
use crate::keyspace::{Key, Value};

/// Reports that `key` now holds `value`, with the value's expiry and no other.
pub(super) fn push_put(data: &mut Data<'_>, key: &Key<'_>, value: Value<'_>) {
    let mut digits = itoa::Buffer::new();
    let bytes = value.string().bytes(&mut digits);
    match value.expire_at_ms() {
        None => data.rewrite([&b"SET"[..], key.name(), bytes]),
        Some(at_ms) => {
            let mut digits = itoa::Buffer::new();
            let at_ms = digits.format(at_ms).as_bytes();
            data.rewrite([&b"SET"[..], key.name(), bytes, b"PXAT", at_ms]);
        }
    }
}
