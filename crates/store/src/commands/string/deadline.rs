//! Times to live as `SET`, `SETEX`, `PSETEX` and `GETEX` take them.

use crate::commands::errors::integer;

/// A time to live that is not yet a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline<'a> {
    pub(super) amount: &'a [u8],
    pub(super) unit: Unit,
    pub(super) from: From,
}

/// What the amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// Where counting begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Now,
    Epoch,
}

/// Why a time to live is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadDeadline {
    NotInteger(&'static str),
    OutOfRange,
}

impl Deadline<'_> {
    /// The unix time in milliseconds. An absolute time may lie in the past, an amount of zero or less may not be.
    pub(super) fn at_ms(&self, now_ms: u64) -> Result<u64, BadDeadline> {
        let amount = integer(self.amount).map_err(BadDeadline::NotInteger)?;
        let factor = match self.unit {
            Unit::Seconds => 1000,
            Unit::Milliseconds => 1,
        };
        let base = match self.from {
            From::Now => now_ms as i64,
            From::Epoch => 0,
        };
        let at_ms = amount
            .checked_mul(factor)
            .and_then(|ms| ms.checked_add(base));
        let at_ms = at_ms
            .filter(|_| amount > 0)
            .ok_or(BadDeadline::OutOfRange)?;
        Ok(at_ms as u64)
    }
}

impl BadDeadline {
    /// The error that `command` answers with.
    #[cold]
    pub(super) fn text(self, command: &str) -> String {
        match self {
            BadDeadline::NotInteger(text) => text.to_owned(),
            BadDeadline::OutOfRange => format!("ERR invalid expire time in '{command}' command"),
        }
    }
}
