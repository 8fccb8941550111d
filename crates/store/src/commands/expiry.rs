//! Changing a key's expiry, with effects and touched keys: what `EXPIRE` and its kin share with `GETEX`.

use crate::exec::{Data, Event};
use crate::keyspace::Key;

/// Sets the expiry of a key that exists.
pub(super) fn expire_at(data: &mut Data<'_>, key: &Key<'_>, at_ms: u64) {
    data.set_expire(key, Some(at_ms));
    let mut digits = itoa::Buffer::new();
    data.rewrite([
        &b"PEXPIREAT"[..],
        key.name(),
        digits.format(at_ms).as_bytes(),
    ]);
    data.touch(key, Event::EXPIRE);
}

/// Deletes a key that exists, because its new expiry lies in the past.
pub(super) fn delete_now(data: &mut Data<'_>, key: &Key<'_>) {
    data.remove(key);
    data.rewrite([&b"DEL"[..], key.name()]);
    data.touch(key, Event::DEL);
}

/// Removes a key's expiry. Returns whether it had one.
pub(super) fn persist(data: &mut Data<'_>, key: &Key<'_>) -> bool {
    let volatile = data
        .peek(key)
        .is_some_and(|value| value.expire_at_ms().is_some());
    if volatile {
        data.set_expire(key, None);
        data.rewrite([&b"PERSIST"[..], key.name()]);
        data.touch(key, Event::PERSIST);
    }
    volatile
}
