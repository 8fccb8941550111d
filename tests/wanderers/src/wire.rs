//! A connection as bytes, whatever carries them.

use std::io::{self, Read, Write};

use corelane_wire::{Decoder, Value};

/// Something that bytes go over both ways. Its reads are to end with an error after some seconds, so that a reply that
/// never comes is a finding and not a hang.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// Makes a connection to the server.
pub type Connect<'a> = dyn Fn() -> io::Result<Box<dyn Wire>> + Sync + 'a;

/// A connection, with what came and was not read yet.
pub(crate) struct Line {
    wire: Box<dyn Wire>,
    decoder: Decoder,
    unread: Vec<u8>,
    used: usize,
}

impl Line {
    pub(crate) fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            decoder: Decoder::new(),
            unread: Vec::new(),
            used: 0,
        }
    }

    /// Writes bytes in one piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.wire.write_all(bytes).and_then(|()| self.wire.flush());
        written.map_err(|error| format!("cannot write: {error}"))
    }

    /// Waits for the next reply.
    pub(crate) fn reply(&mut self) -> Result<Value, String> {
        loop {
            let rest = &self.unread[self.used..];
            match self.decoder.decode(rest) {
                Ok(Some((value, length))) => {
                    self.used += length;
                    return Ok(value);
                }
                Ok(None) => self.read()?,
                Err(error) => {
                    let shown = String::from_utf8_lossy(&rest[..rest.len().min(80)]);
                    return Err(format!("bytes that are no reply: {error}: {shown:?}"));
                }
            }
        }
    }

    fn read(&mut self) -> Result<(), String> {
        self.unread.drain(..self.used);
        self.used = 0;
        let mut chunk = [0; 16 * 1024];
        match self.wire.read(&mut chunk) {
            Ok(0) => Err("the server closed the connection".to_owned()),
            Ok(bytes) => {
                self.unread.extend_from_slice(&chunk[..bytes]);
                Ok(())
            }
            Err(error) => Err(format!("no reply: {error}")),
        }
    }
}
