//! From bytes to commands to the place where they run: the one synchronous pass over a read.

use std::rc::Rc;

use corelane::ShardId;
use corelane_node::{Asking, Call, CommandFuture, Node, OwnedArgs, Pipeline, Slice, Submitted};
use corelane_store::Command as DataCommand;
use corelane_wire::spec::{CommandSpec, Flags};
use corelane_wire::{Args, Limits, Parsed, Parser, ProtocolError, Reply};

use super::registry::{Entry, Lookup};
use super::state::{ReplyMode, Run, SessionState};
use super::window::Window;

/// Why a pass over the input ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// All whole commands are done.
    NeedMore,
    /// Enough is waiting to be sent: send it before going on.
    Drain,
    /// A slice of the shard's time is over: send what there is, and let others run before going on.
    Yield,
    /// The next thing must be awaited, in order.
    Wait(Waiting),
    /// The connection is to go to this shard before the next command, which is still to be parsed.
    Move(ShardId),
    /// Send what there is and close.
    Close,
    /// A reply would be too long: the client is to be ended.
    TooLarge,
}

/// What must be awaited before the pass goes on.
pub(crate) enum Waiting {
    /// A node or session command that asks other shards.
    Command {
        run: fn(Node, Asking) -> CommandFuture,
        asking: Asking,
        keep: bool,
    },
    /// A data command that concerns several shards.
    Across {
        command: &'static DataCommand,
        call: Call,
        args: OwnedArgs,
        keep: bool,
    },
    /// The command's shard: the connection goes there, and the command runs there.
    Elsewhere(ShardId),
    /// A hopped command whose reply is not wanted (`CLIENT REPLY`).
    Discard { keep_bytes: usize },
    /// Nothing: the command's reply would be too long.
    TooLarge,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Command { .. } => "Command",
            Self::Across { .. } => "Across",
            Self::Elsewhere(_) => "Elsewhere",
            Self::Discard { .. } => "Discard",
            Self::TooLarge => "TooLarge",
        })
    }
}

/// Replies and hops waiting beyond this are sent before more commands are taken in, so that one
/// pipeline cannot make a shard hold more than this and one reply.
pub(crate) const HIGH_WATER_BYTES: usize = 256 * 1024;

/// Parses and dispatches.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) state: SessionState,
    pub(crate) pipeline: Pipeline,
    /// Replies, ready to send once the pipeline is flushed.
    pub(crate) out: Vec<u8>,
}

impl Dispatch {
    /// Runs the commands of `bytes` in order until something stops it; returns the bytes used.
    pub(crate) fn feed(
        &mut self,
        parser: &mut Parser,
        limits: &Limits,
        bytes: &[u8],
    ) -> (usize, Stop) {
        let registry = self.state.registry;
        self.pipeline.begin_pass();
        let mut used = 0;
        let mut slice = Slice::default();
        loop {
            if self.must_drain() {
                return (used, Stop::Drain);
            }
            let rest = &bytes[used..];
            match parser.parse(rest, limits) {
                Ok(Parsed::Incomplete { .. }) => return (used, Stop::NeedMore),
                Ok(Parsed::Empty { consumed }) => used += consumed,
                Ok(Parsed::Command { consumed }) if Window::worth_it(rest, consumed) => {
                    let window = Window::plan(parser, limits, rest, consumed, registry);
                    let (ran, stop) = self.window(&window, &mut slice);
                    used += ran;
                    if let Some(stop) = stop {
                        parser.restart();
                        return (used, stop);
                    }
                }
                Ok(Parsed::Command { consumed }) => {
                    let args = parser.args(rest);
                    let lookup = registry.lookup(args);
                    let stop = self.command(lookup, args, None);
                    if let Some(stop @ Stop::Move(_)) = stop {
                        parser.restart();
                        return (used, stop);
                    }
                    used += consumed;
                    if let Some(stop) = stop {
                        return (used, stop);
                    }
                    if used < bytes.len() && slice.is_over(lookup.spec(), args.len()) {
                        return (used, Stop::Yield);
                    }
                }
                Err(error) => return (used, self.broken(error)),
            }
        }
    }

    /// Runs planned commands; returns the bytes of those that ran, and what stopped them.
    fn window(&mut self, window: &Window<'_, '_>, slice: &mut Slice) -> (usize, Option<Stop>) {
        self.pipeline.look_ahead(self.state.db(), &window.ahead);
        let mut ran = 0;
        for planned in &window.planned {
            if self.must_drain() {
                return (ran, Some(Stop::Drain));
            }
            let args = window.args(planned);
            let stop = self.command(planned.lookup, args, planned.slot);
            if let Some(Stop::Move(_)) = stop {
                return (ran, stop);
            }
            ran = planned.end;
            if stop.is_some() {
                return (ran, stop);
            }
            if slice.is_over(planned.lookup.spec(), args.len()) {
                return (ran, Some(Stop::Yield));
            }
        }
        (ran, None)
    }

    /// Tells the client what is wrong with its bytes.
    fn broken(&mut self, error: ProtocolError) -> Stop {
        if matches!(error, ProtocolError::QueryTooLong) {
            tracing::warn!(
                client = self.state.client.id.0,
                "closed: query over client-query-buffer-limit"
            );
        }
        self.state.node.with_stats(|stats| match error {
            ProtocolError::QueryTooLong => stats.query_limit_disconnections += 1,
            _ => stats.protocol_errors += 1,
        });
        self.reply().error(&format!("ERR {error}"));
        Stop::Close
    }

    /// Before an unwanted reply is cut off, the replies before it must be in place.
    fn must_drain(&self) -> bool {
        self.out.len() + self.pipeline.waiting_bytes() > HIGH_WATER_BYTES
            || (self.state.standing.reply_mode != ReplyMode::On && self.pipeline.is_waiting())
    }

    /// The writer of the next reply.
    pub(crate) fn reply(&mut self) -> Reply<'_> {
        Reply::new(&mut self.out, self.state.client.proto.get())
    }

    /// Runs one command; returns what stops the pass, if it does.
    fn command(&mut self, lookup: Lookup<'_>, args: Args<'_>, slot: Option<u16>) -> Option<Stop> {
        let waiting = self.admit(lookup, args, slot);
        if self.state.closing {
            return Some(Stop::Close);
        }
        match waiting? {
            Waiting::Elsewhere(shard) => Some(Stop::Move(shard)),
            Waiting::TooLarge => Some(Stop::TooLarge),
            waiting => Some(Stop::Wait(waiting)),
        }
    }

    /// Refuses what may not run, runs what may.
    fn admit(&mut self, lookup: Lookup<'_>, args: Args<'_>, slot: Option<u16>) -> Option<Waiting> {
        let Lookup::Found(entry, run) = lookup else {
            if is_http(args.name()) {
                self.state.node.note_cross_protocol(&self.state.client);
                self.state.closing = true;
                return None;
            }
            self.refuse(None, &unknown(&lookup, args));
            return None;
        };
        if !entry.spec.arity_ok(args.len()) {
            let name = entry.spec.full_name();
            let text = format!("ERR wrong number of arguments for '{name}' command");
            self.refuse(Some(entry), &text);
            return None;
        }
        if !entry.spec.flags.has(Flags::NO_AUTH) && !self.state.is_admitted() {
            self.refuse(Some(entry), "NOAUTH Authentication required.");
            return None;
        }
        self.state.client.last_command.set(Some(entry.spec));
        if self.state.standing.reply_mode != ReplyMode::On {
            // Which replies are wanted is noted as commands run, and a command that moves runs twice.
            self.pipeline.stay();
            return self.run_unanswered(entry, run, args);
        }
        self.run(entry, run, args, slot)
    }

    fn run(
        &mut self,
        entry: &Entry,
        run: Run,
        args: Args<'_>,
        slot: Option<u16>,
    ) -> Option<Waiting> {
        match run {
            Run::Data(command) => {
                let (db, proto) = (self.state.db(), self.state.proto());
                let call = Call {
                    id: entry.id,
                    db,
                    proto,
                    slot,
                };
                match self.pipeline.submit(command, call, args, &mut self.out) {
                    Submitted::InOrder => None,
                    Submitted::Elsewhere(shard) => Some(Waiting::Elsewhere(shard)),
                    Submitted::TooLarge => Some(Waiting::TooLarge),
                    Submitted::Moved(slot, owner) => {
                        let state = &self.state;
                        let text = state.node.moved(&state.client, slot, owner);
                        self.refuse(Some(entry), &text);
                        None
                    }
                    Submitted::Refused(refusal) => {
                        self.refuse(Some(entry), refusal.text());
                        None
                    }
                    Submitted::Across => {
                        let args = OwnedArgs::copy(args);
                        Some(Waiting::Across {
                            command,
                            call,
                            args,
                            keep: true,
                        })
                    }
                }
            }
            Run::Session(run) => {
                let proto = self.state.client.proto.get();
                let start = self.out.len();
                run(&mut self.state, args, &mut Reply::new(&mut self.out, proto));
                let failed = self.out.get(start) == Some(&b'-');
                self.state
                    .node
                    .count_call(entry.id, failed.then(|| &self.out[start..]));
                None
            }
            Run::Wait(run) => {
                if self.state.standing.reply_mode == ReplyMode::On
                    && let Some(shard) = self.state.node.place_of(entry.spec, args)
                {
                    return Some(Waiting::Elsewhere(shard));
                }
                let asking = Asking::new(args, Rc::clone(&self.state.client), entry.id);
                Some(Waiting::Command {
                    run,
                    asking,
                    keep: true,
                })
            }
        }
    }

    /// Runs a command whose reply the client does not want: whatever it writes is cut off again.
    fn run_unanswered(&mut self, entry: &Entry, run: Run, args: Args<'_>) -> Option<Waiting> {
        let start = self.out.len();
        if self.state.standing.reply_mode == ReplyMode::SkipNext {
            self.state.standing.reply_mode = ReplyMode::SkipThis;
        }
        let waiting = self.run(entry, run, args, None);
        match self.state.standing.reply_mode {
            ReplyMode::On => return waiting,
            ReplyMode::SkipThis => self.state.standing.reply_mode = ReplyMode::On,
            ReplyMode::Off | ReplyMode::SkipNext => {}
        }
        match waiting {
            Some(Waiting::Command { run, asking, .. }) => Some(Waiting::Command {
                run,
                asking,
                keep: false,
            }),
            Some(Waiting::Across {
                command,
                call,
                args,
                ..
            }) => Some(Waiting::Across {
                command,
                call,
                args,
                keep: false,
            }),
            // It would have been cut off anyway.
            Some(Waiting::TooLarge) if !self.pipeline.is_waiting() => None,
            Some(other) => Some(other),
            None if self.pipeline.is_waiting() => Some(Waiting::Discard { keep_bytes: start }),
            None => {
                self.out.truncate(start);
                None
            }
        }
    }

    /// Answers with an error that keeps the command from running.
    fn refuse(&mut self, entry: Option<&Entry>, text: &str) {
        let start = self.out.len();
        self.reply().error(text);
        self.state
            .node
            .count_refusal(entry.map(|entry| entry.id), &self.out[start..]);
        if self.state.standing.reply_mode != ReplyMode::On {
            self.out.truncate(start);
        }
        // A refused command, too, is the one whose reply was to be skipped.
        if self.state.standing.reply_mode == ReplyMode::SkipNext {
            self.state.standing.reply_mode = ReplyMode::On;
        }
    }
}

/// Whether a command is a line of an HTTP request: the first of a `POST`, or the header that every request has. Who can
/// have a browser send such would have the commands in its body run.
fn is_http(name: &[u8]) -> bool {
    let lines: [&[u8]; 2] = [b"post", b"host:"];
    lines.iter().any(|line| name.eq_ignore_ascii_case(line))
}

/// Most bytes of a client's own words that an error repeats.
const QUOTED_BYTES: usize = 128;

fn unknown(miss: &Lookup<'_>, args: Args<'_>) -> String {
    let quoted = |bytes: &[u8]| {
        String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED_BYTES)]).into_owned()
    };
    match miss {
        Lookup::UnknownSub(entry) => unknown_subcommand(entry.spec, &quoted(&args[1])),
        Lookup::NeedsSub(entry) => {
            format!(
                "ERR wrong number of arguments for '{}' command",
                entry.spec.name
            )
        }
        _ => {
            let mut shown = String::new();
            for arg in args.iter().skip(1) {
                let Some(room @ 1..) = QUOTED_BYTES.checked_sub(shown.len()) else {
                    break;
                };
                shown.push_str(&format!("'{}' ", quoted(&arg[..arg.len().min(room)])));
            }
            let name = quoted(args.name());
            format!("ERR unknown command '{name}', with args beginning with: {shown}")
        }
    }
}

fn unknown_subcommand(container: &CommandSpec, name: &str) -> String {
    let help = container.name.to_ascii_uppercase();
    format!("ERR unknown subcommand '{name}'. Try {help} HELP.")
}
