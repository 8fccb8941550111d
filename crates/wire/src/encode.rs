//! Requests as a client writes them; the counterpart of [`crate::Parser`].

use crate::reply::head::Head;

/// Appends one command as a RESP array of bulk strings, the form every client library sends.
pub fn encode_command<I>(out: &mut Vec<u8>, args: I)
where
    I: IntoIterator<Item: AsRef<[u8]>, IntoIter: ExactSizeIterator>,
{
    let args = args.into_iter();
    out.extend_from_slice(Head::of_len(b'*', args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        let head = Head::of_len(b'$', arg.len());
        out.reserve(head.as_bytes().len() + arg.len() + 2);
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}
