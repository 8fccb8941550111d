//! Reading a string for a reply.

use corelane_wire::Reply;

use crate::exec::{Event, Exec};
use crate::keyspace::{Key, Str};

/// Calls `write` with the string at `key`, if there is one. Marks the key as used and reports a miss.
#[inline]
pub(super) fn read(
    exec: &mut Exec<'_>,
    key: &Key<'_>,
    write: impl FnOnce(&mut Reply<'_>, Option<Str<'_>>),
) {
    match exec.data.get(key) {
        Some(value) => write(&mut exec.reply, Some(value.string())),
        None => {
            exec.data.touch(key, Event::KEYMISS);
            write(&mut exec.reply, None);
        }
    }
}

/// Answers with the string at `key`, or with nothing.
#[inline]
pub(super) fn reply_string(exec: &mut Exec<'_>, key: &Key<'_>) {
    read(exec, key, |reply, string| match string {
        Some(string) => write_string(reply, string),
        None => reply.null(),
    });
}

/// Writes a string as a bulk.
#[inline]
pub(super) fn write_string(reply: &mut Reply<'_>, string: Str<'_>) {
    match string {
        Str::Int(int) => reply.bulk_int(int),
        Str::Bytes(bytes) => reply.bulk(bytes),
    }
}
