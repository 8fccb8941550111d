//! Requests as a client writes them; the counterpart of [`crate::Parser`].

use crate::reply::head::{push_bulk, push_len};

/// Appends one command as a RESP array of bulk strings, the form every client library sends.
pub fn encode_command<I>(out: &mut Vec<u8>, args: I)
where
    I: IntoIterator<Item: AsRef<[u8]>, IntoIter: ExactSizeIterator>,
{
    let args = args.into_iter();
    push_len(out, b'*', args.len());
    for arg in args {
        push_bulk(out, arg.as_ref());
    }
}
