//! A raw connection: bytes out, whole replies in.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use corelane_wire::{Value, encode_command, skip};

use crate::server::PATIENCE;

/// A client connection that fails a test instead of hanging it.
pub(crate) struct Conn {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Conn {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a write timeout");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .expect("the server takes bytes");
    }

    /// Sends bytes; whether the server still takes them.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// A second handle that writes, for a thread of its own.
    pub(crate) fn writer(&self) -> TcpStream {
        self.stream.try_clone().expect("a connection can be shared")
    }

    /// Sends a command given as words.
    pub(crate) fn send(&mut self, line: &str) {
        self.write(&encode(line));
    }

    /// Sends a command and gives its reply as it came.
    #[track_caller]
    pub(crate) fn call(&mut self, line: &str) -> String {
        self.send(line);
        self.reply()
    }

    /// The next whole reply as it came; empty at the end of the connection.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> String {
        String::from_utf8_lossy(&self.reply_bytes()).into_owned()
    }

    #[track_caller]
    pub(crate) fn reply_bytes(&mut self) -> Vec<u8> {
        loop {
            match skip(&self.unread) {
                Ok(Some(length)) => return self.unread.drain(..length).collect(),
                Ok(None) => {}
                Err(error) => panic!(
                    "not a reply: {error}: {:?}",
                    String::from_utf8_lossy(&self.unread)
                ),
            }
            let mut chunk = [0u8; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Vec::new(),
                Ok(bytes) => self.unread.extend_from_slice(&chunk[..bytes]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Vec::new(),
                Err(error) => panic!("no reply: {error}"),
            }
        }
    }

    /// Waits for some bytes of a reply, and leaves it at that.
    pub(crate) fn wait_for_bytes(&mut self) -> bool {
        let mut chunk = [0u8; 1];
        let bytes = self.stream.read(&mut chunk).expect("bytes or an end");
        self.unread.extend_from_slice(&chunk[..bytes]);
        bytes > 0
    }

    /// The next reply, decoded.
    #[track_caller]
    pub(crate) fn value(&mut self, line: &str) -> Value {
        self.send(line);
        let bytes = self.reply_bytes();
        match corelane_wire::Decoder::new().decode(&bytes) {
            Ok(Some((value, _))) => value,
            other => panic!("not a value: {other:?}"),
        }
    }

    /// Whether the server has closed the connection, waiting for it to do so.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut chunk = [0u8; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::ConnectionReset,
            }
        }
    }

    /// Whether something has come that was not read yet.
    pub(crate) fn has_bytes(&mut self) -> bool {
        let mut byte = [0];
        self.stream.set_nonblocking(true).expect("a mode");
        let peeked = self.stream.peek(&mut byte);
        self.stream.set_nonblocking(false).expect("a mode");
        !self.unread.is_empty() || peeked.is_ok()
    }

    /// Says that no more bytes come, and goes on reading.
    pub(crate) fn half_close(&self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("half a connection can be closed");
    }
}

/// Encodes a command given as words; `''` is an empty argument.
pub(crate) fn encode(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let words: Vec<&[u8]> = line
        .split_whitespace()
        .map(|word| {
            if word == "''" {
                &b""[..]
            } else {
                word.as_bytes()
            }
        })
        .collect();
    encode_command(&mut out, words);
    out
}
