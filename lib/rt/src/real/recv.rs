//! The receiving half of a real stream. On io_uring one armed receive delivers into the shared pool; where the
//! pool is empty, and on polling, it waits for readiness and then reads at once, so that a connection that
//! waits never holds a buffer.

use std::io;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll};

use compio_buf::{BufResult, IoBufMut, SetLen};
use compio_driver::op::{Interest, PollOnce};
use compio_driver::{BufferRef, Key, PushEntry, SharedFd};
use rustix::net::RecvFlags;
use socket2::Socket;

use super::driver::RealDriver;
use super::op::Flight;
use super::recv_op::{Delivery, RecvOp, Unread};
use crate::stats::bump;

/// Received bytes, in a buffer of the pool or one of their own.
pub(crate) enum RealChunk {
    Pooled(BufferRef),
    Owned(Vec<u8>),
}

impl RealChunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            RealChunk::Pooled(buffer) => buffer,
            RealChunk::Owned(bytes) => bytes,
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            RealChunk::Pooled(buffer) => buffer,
            RealChunk::Owned(bytes) => bytes,
        }
    }
}

pub(crate) struct RecvHalf {
    state: State,
    unread: Rc<Unread>,
    /// The pool was empty: get the next bytes by the way that needs none of it.
    starved: bool,
}

enum State {
    Idle,
    Armed(Key<RecvOp>),
    Waiting(Flight<PollOnce<SharedFd<Socket>>>),
    /// The stream has ended or failed; `recv` says "end" from now on.
    Over,
}

impl RecvHalf {
    pub(crate) fn new(driver: &RealDriver) -> Self {
        RecvHalf {
            state: State::Idle,
            unread: Unread::new(driver.pool(), driver.paused()),
            starved: false,
        }
    }

    /// The next bytes; `None` at the stream's end.
    pub(crate) fn poll(
        &mut self,
        driver: &RealDriver,
        fd: &SharedFd<Socket>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<RealChunk>>> {
        loop {
            match mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(Ok(None)),
                State::Idle if driver.is_uring() && !self.starved => {
                    self.state = self.arm(driver, fd)?
                }
                State::Idle if driver.is_uring() => self.state = wait(driver, fd),
                State::Idle => {
                    if let Some(result) = self.read_now(driver, fd) {
                        return Poll::Ready(result);
                    }
                    self.state = wait(driver, fd);
                }
                State::Armed(key) => match self.poll_armed(driver, key, cx) {
                    Some(result) => return result,
                    None => continue,
                },
                State::Waiting(flight) => match flight.poll(driver, Some(cx)) {
                    Err(flight) => {
                        self.state = State::Waiting(flight);
                        return Poll::Pending;
                    }
                    Ok(BufResult(Err(error), _)) => return Poll::Ready(Err(error)),
                    Ok(BufResult(Ok(_), _)) => match self.read_now(driver, fd) {
                        Some(result) => return Poll::Ready(result),
                        None => self.state = wait(driver, fd),
                    },
                },
            }
        }
    }

    /// A half whose stream has ended.
    pub(crate) fn over(driver: &RealDriver) -> Self {
        RecvHalf {
            state: State::Over,
            ..RecvHalf::new(driver)
        }
    }

    /// Whether the stream has ended or failed.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Stops what is armed and waits for its last result, since bytes may come with it: they go into `kept`,
    /// and an error is returned for the reader to be told of. Afterwards nothing of the kernel's refers to
    /// the socket.
    pub(crate) fn poll_quiet(
        &mut self,
        driver: &RealDriver,
        kept: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Error>> {
        loop {
            match mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Idle => {
                    self.state = State::Idle;
                    return Poll::Ready(None);
                }
                State::Armed(key) => {
                    driver.stop(&key);
                    match self.poll_armed(driver, key, cx) {
                        Some(Poll::Ready(Ok(Some(chunk)))) => kept.extend_from_slice(chunk.bytes()),
                        Some(Poll::Ready(Ok(None))) => return Poll::Ready(None),
                        Some(Poll::Ready(Err(error))) => return Poll::Ready(Some(error)),
                        Some(Poll::Pending) => return Poll::Pending,
                        None => {}
                    }
                }
                // Readiness brings no bytes, so its result, whatever it is, can be forgotten.
                State::Waiting(flight) => match flight.stop(driver, cx) {
                    Ok(_) => self.state = State::Idle,
                    Err(flight) => {
                        self.state = State::Waiting(flight);
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    pub(crate) fn cancel(&mut self, driver: &RealDriver) {
        match mem::replace(&mut self.state, State::Over) {
            State::Armed(key) => driver.cancel(key),
            State::Waiting(flight) => flight.cancel(driver),
            State::Idle | State::Over => {}
        }
    }

    fn arm(&mut self, driver: &RealDriver, fd: &SharedFd<Socket>) -> io::Result<State> {
        let op = RecvOp::new(fd.clone(), driver.pool(), self.unread.clone())?;
        match driver.push(op) {
            PushEntry::Pending(key) => {
                self.unread.arm(driver.register_cancel(&key));
                Ok(State::Armed(key))
            }
            PushEntry::Ready(BufResult(result, _)) => Err(match result {
                Err(error) => error,
                Ok(_) => io::Error::other("a receive completed before it was submitted"),
            }),
        }
    }

    /// `None`: the receive ended without a result of its own; look again.
    fn poll_armed(
        &mut self,
        driver: &RealDriver,
        key: Key<RecvOp>,
        cx: &mut Context<'_>,
    ) -> Option<Poll<io::Result<Option<RealChunk>>>> {
        if let Some(delivery) = self.unread.read_one() {
            self.state = State::Armed(key);
            return Some(Poll::Ready(delivered(driver, delivery)));
        }
        let ended = driver.with(|proactor| match proactor.pop(key) {
            PushEntry::Ready(ended) => Ok(ended),
            PushEntry::Pending(key) => {
                proactor.update_waker(&key, cx.waker());
                Err(key)
            }
        });
        match ended {
            Err(key) => {
                self.state = State::Armed(key);
                Some(Poll::Pending)
            }
            Ok(BufResult(result, op)) => self.ended(driver, result, op).map(Poll::Ready),
        }
    }

    /// What the last completion of an armed receive means.
    fn ended(
        &mut self,
        driver: &RealDriver,
        result: io::Result<usize>,
        op: RecvOp,
    ) -> Option<io::Result<Option<RealChunk>>> {
        match result {
            Ok(0) => Some(Ok(None)),
            Ok(len) => {
                self.state = State::Idle;
                Some(match op.take_buffer() {
                    Some(buffer) => Ok(Some(filled(buffer, len))),
                    None => Err(io::Error::other(
                        "the kernel delivered bytes without a buffer",
                    )),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                self.state = State::Idle;
                self.starved = true;
                bump(&driver.counters.pool_empty);
                None
            }
            // Stopped because too much lay unread; by now it has been read.
            Err(error) if error.raw_os_error() == Some(CANCELED) => {
                self.state = State::Idle;
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Reads without waiting. `None`: there is nothing to read yet.
    fn read_now(
        &mut self,
        driver: &RealDriver,
        fd: &SharedFd<Socket>,
    ) -> Option<io::Result<Option<RealChunk>>> {
        let read = match driver.pool().pop() {
            Ok(buffer) => read_pooled(fd, buffer),
            Err(_) => read_owned(fd, driver.buffer_bytes()),
        };
        match read {
            Ok(None) => Some(Ok(None)),
            Ok(some) => {
                self.state = State::Idle;
                self.starved = false;
                Some(Ok(some))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(error)),
        }
    }
}

const CANCELED: i32 = rustix::io::Errno::CANCELED.raw_os_error();

fn wait(driver: &RealDriver, fd: &SharedFd<Socket>) -> State {
    State::Waiting(Flight::push(
        driver,
        PollOnce::new(fd.clone(), Interest::Readable),
    ))
}

fn delivered(driver: &RealDriver, delivery: Delivery) -> io::Result<Option<RealChunk>> {
    let Some(id) = delivery.buffer else {
        return Err(io::Error::other(
            "the kernel delivered bytes without a buffer",
        ));
    };
    match driver.pool().take(id)? {
        Some(buffer) => Ok(Some(filled(buffer, delivery.bytes as usize))),
        None => Err(io::Error::other("the kernel named a buffer that is in use")),
    }
}

fn filled(mut buffer: BufferRef, len: usize) -> RealChunk {
    // SAFETY: the kernel has written `len` bytes from the buffer's beginning.
    unsafe { buffer.set_len(len) };
    RealChunk::Pooled(buffer)
}

fn read_pooled(fd: &SharedFd<Socket>, mut buffer: BufferRef) -> io::Result<Option<RealChunk>> {
    let len = recv(fd, buffer.as_uninit())?;
    Ok((len > 0).then(|| filled(buffer, len)))
}

fn read_owned(fd: &SharedFd<Socket>, bytes: usize) -> io::Result<Option<RealChunk>> {
    let mut buffer = Vec::with_capacity(bytes);
    let len = recv(fd, buffer.spare_capacity_mut())?;
    // SAFETY: `len` bytes from the buffer's beginning have just been written.
    unsafe { buffer.set_len(len) };
    Ok((len > 0).then_some(RealChunk::Owned(buffer)))
}

fn recv(fd: &SharedFd<Socket>, buffer: &mut [mem::MaybeUninit<u8>]) -> io::Result<usize> {
    loop {
        match rustix::net::recv(fd, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((_, len)) => return Ok(len),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
