//! One key with its value: one block of memory behind one 64-bit [`Word`].
//!
//! The only module of this crate with unsafe code. The need was measured: 8M keys of 16 B with values of
//! 64 B take 109 B of memory each, all included. In safe Rust the block needs a fat pointer, the
//! pointer cannot carry hash bits, and the same entries in `std`'s set take 132 B, 150 B on the way
//! there; keys and values apart take 150 to 184 B (`cargo bench -p corelane-store --bench keys --
//! memory`).
//!
//! ```text
//! word   48 bits pointer | 15 bits hash (where the key stands in its segment) | 1 bit has-expiry
//! block  meta u32 | key_len u32 | val_len u32 | [expire_at_ms u64] | key | value
//! meta   8 bits kind and flags | 24 bits access clock
//! ```
//!
//! What is safe to call from outside is safe: a [`Word`] owns its block as a `Box` would, and a
//! borrowed [`Entry`] lives no longer than its word.

#![allow(unsafe_code)]

mod block;
mod prefetch;
mod size;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use block::{Entry, Kind, Payload};
pub(crate) use prefetch::prefetch_line;
pub(crate) use size::class_bytes;
pub(crate) use word::{FRAGMENT_BITS, Word};

/// Strings longer than this live in a growing buffer of their own instead of the block, so that
/// APPEND and SETRANGE cost what they add.
pub(crate) const LARGE_BYTES: usize = 16 * 1024;
