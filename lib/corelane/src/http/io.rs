//! hyper's reads and writes over a [`Stream`], which sends whole buffers: writes collect in one, a flush sends
//! it, and what is written meanwhile collects in a second.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

use super::life::Life;
use super::options::{Observer, Served};
use crate::net::Stream;
use crate::{Backend, time};

/// Bytes that collect before they are sent without a flush; a writer that is ahead by as much again waits.
const OUT_MAX_BYTES: usize = 64 * 1024;

/// The largest buffer that a connection keeps between answers.
const RESTING_BYTES: usize = 8 * 1024;

/// A connection as hyper sees it.
pub(super) struct Io {
    stream: Stream,
    life: Rc<Life>,
    observer: Option<Observer>,
    /// Received and not yet asked for: a delivery may be larger than hyper's buffer.
    unread: Vec<u8>,
    /// Written and not yet sent.
    out: Vec<u8>,
    spare: Vec<u8>,
    has_ended: bool,
    /// Where a send goes on only while somebody waits for it.
    is_polling: bool,
}

impl Io {
    pub(super) fn new(stream: Stream, life: Rc<Life>, observer: Option<Observer>) -> Self {
        Self {
            stream,
            life,
            observer,
            unread: Vec::new(),
            out: Vec::new(),
            spare: Vec::new(),
            has_ended: false,
            is_polling: crate::backend() == Backend::Polling,
        }
    }

    /// Whether no part of an answer is on its way: after one nothing else may come.
    pub(super) fn is_clean(&self) -> bool {
        self.out.is_empty() && !self.stream.send_in_flight()
    }

    /// Whether the client has closed its side, or the connection is broken.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The connection below.
    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Gives what was written to the runtime. None may be in flight.
    fn start_send(&mut self) {
        let began_ns = match self.observer {
            Some(_) => time::refresh_ns(),
            None => time::now_ns(),
        };
        let arrived_ns = self.life.send_began(began_ns);
        let next = std::mem::take(&mut self.spare);
        self.stream
            .start_send(std::mem::replace(&mut self.out, next));
        if let (Some(observer), Some(arrived_ns)) = (&self.observer, arrived_ns) {
            let service_ns = began_ns.saturating_sub(arrived_ns);
            observer(Served { service_ns });
        }
    }

    /// Takes the result of the send, if it has ended.
    fn collect_sent(&mut self) -> io::Result<()> {
        match self.stream.send_in_flight().then(|| self.stream.try_sent()) {
            Some(Some(sent)) => self.sent(sent),
            _ => Ok(()),
        }
    }

    /// Waits until nothing is in flight.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.stream.send_in_flight() {
            return Poll::Ready(Ok(()));
        }
        let sent = ready!(self.stream.poll_sent(cx));
        Poll::Ready(self.sent(sent))
    }

    fn sent(&mut self, sent: io::Result<Vec<u8>>) -> io::Result<()> {
        self.life.send_ended();
        let buffer = sent?;
        if buffer.capacity() <= RESTING_BYTES {
            self.spare = buffer;
        }
        Ok(())
    }

    /// Waits until another byte can be taken.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.len() < OUT_MAX_BYTES {
            return Poll::Ready(Ok(()));
        }
        self.poll_flushed(cx)
    }

    /// Waits until everything written has been given to the runtime, which carries it to its end.
    fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_sent(cx))?;
        self.start_send();
        if self.is_polling
            && let Poll::Ready(sent) = self.stream.poll_sent(cx)
        {
            self.sent(sent)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.collect_sent()?;
        if this.unread.is_empty() {
            let received = ready!(this.stream.poll_recv(cx));
            this.has_ended = received.as_ref().map_or(true, |chunk| chunk.is_empty());
            let chunk = received?;
            if this.has_ended {
                return Poll::Ready(Ok(()));
            }
            this.life.read(time::now_ns());
            let (now, later) = chunk.split_at(chunk.len().min(buffer.remaining()));
            buffer.put_slice(now);
            // Copied, so that no buffer of the shard's pool waits for the reader.
            this.unread.extend_from_slice(later);
        } else {
            let now = this.unread.len().min(buffer.remaining());
            buffer.put_slice(&this.unread[..now]);
            this.unread.drain(..now);
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        let before = self.out.len();
        for slice in slices {
            let room = OUT_MAX_BYTES - self.out.len();
            self.out.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.out.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flushed(cx))?;
        ready!(self.poll_sent(cx))?;
        Poll::Ready(self.stream.shutdown_write())
    }
}
