//! A connection's bytes: commands leave in pieces cut anywhere, replies are read off what comes.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use corelane::net::{Addr, Stream};
use corelane_wire::{Decoder, Value};

/// A connection.
pub(super) struct Line {
    stream: Stream,
    decoder: Decoder,
    inbox: Vec<u8>,
    unsent: Vec<u8>,
    /// Bytes given to the socket so far.
    handed: u64,
    /// Bytes that came from it so far.
    received: u64,
    /// Nothing can be sent any more.
    broken: bool,
}

/// What happened on a line.
pub(super) enum Event {
    /// A piece was taken by the socket; the next may go.
    Sent,
    /// Bytes came.
    Received,
    /// The other side has ended the connection, or it broke.
    Ended,
}

impl Line {
    pub(super) async fn connect(address: &Addr) -> io::Result<Self> {
        Ok(Self {
            stream: Stream::connect(address).await?,
            decoder: Decoder::new(),
            inbox: Vec::new(),
            unsent: Vec::new(),
            handed: 0,
            received: 0,
            broken: false,
        })
    }

    /// Puts bytes in line; returns how many will have been handed over once they are.
    pub(super) fn push(&mut self, bytes: &[u8]) -> u64 {
        self.unsent.extend_from_slice(bytes);
        self.handed + self.unsent.len() as u64
    }

    /// Hands bytes to the socket if it is free: all, or where `cut` is given, as many as it says.
    pub(super) fn pump(&mut self, cut: impl FnOnce(usize) -> usize) {
        if self.unsent.is_empty() || self.broken || self.stream.send_in_flight() {
            return;
        }
        let piece: Vec<u8> = self.unsent.drain(..cut(self.unsent.len())).collect();
        self.handed += piece.len() as u64;
        self.stream.start_send(piece);
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Bytes given to the socket so far.
    pub(super) fn handed(&self) -> u64 {
        self.handed
    }

    /// Bytes that went either way so far.
    pub(super) fn carried(&self) -> u64 {
        self.handed + self.received
    }

    /// Waits for the next event.
    pub(super) async fn event(&mut self) -> Event {
        poll_fn(|cx| {
            if self.stream.send_in_flight()
                && !self.broken
                && let Poll::Ready(sent) = self.stream.poll_sent(cx)
            {
                self.broken = sent.is_err();
                return Poll::Ready(Event::Sent);
            }
            match self.stream.poll_recv(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(bytes)) if !bytes.is_empty() => {
                    self.received += bytes.len() as u64;
                    self.inbox.extend_from_slice(&bytes);
                    Poll::Ready(Event::Received)
                }
                Poll::Ready(_) => Poll::Ready(Event::Ended),
            }
        })
        .await
    }

    /// The next reply, if it is there in full.
    ///
    /// # Errors
    /// What came is no reply; the text says why.
    pub(super) fn reply(&mut self) -> Result<Option<Value>, String> {
        if self.inbox.is_empty() {
            return Ok(None);
        }
        let decoded = self.decoder.decode(&self.inbox);
        let decoded = decoded.map_err(|error| {
            let shown = String::from_utf8_lossy(&self.inbox[..self.inbox.len().min(64)]);
            format!("{error}, in {shown:?}")
        })?;
        Ok(decoded.map(|(value, length)| {
            self.inbox.drain(..length);
            value
        }))
    }

    /// Ends the writing side.
    pub(super) fn half_close(&self) {
        // In a world it cannot fail; on a broken line it does not matter.
        let _ = self.stream.shutdown_write();
    }

    /// Goes away without waiting for anything.
    pub(super) fn abort(self) {
        self.stream.abort();
    }
}
