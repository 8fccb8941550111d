//! A simulated connection: what each of its two ends has received, is sending, and knows of the other.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use crate::net::LINGER;
use crate::sim::core::SimCore;
use crate::sim::event::Event;
use crate::sim::trace::{Entry, hash_bytes};

/// The most bytes that one receive brings.
const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Default)]
pub(crate) struct Conn {
    ends: [End; 2],
}

#[derive(Default)]
struct End {
    /// On their way to this end.
    flying: VecDeque<(u64, Segment)>,
    /// When the last of them arrives; the next cannot be earlier.
    last_due_ns: u64,
    /// Arrived and unread.
    inbox: VecDeque<u8>,
    /// Bytes flying to this end and unread at it, and how many there may be.
    unread: usize,
    capacity: usize,
    reader: Option<Waker>,
    /// The other end writes no more.
    ended: bool,
    failed: Failure,
    send: Sending,
    sender: Option<Waker>,
    /// This end writes no more: the end is to be sent, or was.
    finish: Finish,
    /// Nobody holds this end.
    gone: bool,
}

enum Segment {
    Bytes(Vec<u8>),
    End,
    Reset,
}

#[derive(Default)]
enum Sending {
    #[default]
    Idle,
    Going {
        buffer: Vec<u8>,
        taken: usize,
    },
    /// Taken whole; the sender does not know yet.
    Taken(Vec<u8>),
    Done(io::Result<Vec<u8>>),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Failure {
    #[default]
    None,
    /// Reset, and the reader was not told yet.
    Reset,
    Told,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Finish {
    #[default]
    No,
    Due,
    Reset,
    Sent,
}

impl SimCore {
    /// A new connection; its number.
    pub(crate) fn open_conn(&self) -> u64 {
        let range = &self.options.socket_bytes;
        let capacity = || self.draw(&(range.start as u64..range.end as u64)).max(1) as usize;
        let mut conn = Conn::default();
        for end in &mut conn.ends {
            end.capacity = capacity();
        }
        let mut net = self.net.borrow_mut();
        let id = net.next_conn;
        net.next_conn += 1;
        net.conns.insert(id, conn);
        id
    }

    /// # Panics
    ///
    /// If the last send was not taken back yet.
    pub(crate) fn start_send(&self, conn: u64, side: usize, buffer: Vec<u8>) {
        let bytes = Entry::Bytes {
            conn,
            side,
            count: buffer.len(),
            hash: hash_bytes(&buffer),
        };
        self.note(bytes);
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            assert!(
                matches!(end.send, Sending::Idle),
                "start_send: the last send is still in flight (await sent() first)"
            );
            end.send = match end.failed {
                Failure::None if end.finish == Finish::No => Sending::Going { buffer, taken: 0 },
                _ => Sending::Done(Err(io::ErrorKind::BrokenPipe.into())),
            };
        });
        self.pump(conn, side);
    }

    pub(crate) fn send_in_flight(&self, conn: u64, side: usize) -> bool {
        self.with_conn(conn, |state| {
            !matches!(state.ends[side].send, Sending::Idle)
        })
    }

    pub(crate) fn poll_sent(
        &self,
        conn: u64,
        side: usize,
        cx: Option<&mut Context<'_>>,
    ) -> Option<io::Result<Vec<u8>>> {
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            match std::mem::take(&mut end.send) {
                Sending::Done(result) => Some(result.map(|mut buffer| {
                    buffer.clear();
                    buffer
                })),
                other => {
                    end.send = other;
                    if let Some(cx) = cx {
                        end.sender = Some(cx.waker().clone());
                    }
                    None
                }
            }
        })
    }

    pub(crate) fn poll_recv(
        &self,
        conn: u64,
        side: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let available = self.with_conn(conn, |state| state.ends[side].inbox.len());
        let take = if available > 0 {
            self.piece(available.min(CHUNK_BYTES))
        } else {
            0
        };
        let read = self.with_conn(conn, |state| state.ends[side].read(take, cx));
        if let Poll::Ready(Ok(Some(bytes))) = &read {
            let entry = Entry::Bytes {
                conn,
                side,
                count: bytes.len(),
                hash: 0,
            };
            self.note(entry);
            let event = Event::Room {
                conn,
                side: 1 - side,
            };
            self.add_event_in(&self.options.latency_ns, event);
        }
        read
    }

    /// Some of what lies unread, or nothing, as a receive that is stopped may bring it.
    pub(crate) fn take_some(&self, conn: u64, side: usize) -> Vec<u8> {
        let available = self.with_conn(conn, |state| state.ends[side].inbox.len());
        if available == 0 || self.below(2) == 0 {
            return Vec::new();
        }
        let take = self.piece(available);
        let bytes = self.with_conn(conn, |state| state.ends[side].take(take));
        let other = 1 - side;
        self.add_event_in(&self.options.latency_ns, Event::Room { conn, side: other });
        bytes
    }

    /// Nobody waits at this end any more.
    pub(crate) fn forget_wakers(&self, conn: u64, side: usize) {
        self.with_conn(conn, |state| {
            state.ends[side].reader = None;
            state.ends[side].sender = None;
        });
    }

    /// Ends one side's writing, after what it is sending.
    pub(crate) fn shutdown_write(&self, conn: u64, side: usize) {
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            if end.finish == Finish::No {
                end.finish = Finish::Due;
            }
        });
        self.pump(conn, side);
    }

    /// One side is dropped. What it is sending goes on, for as long as on the real backends. As with TCP, closing with
    /// bytes unread resets the other side.
    pub(crate) fn close_end(&self, conn: u64, side: usize, abort: bool) {
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            end.gone = true;
            end.reader = None;
            end.sender = None;
            let unread = !end.inbox.is_empty();
            if abort {
                end.send = Sending::Idle;
            }
            if end.finish != Finish::Sent || abort {
                end.finish = if abort || unread {
                    Finish::Reset
                } else {
                    Finish::Due
                };
            }
            if abort {
                state.ends[1 - side].flying.clear();
            }
        });
        self.pump(conn, side);
        if self.with_conn(conn, |state| state.ends[side].is_sending()) {
            let due_ns = self.now() + LINGER.as_nanos() as u64;
            self.add_event(due_ns, Event::Linger { conn, side });
        }
    }

    /// The rest of what a dropped side was sending is given up: each side may be waiting for the other to read.
    fn linger_over(&self, conn: u64, side: usize) {
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            if end.is_sending() {
                end.send = Sending::Idle;
            }
        });
        self.pump(conn, side);
    }

    pub(crate) fn conn_event(&self, event: Event) {
        match event {
            Event::Deliver { conn, side } => self.deliver(conn, side),
            Event::SendDone { conn, side } => self.send_done(conn, side),
            Event::Room { conn, side } => self.pump(conn, side),
            Event::Reset { conn, side } => self.reset(conn, side),
            Event::Linger { conn, side } => self.linger_over(conn, side),
            Event::Ring { .. }
            | Event::Connect { .. }
            | Event::Datagram { .. }
            | Event::Done { .. } => {}
        }
        if let Event::Deliver { conn, .. } | Event::Room { conn, .. } | Event::Reset { conn, .. } =
            event
        {
            self.forget_if_over(conn);
        }
    }

    /// Moves what `side` sends onto its way, as far as the other side has room.
    fn pump(&self, conn: u64, side: usize) {
        if !self.net.borrow().conns.contains_key(&conn) {
            return;
        }
        while self.send_piece(conn, side) {}
        self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            let Sending::Going { buffer, taken } = &mut end.send else {
                return false;
            };
            if *taken < buffer.len() {
                return false;
            }
            end.send = Sending::Taken(std::mem::take(buffer));
            true
        })
        .then(|| self.add_event_in(&self.options.completion_ns, Event::SendDone { conn, side }));
        self.send_finish(conn, side);
    }

    /// Sends one piece; false when nothing more goes now.
    fn send_piece(&self, conn: u64, side: usize) -> bool {
        let room = self.with_conn(conn, |state| {
            let [mine, other] = ends(state, side);
            let Sending::Going { buffer, taken } = &mine.send else {
                return 0;
            };
            (buffer.len() - taken).min(other.capacity.saturating_sub(other.unread))
        });
        if room == 0 {
            return false;
        }
        let count = self.piece(room);
        let bytes = self.with_conn(conn, |state| {
            let Sending::Going { buffer, taken } = &mut state.ends[side].send else {
                return Vec::new();
            };
            let bytes = buffer[*taken..*taken + count].to_vec();
            *taken += count;
            bytes
        });
        self.fly(conn, 1 - side, Segment::Bytes(bytes));
        true
    }

    fn send_finish(&self, conn: u64, side: usize) {
        let segment = self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            if matches!(end.send, Sending::Going { .. }) {
                return None;
            }
            let segment = match end.finish {
                Finish::Due => Segment::End,
                Finish::Reset => Segment::Reset,
                Finish::No | Finish::Sent => return None,
            };
            end.finish = Finish::Sent;
            Some(segment)
        });
        if let Some(segment) = segment {
            self.fly(conn, 1 - side, segment);
        }
    }

    /// Sends a segment on its way to `side`, behind all that are on it.
    fn fly(&self, conn: u64, side: usize, segment: Segment) {
        let earliest = self.now() + self.draw(&self.options.latency_ns);
        let due_ns = self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            let due_ns = earliest.max(end.last_due_ns);
            end.last_due_ns = due_ns;
            if let Segment::Bytes(bytes) = &segment {
                end.unread += bytes.len();
            }
            end.flying.push_back((due_ns, segment));
            due_ns
        });
        self.add_event(due_ns, Event::Deliver { conn, side });
    }

    /// What is due at `side` arrives.
    fn deliver(&self, conn: u64, side: usize) {
        let unlucky = self.below(10_000) < self.options.resets_per_10k as usize;
        if unlucky {
            self.reset(conn, 0);
            return self.reset(conn, 1);
        }
        let now = self.now();
        let (rejected, waker) = self.with_conn(conn, |state| state.ends[side].arrive(now));
        if rejected {
            self.add_event_in(
                &self.options.latency_ns,
                Event::Reset {
                    conn,
                    side: 1 - side,
                },
            );
        }
        waker.into_iter().flatten().for_each(Waker::wake);
    }

    fn send_done(&self, conn: u64, side: usize) {
        let waker = self.with_conn(conn, |state| {
            let end = &mut state.ends[side];
            if let Sending::Taken(buffer) = &mut end.send {
                end.send = Sending::Done(Ok(std::mem::take(buffer)));
                return end.sender.take();
            }
            None
        });
        waker.into_iter().for_each(Waker::wake);
    }

    fn reset(&self, conn: u64, side: usize) {
        let wakers = self.with_conn(conn, |state| state.ends[side].fail());
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Connections that somebody holds an end of.
    pub(crate) fn connections(&self) -> usize {
        let net = self.net.borrow();
        let held = |conn: &&Conn| conn.ends.iter().any(|end| !end.gone);
        net.conns.values().filter(held).count()
    }

    /// Forgets a connection that nobody holds and that has nothing more to deliver.
    fn forget_if_over(&self, conn: u64) {
        let mut net = self.net.borrow_mut();
        let over = net.conns.get(&conn).is_some_and(|state| {
            state
                .ends
                .iter()
                .all(|end| end.gone && end.flying.is_empty())
        });
        if over {
            net.conns.remove(&conn);
        }
    }

    /// Acts on a connection. One that is already forgotten is an empty stand-in: late events find nothing.
    fn with_conn<R>(&self, conn: u64, f: impl FnOnce(&mut Conn) -> R) -> R {
        match self.net.borrow_mut().conns.get_mut(&conn) {
            Some(state) => f(state),
            None => f(&mut Conn::default()),
        }
    }
}

fn ends(state: &mut Conn, side: usize) -> [&mut End; 2] {
    let [left, right] = &mut state.ends;
    if side == 0 {
        [left, right]
    } else {
        [right, left]
    }
}

impl End {
    fn is_sending(&self) -> bool {
        matches!(self.send, Sending::Going { .. })
    }

    fn read(&mut self, take: usize, cx: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
        if take > 0 {
            return Poll::Ready(Ok(Some(self.take(take))));
        }
        if self.failed == Failure::Reset {
            self.failed = Failure::Told;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.ended || self.failed == Failure::Told {
            return Poll::Ready(Ok(None));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.unread -= count;
        self.inbox.drain(..count).collect()
    }

    /// Takes what is due. True: bytes came that nobody will read. And whom to wake.
    fn arrive(&mut self, now_ns: u64) -> (bool, [Option<Waker>; 2]) {
        let mut rejected = false;
        while self
            .flying
            .front()
            .is_some_and(|(due_ns, _)| *due_ns <= now_ns)
        {
            match self.flying.pop_front() {
                Some((_, Segment::Bytes(bytes))) if self.gone => {
                    self.unread -= bytes.len();
                    rejected = true;
                }
                // After a reset nothing more is taken: what came before it must not be followed by what came later.
                Some((_, Segment::Bytes(bytes))) if self.failed != Failure::None => {
                    self.unread -= bytes.len();
                }
                Some((_, Segment::Bytes(bytes))) => self.inbox.extend(bytes),
                Some((_, Segment::End)) => self.ended = true,
                Some((_, Segment::Reset)) => return (rejected, self.fail()),
                None => {}
            }
        }
        (rejected, [self.reader.take(), None])
    }

    /// The connection is reset, as seen from here. What has arrived can still be read.
    fn fail(&mut self) -> [Option<Waker>; 2] {
        self.flying.clear();
        self.unread = self.inbox.len();
        if self.failed == Failure::None {
            self.failed = Failure::Reset;
        }
        if let Sending::Going { .. } | Sending::Taken(_) = self.send {
            self.send = Sending::Done(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.finish = Finish::Sent;
        [self.reader.take(), self.sender.take()]
    }
}
