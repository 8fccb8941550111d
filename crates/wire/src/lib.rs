//! The Redis protocol: bytes in, values out.
//!
//! One floor above nothing: no I/O, no clock, no state beyond one connection's half-read frame. A server
//! feeds [`Parser`] what a socket gave it and gets [`Args`] borrowed from the same bytes; it answers through
//! [`Reply`], which speaks RESP2 or RESP3. A client writes with [`encode_command`] and reads with
//! [`Decoder`] or [`skip`]. Beside the two codecs live the rules that the protocol's words obey: how a key
//! maps to a [`slot`], what a [`glob`] matches, which [`number`]s are numbers, and the [`spec`] of a command.
//!
//! Texts and shapes follow Redis 7.0 (<https://redis.io/docs/reference/protocol-spec/>).

#![forbid(unsafe_code)]

mod args;
mod encode;
pub mod frame;
pub mod glob;
pub mod number;
pub mod parse;
mod proxy;
pub mod reply;
pub mod slot;
pub mod spec;

pub use args::{Args, Span};
pub use encode::encode_command;
pub use frame::{DecodeError, Decoder, Value, skip};
pub use parse::{Limits, Parsed, Parser, ProtocolError};
pub use proxy::{MAX_HEADER_BYTES, ProxiedAddresses, ProxyError, ProxyHeader, parse_proxy};
pub use reply::{Allowance, Proto, Reply};
pub use slot::{SLOTS, slot_of};
pub use spec::CommandSpec;
