//! How long one reply may get.
//!
//! A reply is built before it is sent, so one command could take all the memory there is. It may take what its client's
//! hard limit says (`client-output-buffer-limit`), and where that is none, a part of `maxmemory`. What would be
//! longer is stopped while it is built, and its client is ended.

use std::sync::Arc;

use corelane_wire::{Allowance, Proto, Reply};

/// The reply would be longer than it may be. There is none, and its client is to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// So much output is never too much, whatever the limit: as in Redis, which has a buffer of this size that it does not
/// count.
pub const UNLIMITED_OUTPUT_BYTES: usize = 16 * 1024;

/// Where there is no hard limit, a reply may take one part of `maxmemory` in so many. Two and a half times as much is held
/// while the replies of several shards become one, and `maxmemory auto` leaves a fifth of the machine.
const MEMORY_PARTS: u64 = 16;

/// Where there is no `maxmemory` either.
const BOUNDLESS_BYTES: u64 = 4 << 30;

/// What a reply has around the longest value.
const HEAD_BYTES: u64 = 64;

/// The longest that a reply may be, by the limits in force; a limit of 0 is none. Without a hard limit every value can
/// be read, however little memory there is.
pub(crate) fn max_reply_bytes(hard_limit: u64, max_memory: u64, max_bulk: u64) -> usize {
    let bytes = match (hard_limit, max_memory) {
        (0, 0) => BOUNDLESS_BYTES.max(max_bulk + HEAD_BYTES),
        (0, memory) => (memory / MEMORY_PARTS).max(max_bulk + HEAD_BYTES),
        (limit, _) => limit.max(UNLIMITED_OUTPUT_BYTES as u64),
    };
    // Positions in buffers stay below this, whatever is added to them.
    bytes.min(isize::MAX as u64 / 2) as usize
}

/// The room of one reply whose parts several shards write, each without knowing of the others.
///
/// Each may write a little as it likes; so most replies touch nothing that is shared. What goes beyond is taken, to the byte,
/// from what all have together. So no part is refused that belongs to a reply which is short enough, and all together are
/// no longer than one and a half times what a reply may be.
#[derive(Debug)]
pub(crate) struct SharedRoom {
    free_bytes: usize,
    beyond: Allowance,
}

impl SharedRoom {
    pub(crate) fn new(max_bytes: usize, parts: usize) -> Arc<Self> {
        Arc::new(Self {
            free_bytes: max_bytes / (2 * parts.max(1)),
            beyond: Allowance::new(max_bytes),
        })
    }
}

/// A writer behind what `out` holds, for a reply that began at `start`: one part of `shared`, or as long as
/// `max_bytes` by itself.
#[inline]
pub(crate) fn writer<'a>(
    out: &'a mut Vec<u8>,
    proto: Proto,
    start: usize,
    max_bytes: usize,
    shared: Option<&'a SharedRoom>,
) -> Reply<'a> {
    match shared {
        None => Reply::bounded(out, proto, start + max_bytes, None),
        Some(room) => {
            // What earlier slices wrote beyond has been taken.
            let end = (start + room.free_bytes).max(out.len());
            Reply::bounded(out, proto, end, Some(&room.beyond))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_longest_reply() {
        #[track_caller]
        fn check(hard_limit: u64, max_memory: u64, expected: u64) {
            let bytes = max_reply_bytes(hard_limit, max_memory, 512 * MIB);
            assert_eq!(bytes as u64, expected);
        }
        check(MIB, 64 << 30, MIB);
        check(1, 64 << 30, UNLIMITED_OUTPUT_BYTES as u64);
        check(u64::MAX, 0, u64::MAX / 4);
        check(0, 64 << 30, 4 << 30);
        check(0, MIB, 512 * MIB + HEAD_BYTES);
        check(0, 0, 4 << 30);
    }

    /// Parts by turns, each a value of this many bytes after the other: all fit, or somebody is told that they do not.
    #[test]
    fn parts_have_their_room_together() {
        #[track_caller]
        fn check(max_bytes: usize, parts: &[usize], fits: bool) {
            let room = SharedRoom::new(max_bytes, parts.len());
            let mut held = 0;
            let cut = parts.iter().filter(|bytes| {
                let mut out = Vec::new();
                let mut reply = writer(&mut out, Proto::Resp2, 0, max_bytes, Some(&room));
                (0..**bytes / 10).for_each(|_| reply.bulk(&[b'v'; 10]));
                let is_cut = reply.is_cut();
                held += out.len();
                is_cut
            });
            assert_eq!(cut.count() == 0, fits);
            assert!(held <= max_bytes * 3 / 2 + 100, "{held} bytes");
        }
        // With what is around each value, 17 bytes for 10.
        check(17_000, &[10_000, 0, 0, 0], true);
        check(17_000, &[2_500, 2_500, 2_500, 2_500], true);
        check(17_000, &[0, 9_000, 500, 500], true);
        check(17_000, &[16_000, 0, 0, 0], false);
        check(17_000, &[10_000, 10_000, 10_000, 10_000], false);
    }
}
