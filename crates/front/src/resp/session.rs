//! One connection's life on a shard: receive, dispatch, send, until either side has had enough.
//!
//! One receive, one pass, one send. The send is left to the kernel while the next receive already
//! waits, so that a request costs one wake-up. A client that does not read stops being read:
//! the next pass starts only when the send before it is done, and nothing of the shard waits.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use corelane::ShardId;
use corelane::net::Chunk;
use corelane::tls::Transport;
use corelane_node::{
    Door, Ending, Flushed, MoveReason, Output, Pipeline, Rules, TooLarge, UNLIMITED_OUTPUT_BYTES,
};
use corelane_wire::spec::Flags;
use corelane_wire::{Limits, Parser};

use super::dispatch::{Dispatch, Stop, Waiting};
use super::input::Input;
use super::presence::Presence;
use super::state::SessionState;

/// A connection and its session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) stream: Transport,
    pub(super) parser: Parser,
    pub(super) input: Input,
    pub(super) dispatch: Dispatch,
    pub(super) presence: Presence,
    /// Bytes taken in since this session last waited for any.
    unbroken_bytes: usize,
}

/// How a connection came to its end, on this shard at least.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed it, or asked for it.
    Closed,
    /// It was ended from outside.
    Ended(Ending),
    /// It goes to another shard. Everything before the next command is answered; the replies are sent or under way.
    Leaving(ShardId),
    /// The socket failed.
    Failed(io::Error),
    /// What it has not taken grew over the output buffer's hard limit.
    OutputLimit { bytes: usize },
    /// A reply would have been too long.
    TooLarge,
}

impl From<TooLarge> for End {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The reply of a command that is awaited.
type ReplyFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, TooLarge>>>>;

/// A sent buffer above this size is waited for and freed instead of resting with an idle client.
const RESTING_OUTPUT_BYTES: usize = 2 * 1024;

/// How long a command that is under way may take to its end when its client is ended. It is not stopped then, but nobody
/// waits for it any more.
const LAST_REPLY: Duration = Duration::from_millis(100);

/// After as many bytes without a wait the shard's other tasks have their turn: a client that sends
/// faster than it is served would never be waited for. About a thousand small commands.
const UNBROKEN_BYTES: usize = 32 * 1024;

impl Session {
    /// A session that begins, or goes on with what it has parsed and not parsed elsewhere.
    pub(crate) fn new(
        stream: Transport,
        parser: Parser,
        input: Input,
        state: SessionState,
        presence: Presence,
    ) -> Self {
        let pipeline = Pipeline::new(state.node.clone(), state.client.door);
        Self {
            stream,
            parser,
            input,
            dispatch: Dispatch {
                state,
                pipeline,
                out: Vec::new(),
            },
            presence,
            unbroken_bytes: 0,
        }
    }

    /// Serves the connection to its end, or to its end on this shard. Borrows the session, for a future
    /// that owns it holds it twice.
    pub(crate) async fn run(&mut self) -> End {
        let mut turn = self.resume().await;
        while turn.is_ok() {
            turn = self.turn().await;
        }
        match turn {
            Ok(()) => unreachable!("a turn that is well is followed by another"),
            Err(end) => end,
        }
    }

    /// What came with the session from another shard.
    async fn resume(&mut self) -> Result<(), End> {
        if self.input.is_empty() {
            return Ok(());
        }
        let limits = self.begin_pass();
        let stop = self.feed_input(&limits);
        Box::pin(self.work(stop, limits)).await
    }

    /// The limits and the way of the commands to come.
    fn begin_pass(&mut self) -> Limits {
        let state = &self.dispatch.state;
        let course = &state.client.course;
        let rules = |rules: &Rules| (rules.wire, course.way(rules.routing));
        let (limits, way) = state.node.rules(rules);
        self.dispatch.pipeline.set_way(way);
        limits
    }

    /// After a pass the connection may have to go where its commands went.
    fn end_pass(&mut self) -> Result<(), End> {
        let Dispatch {
            state, pipeline, ..
        } = &mut self.dispatch;
        match pipeline.end_pass(&state.client) {
            Some(shard) => Err(self.leaving(shard, MoveReason::Adaptive)),
            None => Ok(()),
        }
    }

    fn leaving(&self, shard: ShardId, reason: MoveReason) -> End {
        let client = &self.dispatch.state.client;
        client.course.set_out(reason, corelane::time::read_ns());
        End::Leaving(shard)
    }

    /// One receive and all that comes of it.
    async fn turn(&mut self) -> Result<(), End> {
        let chunk = self.receive().await?;
        self.note_arrival(chunk.len());
        let limits = self.begin_pass();
        let stop = self.feed_chunk(&chunk, &limits);
        drop(chunk);
        if matches!(stop, Stop::NeedMore) && self.answer_at_once()? {
            return self.end_pass();
        }
        // In a box: every idle connection would have the room of all that a pass may have to wait for.
        Box::pin(self.work(stop, limits)).await
    }

    /// The end of most passes: all commands ran here, and their replies can be sent without a wait. Whether it was so.
    fn answer_at_once(&mut self) -> Result<bool, End> {
        let bytes = self.dispatch.out.len();
        if self.dispatch.pipeline.is_waiting() || bytes > RESTING_OUTPUT_BYTES {
            return Ok(false);
        }
        if bytes > 0 {
            let spare = match self.stream.try_sent() {
                Some(spare) => spare?,
                None if self.stream.send_in_flight() => return Ok(false),
                None => Vec::new(),
            };
            self.start_send(spare);
        }
        if self.input.is_empty() {
            self.parser.trim();
        }
        Ok(true)
    }

    /// Goes on after each stop, until more bytes are needed.
    async fn work(&mut self, mut stop: Stop, limits: Limits) -> Result<(), End> {
        loop {
            match stop {
                Stop::NeedMore => {
                    self.flush().await?;
                    if self.input.is_empty() {
                        self.parser.trim();
                    }
                    self.send().await?;
                    return self.end_pass();
                }
                Stop::Drain => {
                    self.flush().await?;
                    self.send().await?;
                    self.sent_or_ordered().await?;
                }
                Stop::Yield => {
                    self.flush().await?;
                    self.send().await?;
                    corelane::task::yield_now().await;
                }
                Stop::Wait(waiting) => self.wait(waiting).await?,
                Stop::Move(shard) => {
                    self.flush().await?;
                    self.send().await?;
                    return Err(self.leaving(shard, MoveReason::Migrate));
                }
                Stop::Close => return self.close().await,
                Stop::TooLarge => return Err(End::TooLarge),
            }
            match self.dispatch.state.client.ending() {
                // Who drains is answered what has come.
                None | Some(Ending::Draining) => {}
                Some(ending) => {
                    self.send().await?;
                    return Err(End::Ended(ending));
                }
            }
            if let Some(shard) = self.dispatch.state.client.ordered() {
                self.send().await?;
                return Err(self.leaving(shard, MoveReason::Order));
            }
            stop = self.feed_input(&limits);
        }
    }

    /// Waits for bytes, or for whoever ends the connection.
    async fn receive(&mut self) -> Result<Chunk, End> {
        if self.unbroken_bytes >= UNBROKEN_BYTES {
            self.unbroken_bytes = 0;
            corelane::task::yield_now().await;
        }
        let received = poll_fn(|cx| {
            if self.dispatch.state.client.takes_rest() {
                self.rest()?;
            }
            let client = &self.dispatch.state.client;
            if let Some(ending) = client.ending() {
                return Poll::Ready(Err(End::Ended(ending)));
            }
            if let Some(shard) = client.ordered() {
                client
                    .course
                    .set_out(MoveReason::Order, corelane::time::read_ns());
                return Poll::Ready(Err(End::Leaving(shard)));
            }
            client.watch(cx.waker());
            let received = self.stream.poll_recv(cx);
            if received.is_pending() {
                self.unbroken_bytes = 0;
                // Part of a record, which TLS holds and the parser has not seen.
                let held_bytes = self.input.len() + self.stream.undecrypted_bytes();
                client.query_bytes.set(held_bytes);
            }
            received.map_err(End::Failed)
        });
        let chunk = received.await?;
        self.unbroken_bytes += chunk.len();
        if chunk.is_empty() {
            Err(End::Closed)
        } else {
            Ok(chunk)
        }
    }

    fn note_arrival(&mut self, bytes: usize) {
        let state = &self.dispatch.state;
        state.node.note_input(&state.client, bytes);
    }

    /// Gives back what is kept for the next command, now that none has come for a while.
    fn rest(&mut self) -> Result<(), End> {
        if let Some(sent) = self.stream.try_sent() {
            sent?;
            self.dispatch.state.client.note_output(0, 0);
        }
        self.dispatch.out.shrink_to_fit();
        self.dispatch.pipeline.rest();
        self.input.rest();
        self.parser.rest();
        Ok(())
    }

    /// Parses in the receive buffer itself where nothing was left over from before.
    fn feed_chunk(&mut self, chunk: &[u8], limits: &Limits) -> Stop {
        if self.input.is_empty() {
            let (used, stop) = self.dispatch.feed(&mut self.parser, limits, chunk);
            if used < chunk.len() {
                self.input.append(&chunk[used..]);
            }
            self.dispatch.state.client.query_bytes.set(self.input.len());
            return stop;
        }
        self.input.append(chunk);
        self.feed_input(limits)
    }

    fn feed_input(&mut self, limits: &Limits) -> Stop {
        if self.input.is_empty() {
            return Stop::NeedMore;
        }
        let (used, stop) = self
            .dispatch
            .feed(&mut self.parser, limits, self.input.unparsed());
        self.input.consume(used);
        self.dispatch.state.client.query_bytes.set(self.input.len());
        stop
    }

    /// Brings the replies of other shards home; sends in between where they are many.
    async fn flush(&mut self) -> Result<(), End> {
        loop {
            let dispatch = &mut self.dispatch;
            let flushed = dispatch.pipeline.flush(&mut dispatch.out).await?;
            self.check_output()?;
            if flushed == Flushed::Whole {
                return Ok(());
            }
            self.send().await?;
            self.sent().await?;
        }
    }

    /// Refuses to hold more for a client than its hard limit: what is still under way, and what waits behind it.
    fn check_output(&self) -> Result<(), End> {
        let under_way = match self.stream.send_in_flight() {
            true => self.dispatch.state.client.output.get().bytes,
            false => 0,
        };
        let bytes = self.dispatch.out.len() + under_way;
        if bytes <= UNLIMITED_OUTPUT_BYTES {
            return Ok(());
        }
        let node = &self.dispatch.state.node;
        let limit = node.rules(|rules| rules.clients.output.normal.hard_bytes);
        if limit > 0 && bytes as u64 > limit {
            return Err(End::OutputLimit { bytes });
        }
        Ok(())
    }

    /// Runs what could not run in the pass, with everything before it answered.
    async fn wait(&mut self, waiting: Waiting) -> Result<(), End> {
        if let Waiting::Discard { keep_bytes } = waiting {
            self.flush().await?;
            self.dispatch.out.truncate(keep_bytes);
            return Ok(());
        }
        self.flush().await?;
        let node = self.dispatch.state.node.clone();
        // In a box: rare, and else the biggest part of every idle connection.
        let mut only_reads = false;
        let (run, keep): (ReplyFuture, bool) = match waiting {
            Waiting::Command { run, asking, keep } => (
                Box::pin(async move { Ok(node.ask(run, asking).await) }),
                keep,
            ),
            Waiting::Across {
                command,
                call,
                args,
                keep,
            } => {
                only_reads = command.spec.flags.has(Flags::READONLY);
                let client = Rc::clone(&self.dispatch.state.client);
                let run: ReplyFuture =
                    match client.door {
                        Door::Main => {
                            Box::pin(async move { node.run_across(command, call, args).await })
                        }
                        Door::Shard(home) => Box::pin(async move {
                            node.run_alone(&client, home, command, call, args).await
                        }),
                    };
                (run, keep)
            }
            // What ends a pass is no wait, and what is to be cut off has been.
            Waiting::Discard { .. } | Waiting::Elsewhere(_) | Waiting::TooLarge => return Ok(()),
        };
        let waiting = &self.dispatch.state.client.waiting;
        waiting.set(true);
        let ran = Box::pin(self.unless_ended(run, only_reads)).await;
        self.dispatch.state.client.waiting.set(false);
        match ran? {
            Ok(reply) if keep => self.dispatch.out.extend_from_slice(&reply),
            Err(TooLarge) if keep => return Err(End::TooLarge),
            // It would have been cut off anyway.
            Ok(_) | Err(TooLarge) => {}
        }
        Ok(())
    }

    /// Waits for a command's reply, unless the client is ended from outside and the command takes long still. One that
    /// only reads ends with it. Any other goes on by itself, for what it has begun is not to be left half done.
    async fn unless_ended(
        &self,
        mut run: ReplyFuture,
        only_reads: bool,
    ) -> Result<Result<Vec<u8>, TooLarge>, End> {
        let client = &self.dispatch.state.client;
        let mut last_chance = None;
        let ran = poll_fn(|cx| {
            if let Poll::Ready(reply) = run.as_mut().poll(cx) {
                return Poll::Ready(Ok(reply));
            }
            client.watch(cx.waker());
            let Some(ending) = client.ending().filter(|ending| *ending != Ending::Draining) else {
                return Poll::Pending;
            };
            let over = last_chance.get_or_insert_with(|| corelane::time::sleep(LAST_REPLY));
            Pin::new(over).poll(cx).map(|()| Err(End::Ended(ending)))
        });
        let ran = ran.await;
        if ran.is_err() && !only_reads {
            corelane::task::spawn(run);
        }
        ran
    }

    /// Hands the output to the kernel; waits only for the send before it.
    async fn send(&mut self) -> Result<(), End> {
        if self.dispatch.out.is_empty() {
            return Ok(());
        }
        let bytes = self.dispatch.out.len();
        let now_ms = corelane::time::unix_ms();
        let client = &self.dispatch.state.client;
        let spare = if self.stream.send_in_flight() {
            client.note_output(client.output.get().bytes + bytes, now_ms);
            self.sent().await?
        } else {
            Vec::new()
        };
        self.start_send(spare);
        if bytes > RESTING_OUTPUT_BYTES {
            let spare = self.sent_or_ordered().await?;
            if spare.capacity() <= RESTING_OUTPUT_BYTES {
                self.dispatch.out = spare;
            }
        }
        Ok(())
    }

    /// As [`sent`](Self::sent), between two commands: whoever is to go to another shard does not wait, for what is left
    /// of the send goes along.
    async fn sent_or_ordered(&mut self) -> Result<Vec<u8>, End> {
        self.until_sent(true).await
    }

    /// Hands the output to the kernel, which has none; `spare` takes the next one.
    fn start_send(&mut self, spare: Vec<u8>) {
        let out = std::mem::replace(&mut self.dispatch.out, spare);
        let (state, bytes) = (&self.dispatch.state, out.len());
        state.node.with_stats(|stats| {
            stats.net_output_bytes += bytes as u64;
            stats.writes += 1;
        });
        state.client.output.set(Output {
            bytes,
            since_ms: corelane::time::unix_ms(),
        });
        self.stream.start_send(out);
    }

    /// Waits until the send in flight is done and gives its buffer. What is done already counts even
    /// where the connection is to end: who ends itself hears of it. Who drains is waited for.
    async fn sent(&mut self) -> Result<Vec<u8>, End> {
        self.until_sent(false).await
    }

    async fn until_sent(&mut self, or_ordered: bool) -> Result<Vec<u8>, End> {
        let client = &self.dispatch.state.client;
        let stream = &mut self.stream;
        let sent = poll_fn(|cx| {
            client.watch(cx.waker());
            let sent = stream.poll_sent(cx).map_err(End::Failed);
            match client.ending() {
                Some(ending) if sent.is_pending() && ending != Ending::Draining => {
                    return Poll::Ready(Err(End::Ended(ending)));
                }
                _ => {}
            }
            let leaves = or_ordered && sent.is_pending() && client.ordered().is_some();
            match leaves {
                true => Poll::Ready(Ok(None)),
                false => sent.map_ok(Some),
            }
        });
        let Some(spare) = sent.await? else {
            return Ok(Vec::new());
        };
        client.note_sent(self.dispatch.out.len(), corelane::time::unix_ms());
        Ok(spare)
    }

    async fn close(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.send().await?;
        if self.stream.send_in_flight() {
            self.sent().await?;
        }
        Err(End::Closed)
    }
}
