//! The protocol and its socket together: what is sent when, and who waits for what.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::failure::Failure;
use super::session::Session;
use crate::net::{Chunk, Stream};
use crate::{task, time};

/// How long what a dropped stream has yet to send may take, where it has to wait for a send before it. A stream gives
/// a send as long by itself.
const LINGER: Duration = Duration::from_secs(10);

pub(super) struct Live {
    pub(super) stream: Stream,
    /// All but the socket; boxed, for it goes between shards.
    pub(super) state: Box<State>,
}

/// What a TLS connection is beside its socket.
pub(super) struct State {
    pub(super) session: Session,
    sending: Sending,
    /// What the reader is told once it has read what came before.
    failed: Option<io::Error>,
    /// Nothing more comes.
    over: bool,
    /// The socket has ended or failed.
    gone: bool,
    /// The writing side is to be ended behind what is to be sent.
    shutdown_due: bool,
    handshake_limit: Duration,
    /// By the clock of the runtime, which all shards of a process have in common.
    handshake_until_ns: u64,
}

/// The user's send. The protocol has some of its own, which nobody asks about.
#[derive(Default)]
enum Sending {
    #[default]
    Nothing,
    /// Not encrypted: the handshake is not over.
    Waiting(Vec<u8>),
    /// Encrypted, behind a send that is in flight; the emptied buffer.
    Queued(Vec<u8>),
    /// In flight.
    Flying(Vec<u8>),
    Ended(io::Result<Vec<u8>>),
}

impl State {
    fn fail(&mut self, error: io::Error) {
        self.over = true;
        self.failed = Some(error);
    }

    fn received(&mut self, received: io::Result<Chunk>) {
        self.gone = received.as_ref().map_or(true, |chunk| chunk.is_empty());
        let taken = match received {
            Err(error) => return self.fail(error),
            Ok(chunk) if !chunk.is_empty() => {
                let mut chunk = chunk;
                self.session.take_in(&mut chunk)
            }
            Ok(_) if self.session.is_handshaking() => Err(Failure::Left),
            Ok(_) => Err(Failure::Truncated),
        };
        match taken {
            Ok(()) => self.over = self.session.peer_closed,
            Err(failure) => self.fail(failure.into()),
        }
    }

    /// What a send that has ended means for the user's.
    fn sent(&mut self, sent: io::Result<Vec<u8>>) {
        self.sending = match (mem::take(&mut self.sending), sent) {
            (Sending::Flying(buffer), Ok(_)) => Sending::Ended(Ok(buffer)),
            (sending, Ok(_)) => sending,
            (sending, Err(error)) => {
                // No record may be missing before the next: nothing more can be sent.
                self.session.out = Vec::new();
                match sending {
                    Sending::Flying(_) | Sending::Queued(_) => Sending::Ended(Err(error)),
                    sending => sending,
                }
            }
        };
    }

    fn encrypt(&mut self, mut buffer: Vec<u8>) {
        self.sending = match self.session.encrypt(&buffer) {
            Err(failure) => Sending::Ended(Err(failure.into())),
            Ok(()) if buffer.is_empty() => Sending::Ended(Ok(buffer)),
            Ok(()) => {
                buffer.clear();
                Sending::Queued(buffer)
            }
        };
    }
}

impl Live {
    pub(super) fn new(stream: Stream, session: Session, handshake_limit: Duration) -> Self {
        let limit_ns = handshake_limit.as_nanos().try_into().unwrap_or(u64::MAX);
        let mut state = Box::new(State {
            session,
            sending: Sending::Nothing,
            failed: None,
            over: false,
            gone: false,
            shutdown_due: false,
            handshake_limit,
            handshake_until_ns: time::now_ns().saturating_add(limit_ns),
        });
        // A client's first words, which wait for nothing.
        if let Err(failure) = state.session.take_in(&mut []) {
            state.fail(failure.into());
        }
        Self { stream, state }
    }

    pub(super) async fn handshake(&mut self, mut held: impl FnMut(usize)) -> Result<(), Failure> {
        let limit = self.state.handshake_limit;
        let mut late = std::pin::pin!(time::sleep_until(self.state.handshake_until_ns));
        let agreed = poll_fn(|cx| {
            let polled = self.poll_handshake(cx);
            held(self.state.session.undecrypted_bytes());
            if let Poll::Ready(agreed) = polled {
                return Poll::Ready(agreed.map_err(Failure::from));
            }
            let late = late.as_mut().poll(cx);
            late.map(|()| Err(Failure::Timeout(limit)))
        });
        agreed.await
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.state.session.is_handshaking() {
            if self.state.over {
                // The peer is told why.
                ready!(self.poll_out(cx));
                return Poll::Ready(Err(self.take_failure()));
            }
            ready!(self.poll_fill(cx));
        }
        // Its last words are on their way, whatever this end does next.
        while !self.state.session.out.is_empty() {
            ready!(self.poll_sent_before(cx));
            self.start();
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        while self.state.session.plain.is_empty() {
            if let Some(error) = self.state.failed.take() {
                return Poll::Ready(Err(error));
            }
            if self.state.over {
                break;
            }
            ready!(self.poll_fill(cx));
        }
        let plain = mem::take(&mut self.state.session.plain);
        Poll::Ready(Ok(plain.into()))
    }

    /// Sends what the protocol has to say, then waits for bytes. In this order: what is answered to the bytes before
    /// may go with it in one send.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let flying = matches!(self.state.sending, Sending::Flying(_));
        if !self.state.session.out.is_empty() || (self.stream.send_in_flight() && !flying) {
            // Bytes are waited for in any case.
            let _ = self.poll_out(cx);
        }
        let received = ready!(self.stream.poll_recv(cx));
        self.state.received(received);
        if !self.state.session.is_handshaking()
            && let Sending::Waiting(buffer) = &mut self.state.sending
        {
            let buffer = mem::take(buffer);
            self.state.encrypt(buffer);
        }
        if self.state.failed.is_some() {
            // The alert; nobody may ask for more.
            self.push();
        }
        Poll::Ready(())
    }

    pub(super) fn start_send(&mut self, buffer: Vec<u8>) {
        assert!(
            !self.send_in_flight(),
            "a send is in flight; wait for its end before the next"
        );
        if self.state.session.is_handshaking() {
            self.state.sending = Sending::Waiting(buffer);
            return;
        }
        self.state.encrypt(buffer);
        self.push();
    }

    pub(super) fn send_in_flight(&self) -> bool {
        !matches!(self.state.sending, Sending::Nothing)
    }

    pub(super) fn try_sent(&mut self) -> Option<io::Result<Vec<u8>>> {
        self.push();
        self.take_ended()
    }

    pub(super) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        loop {
            if let Some(sent) = self.take_ended() {
                return Poll::Ready(sent);
            }
            match self.state.sending {
                Sending::Nothing => return Poll::Ready(Ok(Vec::new())),
                Sending::Waiting(_) if self.state.over => {
                    self.state.sending = Sending::Nothing;
                    return Poll::Ready(Err(self.take_failure()));
                }
                Sending::Waiting(_) => ready!(self.poll_fill(cx)),
                _ => ready!(self.poll_out(cx)),
            }
        }
    }

    fn take_ended(&mut self) -> Option<io::Result<Vec<u8>>> {
        match mem::take(&mut self.state.sending) {
            Sending::Ended(sent) => Some(sent),
            sending => {
                self.state.sending = sending;
                None
            }
        }
    }

    fn take_failure(&mut self) -> io::Error {
        let told = || Failure::Left.into();
        self.state.failed.take().unwrap_or_else(told)
    }

    /// Sends what there is, as far as that goes without waiting.
    fn push(&mut self) {
        if self.stream.send_in_flight()
            && let Some(sent) = self.stream.try_sent()
        {
            self.state.sent(sent);
        }
        if !self.stream.send_in_flight() && !self.state.session.out.is_empty() {
            self.start();
        }
    }

    /// Sends what there is, to its end.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.poll_sent_before(cx));
            if self.state.session.out.is_empty() {
                return Poll::Ready(());
            }
            self.start();
        }
    }

    /// Waits for the end of the send that is in flight, if one is.
    fn poll_sent_before(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stream.send_in_flight() {
            let sent = ready!(self.stream.poll_sent(cx));
            self.state.sent(sent);
        }
        Poll::Ready(())
    }

    /// Starts one send of all that there is. None may be in flight.
    fn start(&mut self) {
        let out = mem::take(&mut self.state.session.out);
        self.stream.start_send(out);
        if let Sending::Queued(buffer) = &mut self.state.sending {
            self.state.sending = Sending::Flying(mem::take(buffer));
        }
        if mem::take(&mut self.state.shutdown_due) {
            // It waits for the send; if it fails, so does the send.
            let _ = self.stream.shutdown_write();
        }
    }

    pub(super) fn shutdown_write(&mut self) -> io::Result<()> {
        self.state.session.say_goodbye()?;
        self.push();
        match self.state.session.out.is_empty() {
            true => self.stream.shutdown_write(),
            false => {
                self.state.shutdown_due = true;
                Ok(())
            }
        }
    }

    /// Waits until all is sent; a send of the user's that failed says so.
    pub(super) fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx));
        Poll::Ready(
            self.take_ended()
                .unwrap_or_else(|| Ok(Vec::new()))
                .map(drop),
        )
    }

    /// The end of a stream that is dropped.
    pub(super) fn farewell(mut self) {
        if !corelane_rt::is_inside() {
            return;
        }
        // Who is gone does not listen. Otherwise it can fail only where nothing can be said any more.
        if !self.state.gone {
            let _ = self.state.session.say_goodbye();
        }
        self.push();
        let out = mem::take(&mut self.state.session.out);
        if !out.is_empty() {
            task::spawn_in(task::Group::Background, async move {
                let rest = async { self.stream.send_all(out).await.map(drop) };
                if let Ok(Err(error)) = time::timeout(LINGER, rest).await {
                    tracing::debug!(%error, "the last words of a TLS connection were not sent");
                }
            });
        }
    }
}
