//! A connection's life on one shard: lines in, replies out, in their order. It ends with the connection, or with its
//! departure to another shard.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use corelane::net::framing::{Decoder, Lines};
use corelane::net::{Chunk, Stream};
use corelane::sync::Hold;
use corelane::{Call, Calls, Mesh, ShardId, partition_of, task, time};

use crate::fibonacci::parse_number;
use crate::moving::{Session, hand_over};
use crate::permits::Permit;
use crate::policy::{History, Way};
use crate::shard::{FibShard, Reply, Request};
use crate::stats::Stats;

/// The longest line: more than any number needs, enough to say what is wrong.
const LINE_BYTES_MAX: usize = 64;

/// Answers of one connection that may be under way at once. What comes beyond waits in the stream.
const ANSWERS_MAX: usize = 128;

/// Replies that collect before they are sent; then the session waits for its reader.
const OUTPUT_BYTES: usize = 16 * 1024;

impl Session {
    pub(crate) fn new(permit: Permit) -> Self {
        Session {
            decoder: Decoder::new(Lines {
                max_bytes: LINE_BYTES_MAX,
            }),
            history: History::default(),
            first: None,
            _permit: permit,
        }
    }
}

/// Serves a connection as a task of its own.
pub(crate) fn start(mesh: &Mesh<FibShard>, stream: Stream, session: Session, inside: Hold) {
    let mesh = mesh.clone();
    drop(task::spawn(async move {
        let _inside = inside;
        let mut held = Some((stream, session));
        while let Some((stream, session)) = held {
            held = stay(&mesh, stream, session).await;
        }
    }));
}

/// Serves until the connection ends or has moved; what comes back was to move and could not.
async fn stay(
    mesh: &Mesh<FibShard>,
    stream: Stream,
    session: Session,
) -> Option<(Stream, Session)> {
    let mut talk = Talk {
        stopping: Box::pin(mesh.stopping()),
        patience: mesh.with(|shard| shard.patience),
        mesh,
        stream,
        session,
        answers: VecDeque::new(),
        output: Vec::new(),
    };
    match talk.serve().await {
        Ok(End::Move(to)) => {
            let Talk {
                stream, session, ..
            } = talk;
            let mut held = hand_over(mesh, to, stream, session).await;
            if let Some((_, session)) = &mut held {
                session.history.stayed();
            }
            held
        }
        // A peer that is gone is nobody's fault.
        Ok(End::Close) | Err(_) => None,
    }
}

/// Why a session ends here.
enum End {
    Close,
    Move(ShardId),
}

struct Talk<'m> {
    mesh: &'m Mesh<FibShard>,
    stopping: Pin<Box<dyn Future<Output = ()>>>,
    patience: Duration,
    stream: Stream,
    session: Session,
    /// In the order of their requests.
    answers: VecDeque<Answer>,
    output: Vec<u8>,
}

/// What a wait for bytes brings.
enum Next {
    Bytes(Chunk),
    /// The client writes no more.
    End,
    /// Nothing, for too long.
    TooLate,
    /// The node stops.
    Stop,
}

/// A reply, or where it comes from.
enum Answer {
    Number(u128),
    Text(String),
    Call(Call<FibShard>),
    Stats(Calls<FibShard>),
}

/// What the next line asks for.
enum Asked {
    Number(u8),
    Stats,
    Nothing(String),
}

impl Talk<'_> {
    async fn serve(&mut self) -> io::Result<End> {
        if let Some(number) = self.session.first.take() {
            let way = match self.owner(number) == self.mesh.shard() {
                true => Way::Here,
                false => Way::Hop,
            };
            self.answer_number(number, way);
        }
        loop {
            let moving = self.take_lines();
            self.write_answers().await?;
            if let Some(to) = moving {
                self.send().await?;
                return Ok(End::Move(to));
            }
            if self.session.decoder.rest().contains(&b'\n') {
                continue;
            }
            self.send().await?;
            match self.next_chunk().await? {
                Next::Bytes(chunk) => self.session.decoder.push(&chunk),
                Next::End if self.session.decoder.is_between_frames() => return Ok(End::Close),
                Next::End => return self.say("error: the last line has no end").await,
                Next::TooLate => {
                    let text = format!("error: no whole line came for {:?}", self.patience);
                    return self.say(&text).await;
                }
                Next::Stop => return Ok(End::Close),
            }
        }
    }

    /// Begins to answer the lines that are whole, up to the bound. Some: the next belongs to that shard, and the
    /// connection is to move there.
    fn take_lines(&mut self) -> Option<ShardId> {
        while self.answers.len() < ANSWERS_MAX {
            let number = match self.next_asked()? {
                Asked::Number(number) => number,
                Asked::Stats => {
                    let calls = self.mesh.broadcast(|_| Request::Stats);
                    self.answers.push_back(Answer::Stats(calls));
                    continue;
                }
                Asked::Nothing(text) => {
                    self.mesh.with(|shard| shard.stats.bad_lines += 1);
                    self.answers.push_back(Answer::Text(text));
                    continue;
                }
            };
            let owner = self.owner(number);
            let routing = self.mesh.with(|shard| shard.routing);
            let way = self.session.history.way(routing, owner, self.mesh.shard());
            if way == Way::Move && !self.mesh.is_stopping() {
                self.session.first = Some(number);
                return Some(owner);
            }
            self.answer_number(number, way);
        }
        None
    }

    /// What the next whole line asks for; none: there is none.
    fn next_asked(&mut self) -> Option<Asked> {
        let asked = match self.session.decoder.next_frame() {
            Ok(line) => match line? {
                b"stats" => Asked::Stats,
                line => parse_number(line).map_or_else(|error| Asked::wrong(&error), Asked::Number),
            },
            Err(error) => Asked::wrong(&error),
        };
        Some(asked)
    }

    fn owner(&self, number: u8) -> ShardId {
        self.mesh.map().owner(partition_of(&[number]))
    }

    fn answer_number(&mut self, number: u8, way: Way) {
        if way == Way::Here {
            let value = self.mesh.with(|shard| {
                shard.stats.local += 1;
                shard.number(number)
            });
            self.answers.push_back(Answer::Number(value));
            return;
        }
        self.mesh.with(|shard| shard.stats.hops += 1);
        let partition = partition_of(&[number]);
        let call = self.mesh.call_partition(partition, Request::Number(number));
        self.answers.push_back(Answer::Call(call));
    }

    /// Writes what was begun to be answered, in order, waiting for those that are on their way.
    async fn write_answers(&mut self) -> io::Result<()> {
        while let Some(answer) = self.answers.pop_front() {
            let text = match answer {
                Answer::Number(value) => {
                    self.write_number(value);
                    None
                }
                Answer::Text(text) => Some(text),
                Answer::Call(call) => match call.await {
                    Ok(Reply::Number(value)) => {
                        self.write_number(value);
                        None
                    }
                    Ok(other) => Some(format!("error: a shard answered {other:?}")),
                    Err(error) => Some(format!("error: {}", error.without_request())),
                },
                Answer::Stats(calls) => Some(sum(calls).await),
            };
            if let Some(text) = text {
                self.output.extend_from_slice(text.as_bytes());
                self.output.push(b'\n');
            }
            if self.output.len() >= OUTPUT_BYTES {
                self.send().await?;
            }
        }
        Ok(())
    }

    fn write_number(&mut self, value: u128) {
        self.output
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.output.push(b'\n');
    }

    /// Starts to send what has collected, once what was sent before is gone: whoever does not read gets no more
    /// answers, and nobody else waits.
    async fn send(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let spare = match time::timeout(self.patience, self.stream.sent()).await {
            Ok(sent) => sent?,
            // What lies unsent in the system is not waited for, either.
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        self.stream
            .start_send(std::mem::replace(&mut self.output, spare));
        Ok(())
    }

    /// The next bytes, or why there are none.
    async fn next_chunk(&mut self) -> io::Result<Next> {
        let received = poll_fn(|cx| {
            if let Poll::Ready(received) = self.stream.poll_recv(cx) {
                return Poll::Ready(received.map(Some));
            }
            self.stopping.as_mut().poll(cx).map(|()| Ok(None))
        });
        Ok(match time::timeout(self.patience, received).await {
            Err(_) => Next::TooLate,
            Ok(received) => match received? {
                Some(chunk) if chunk.is_empty() => Next::End,
                Some(chunk) => Next::Bytes(chunk),
                None => Next::Stop,
            },
        })
    }

    /// Last words. The client may still read, even where it writes no more.
    async fn say(&mut self, text: &str) -> io::Result<End> {
        self.output.extend_from_slice(text.as_bytes());
        self.output.push(b'\n');
        self.send().await?;
        Ok(End::Close)
    }
}

impl Asked {
    fn wrong(error: &dyn std::error::Error) -> Self {
        Asked::Nothing(format!("error: {error}"))
    }
}

/// What all shards have counted, as one line.
async fn sum(calls: Calls<FibShard>) -> String {
    let mut sum = Stats::default();
    for outcome in calls.await {
        match outcome {
            Ok(Reply::Stats(stats)) => sum = sum.plus(&stats),
            Ok(other) => return format!("error: a shard answered {other:?}"),
            Err(error) => return format!("error: {}", error.without_request()),
        }
    }
    sum.to_string()
}
