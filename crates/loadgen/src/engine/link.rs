//! One connection of the generator: sends requests, takes replies, knows what is on its way.
//!
//! A closed loop sends a batch and waits for all its replies; an open loop sends what its schedule
//! says is due. Both share one buffer for requests, one queue of unanswered ones and one way to
//! take replies, and allocate nothing per request.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use corelane::net::Chunk;
use corelane::time;
use corelane::tls::Transport;
use corelane_wire::{Decoder, skip};

use super::phase_state::PhaseState;
use crate::affinity::Caller;
use crate::error::Error;
use crate::schedule::Schedule;
use crate::target::{Target, bulk_value, closed, error_text, invalid, unanswered};
use crate::workload::Request;

/// A connection and what is on its way over it.
#[derive(Debug)]
pub(super) struct Link {
    stream: Transport,
    /// This connection, and how much it has sent.
    caller: Caller,
    /// Requests not handed to the stream yet.
    out: Vec<u8>,
    /// The beginning of a reply whose end has not come.
    partial: Vec<u8>,
    /// Remembers how far `partial` was gone through.
    decoder: Decoder,
    /// Requests without a reply, oldest first; at most the pipeline's depth.
    unanswered: VecDeque<Sent>,
    scratch: Vec<u8>,
    /// Whether the server has answered anything.
    has_heard: bool,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    request: Request,
    /// When it was sent, or ought to have been.
    at_ns: u64,
}

/// What an open loop waited for.
enum Woken {
    Received(Chunk),
    Sent(Vec<u8>),
    Due,
}

impl Link {
    /// Connects and greets the server.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Refused`].
    pub(super) async fn open(target: &Target, lane: u64) -> Result<Self, Error> {
        Ok(Self {
            stream: target.connect().await?,
            caller: Caller { lane, sent: 0 },
            out: Vec::new(),
            partial: Vec::new(),
            decoder: Decoder::new(),
            unanswered: VecDeque::new(),
            scratch: Vec::new(),
            has_heard: target.is_greeted(),
        })
    }

    /// Runs this connection's part of a phase. Gives the connection back, unless it is lost.
    pub(super) async fn run(mut self, phase: &PhaseState) -> Option<Self> {
        let result = match phase.schedule(self.caller.lane) {
            None => self.closed_loop(phase).await,
            Some(schedule) => self.open_loop(phase, schedule).await,
        };
        match result {
            Ok(()) => Some(self),
            Err(error) => {
                let error = match self.has_heard {
                    true => error,
                    false => unanswered(error, &self.stream),
                };
                phase.lost(self.unanswered.len(), &format!("connection lost: {error}"));
                None
            }
        }
    }

    async fn closed_loop(&mut self, phase: &PhaseState) -> io::Result<()> {
        loop {
            let now_ns = time::now_ns();
            if phase.over(now_ns) {
                return Ok(());
            }
            for _ in 0..phase.pipeline {
                let Some(request) = self.push(phase) else {
                    break;
                };
                self.unanswered.push_back(Sent {
                    request,
                    at_ns: now_ns,
                });
            }
            self.start_send(phase);
            while !self.unanswered.is_empty() {
                let chunk = self.stream.recv().await?;
                self.receive(&chunk, phase)?;
            }
            // All replies are here, so the send is over; only its buffer is fetched.
            self.out = self.stream.sent().await?;
        }
    }

    async fn open_loop(&mut self, phase: &PhaseState, mut schedule: Schedule) -> io::Result<()> {
        loop {
            let now_ns = time::now_ns();
            self.push_due(phase, &mut schedule, now_ns);
            if !self.out.is_empty() && !self.stream.send_in_flight() {
                self.start_send(phase);
            }
            let over = phase.over(schedule.next_ns().max(now_ns));
            if over && self.unanswered.is_empty() {
                break;
            }
            let may_send = !over && self.unanswered.len() < phase.pipeline;
            match self.wait(may_send.then(|| schedule.next_ns())).await? {
                Woken::Received(chunk) => self.receive(&chunk, phase)?,
                Woken::Sent(buffer) if self.out.is_empty() => self.out = buffer,
                Woken::Sent(_) | Woken::Due => {}
            }
        }
        phase.recorder.borrow_mut().totals.unsent += phase.unsent(&mut schedule);
        if self.stream.send_in_flight() {
            self.stream.sent().await?;
        }
        Ok(())
    }

    fn push(&mut self, phase: &PhaseState) -> Option<Request> {
        let request = phase.push(self.caller, &mut self.out)?;
        self.caller.sent += 1;
        Some(request)
    }

    fn push_due(&mut self, phase: &PhaseState, schedule: &mut Schedule, now_ns: u64) {
        while self.unanswered.len() < phase.pipeline && !phase.over(schedule.next_ns().max(now_ns))
        {
            let Some(at_ns) = schedule.take_due(now_ns) else {
                break;
            };
            let Some(request) = self.push(phase) else {
                break;
            };
            self.unanswered.push_back(Sent { request, at_ns });
        }
    }

    fn start_send(&mut self, phase: &PhaseState) {
        phase.recorder.borrow_mut().totals.sent_bytes += self.out.len() as u64;
        self.stream.start_send(std::mem::take(&mut self.out));
    }

    /// Waits for bytes, for the end of a send, or for the time a request is due.
    async fn wait(&mut self, due_ns: Option<u64>) -> io::Result<Woken> {
        let mut due = pin!(async {
            match due_ns {
                Some(due_ns) => time::sleep_until(due_ns).await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| {
            if let Poll::Ready(chunk) = self.stream.poll_recv(cx) {
                return Poll::Ready(chunk.map(Woken::Received));
            }
            if self.stream.send_in_flight()
                && let Poll::Ready(sent) = self.stream.poll_sent(cx)
            {
                return Poll::Ready(sent.map(Woken::Sent));
            }
            due.as_mut().poll(cx).map(|()| Ok(Woken::Due))
        })
        .await
    }

    /// Accounts for all replies that are complete with `bytes`, and keeps the rest.
    fn receive(&mut self, bytes: &[u8], phase: &PhaseState) -> io::Result<()> {
        if bytes.is_empty() {
            return Err(closed());
        }
        self.has_heard = true;
        phase.recorder.borrow_mut().totals.received_bytes += bytes.len() as u64;
        if self.partial.is_empty() {
            let taken = self.take_replies(bytes, true, phase)?;
            self.partial.extend_from_slice(&bytes[taken..]);
        } else {
            let mut partial = std::mem::take(&mut self.partial);
            partial.extend_from_slice(bytes);
            let taken = self.take_replies(&partial, false, phase)?;
            partial.drain(..taken);
            self.partial = partial;
        }
        Ok(())
    }

    /// Takes the complete replies at the front of `bytes`. Gives their length. `fresh`: none of
    /// these bytes was seen before.
    fn take_replies(&mut self, bytes: &[u8], fresh: bool, phase: &PhaseState) -> io::Result<usize> {
        let now_ns = time::now_ns();
        let (mut taken, mut replies, mut errors) = (0, 0, 0);
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let resumed = taken == 0 && !fresh;
            let length = if resumed {
                self.decoder.skip(rest)
            } else {
                skip(rest)
            };
            let Some(length) = length.map_err(invalid)? else {
                break;
            };
            taken += length;
            // Messages that a server sends unasked (RESP3) answer nothing.
            if rest[0] == b'>' {
                continue;
            }
            let Some(sent) = self.unanswered.pop_front() else {
                return Err(invalid("the server sent a reply nobody asked for"));
            };
            replies += 1;
            errors += u64::from(self.account(sent, &rest[..length], now_ns, phase));
        }
        phase.count(replies, errors, now_ns);
        Ok(taken)
    }

    /// Records one reply. Says whether it is an error.
    fn account(&mut self, sent: Sent, reply: &[u8], now_ns: u64, phase: &PhaseState) -> bool {
        let Sent { request, at_ns } = sent;
        let mut recorder = phase.recorder.borrow_mut();
        recorder.reply(request.kind, now_ns.saturating_sub(at_ns));
        if let Some(text) = error_text(reply) {
            recorder.error(request.kind, text);
            return true;
        }
        if is_null(reply) {
            recorder.miss(request.kind);
        } else if phase.verify
            && let Some(value) = bulk_value(reply)
        {
            drop(recorder);
            phase.check(request, value, &mut self.scratch);
        }
        false
    }
}

fn is_null(reply: &[u8]) -> bool {
    matches!(reply, b"$-1\r\n" | b"_\r\n" | b"*-1\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart() {
        type Row = (
            &'static [u8],
            Option<&'static [u8]>,
            bool,
            Option<&'static [u8]>,
        );
        let rows: [Row; 8] = [
            (b"+OK\r\n", None, false, None),
            (b"-ERR no\r\n", Some(b"ERR no"), false, None),
            (b"!6\r\nERR no\r\n", Some(b"ERR no"), false, Some(b"ERR no")),
            (b"$3\r\na\r\n\r\n", None, false, Some(b"a\r\n")),
            (b"$0\r\n\r\n", None, false, Some(b"")),
            (b"$-1\r\n", None, true, None),
            (b"_\r\n", None, true, None),
            (b"*-1\r\n", None, true, None),
        ];
        for (reply, error, null, value) in rows {
            let shown = String::from_utf8_lossy(reply);
            assert_eq!(error_text(reply), error, "{shown}");
            assert_eq!(is_null(reply), null, "{shown}");
            if !null {
                assert_eq!(bulk_value(reply), value, "{shown}");
            }
        }
    }
}
