//! Writes keys in pipelines, as fast as the server takes them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::time::Duration;

/// Bytes of a key's name and of its value.
pub(super) const KEY_BYTES: usize = 16;
pub(super) const VALUE_BYTES: usize = 64;

/// Connections, and requests on their way on each.
const CONNECTIONS: usize = 4;
const DEPTH: u64 = 64;

/// Warming up: bytes sent at once, and how often on each connection. All in all several times what
/// the receive buffers of two shards take.
const ECHO_BYTES: usize = 64 * 1024;
const WARM_UP_ECHOES: usize = 250;

const PATIENCE: Duration = Duration::from_secs(30);

/// Connections that write.
pub(super) struct Loader {
    streams: Vec<TcpStream>,
    /// All keys in one slot.
    tag: bool,
}

impl Loader {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(super) fn connect(port: u16, tag: bool) -> io::Result<Self> {
        let open = |_| {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        let streams = (0..CONNECTIONS).map(open).collect::<io::Result<_>>()?;
        Ok(Self { streams, tag })
    }

    /// Sends much without writing a key: what all connections share, such as receive buffers, is in
    /// memory afterwards, and not taken for a part of the first keys.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub(super) fn warm_up(&mut self) -> io::Result<()> {
        let mut request = format!("*2\r\n$4\r\nECHO\r\n${ECHO_BYTES}\r\n").into_bytes();
        request.resize(request.len() + ECHO_BYTES, b'e');
        request.extend_from_slice(b"\r\n");
        let mut reply = vec![0; format!("${ECHO_BYTES}\r\n").len() + ECHO_BYTES + 2];
        for _ in 0..WARM_UP_ECHOES {
            for stream in &mut self.streams {
                stream.write_all(&request)?;
            }
            for stream in &mut self.streams {
                stream.read_exact(&mut reply)?;
            }
        }
        Ok(())
    }

    /// Writes these keys, in turn on all connections.
    ///
    /// # Errors
    /// If a connection fails, or a reply is anything but `OK`.
    pub(super) fn write(&mut self, keys: Range<u64>) -> io::Result<()> {
        let mut rest = keys;
        let mut request = Vec::new();
        while !rest.is_empty() {
            let mut sent = [0; CONNECTIONS];
            for (stream, sent) in self.streams.iter_mut().zip(&mut sent) {
                let end = rest.end.min(rest.start + DEPTH);
                request.clear();
                (rest.start..end).for_each(|key| encode(&mut request, key, self.tag));
                stream.write_all(&request)?;
                *sent = end - rest.start;
                rest.start = end;
            }
            for (stream, sent) in self.streams.iter_mut().zip(sent) {
                expect_ok(stream, sent as usize)?;
            }
        }
        Ok(())
    }
}

fn encode(out: &mut Vec<u8>, key: u64, tag: bool) {
    out.extend_from_slice(b"*3\r\n$3\r\nSET\r\n$16\r\n");
    out.extend_from_slice(&name_of(key, tag));
    out.extend_from_slice(b"\r\n$64\r\n");
    out.extend_from_slice(&[b'v'; VALUE_BYTES]);
    out.extend_from_slice(b"\r\n");
}

/// A key's name; all in one slot if `tag`.
fn name_of(key: u64, tag: bool) -> [u8; KEY_BYTES] {
    let mut name = if tag {
        *b"{t}0000000000000"
    } else {
        *b"key:000000000000"
    };
    let (mut rest, mut at) = (key, name.len());
    while rest > 0 {
        at -= 1;
        name[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name
}

fn expect_ok(stream: &mut TcpStream, replies: usize) -> io::Result<()> {
    const OK: &[u8] = b"+OK\r\n";
    let mut bytes = vec![0; replies * OK.len()];
    stream.read_exact(&mut bytes)?;
    if bytes.chunks(OK.len()).all(|reply| reply == OK) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    Err(io::Error::other(format!("SET was answered with {said:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_the_request_says() {
        assert_eq!(&name_of(8_000_000, false), b"key:000008000000");
        assert_eq!(&name_of(12, true), b"{t}0000000000012");
        let mut request = Vec::new();
        encode(&mut request, 1, false);
        assert_eq!(request.len(), 107);
    }
}
