//! The errors that several commands answer with, in Redis's words, and the arguments that cause them.

use corelane_wire::number::parse_i64;

use crate::exec::{Exec, Outcome};

pub(super) const SYNTAX: &str = "ERR syntax error";
pub(super) const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
pub(super) const NOT_FLOAT: &str = "ERR value is not a valid float";
pub(super) const NO_SUCH_KEY: &str = "ERR no such key";
pub(super) const SAME_OBJECT: &str = "ERR source and destination objects are the same";
pub(super) const DB_OUT_OF_RANGE: &str = "ERR DB index is out of range";
pub(super) const STRING_TOO_LONG: &str =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
pub(super) const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

const NOT_32_BITS: &str =
    "ERR value is out of range, value must between -2147483648 and 2147483647";

/// Answers with an error; nothing else has been written.
#[cold]
pub(super) fn refuse(exec: &mut Exec<'_>, error: &str) -> Outcome {
    exec.reply.error(error);
    Outcome::Done
}

/// An integer argument.
#[inline]
pub(super) fn integer(arg: &[u8]) -> Result<i64, &'static str> {
    parse_i64(arg).ok_or(NOT_INTEGER)
}

/// The number of one of `databases` databases.
pub(super) fn database(arg: &[u8], databases: u16) -> Result<u16, &'static str> {
    let number = i32::try_from(integer(arg)?).map_err(|_| NOT_32_BITS)?;
    database_number(number, databases)
}

/// As [`database`], for what is a number already.
pub(super) fn database_number(number: i32, databases: u16) -> Result<u16, &'static str> {
    let number = u16::try_from(number)
        .ok()
        .filter(|number| *number < databases);
    number.ok_or(DB_OUT_OF_RANGE)
}
