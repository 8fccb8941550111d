//! The sending half of a real stream: one buffer at a time. On io_uring the kernel alone carries a send to its
//! end; on polling, and for a remainder, whoever polls carries it on.

use std::io;
use std::mem;
use std::task::{Context, Poll};

use compio_buf::{BufResult, IntoInner};
use compio_driver::SharedFd;
use compio_driver::op::{self, Interest, PollOnce, SendFlags};
use socket2::Socket;

use super::driver::RealDriver;
use super::op::Flight;

#[derive(Default)]
pub(crate) struct SendHalf {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// The kernel has it whole.
    Flying(Flight<op::Send<Vec<u8>, SharedFd<Socket>>>),
    /// `sent` bytes of it are out; the rest waits for room.
    Partial {
        buffer: Vec<u8>,
        sent: usize,
        wait: Option<Flight<PollOnce<SharedFd<Socket>>>>,
    },
    Done(io::Result<Vec<u8>>),
}

/// A send as it leaves its shard: nothing of the kernel's refers to it.
pub(crate) enum SendRest {
    /// There is none, or its result was taken.
    None,
    /// What is not sent yet.
    Unsent(Vec<u8>),
    /// It has ended, and its result was not taken.
    Ended(io::Result<Vec<u8>>),
}

impl SendHalf {
    /// Takes up a send that another shard began.
    pub(crate) fn resume(driver: &RealDriver, fd: &SharedFd<Socket>, rest: SendRest) -> Self {
        let mut half = SendHalf::default();
        match rest {
            SendRest::None => {}
            SendRest::Unsent(buffer) => half.start(driver, fd, buffer),
            SendRest::Ended(result) => half.state = State::Done(result),
        }
        half
    }

    /// Stops the send where it is, and waits until the kernel is done with it.
    pub(crate) fn poll_quiet(&mut self, driver: &RealDriver, cx: &mut Context<'_>) -> Poll<()> {
        let (state, quiet) = match mem::take(&mut self.state) {
            State::Flying(flight) => match flight.stop(driver, cx) {
                Err(flight) => (State::Flying(flight), false),
                Ok(BufResult(result, op)) => (stopped(result, op.into_inner()), true),
            },
            State::Partial {
                buffer,
                sent,
                wait: Some(wait),
            } => {
                let wait = wait.stop(driver, cx).err();
                let quiet = wait.is_none();
                (State::Partial { buffer, sent, wait }, quiet)
            }
            other => (other, true),
        };
        self.state = state;
        if quiet {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// What is left of the send, after [`SendHalf::poll_quiet`].
    pub(crate) fn into_rest(self) -> SendRest {
        match self.state {
            State::Idle => SendRest::None,
            State::Done(result) => SendRest::Ended(result),
            State::Partial {
                mut buffer, sent, ..
            } => {
                buffer.drain(..sent);
                SendRest::Unsent(buffer)
            }
            State::Flying(_) => unreachable!("the send was stopped before"),
        }
    }

    /// # Panics
    ///
    /// If the last send was not taken back yet.
    pub(crate) fn start(&mut self, driver: &RealDriver, fd: &SharedFd<Socket>, buffer: Vec<u8>) {
        assert!(
            matches!(self.state, State::Idle),
            "start_send: the last send is still in flight (await sent() first)"
        );
        self.state = if buffer.is_empty() {
            State::Done(Ok(buffer))
        } else if driver.is_uring() {
            let flags = SendFlags::NOSIGNAL | WAITALL;
            State::Flying(Flight::push(
                driver,
                op::Send::new(fd.clone(), buffer, flags),
            ))
        } else {
            State::Partial {
                buffer,
                sent: 0,
                wait: None,
            }
        };
        if !driver.is_uring() {
            self.advance(driver, fd, None);
        }
    }

    /// Whether a send was started and not taken back.
    pub(crate) fn in_flight(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether progress needs somebody who polls.
    pub(crate) fn needs_polling(&self) -> bool {
        matches!(self.state, State::Partial { .. })
    }

    /// Whether bytes of it may still leave.
    pub(crate) fn is_going(&self) -> bool {
        matches!(self.state, State::Flying(_) | State::Partial { .. })
    }

    /// Takes the ended send's buffer (emptied) or error; `None` while it is in flight or there is none.
    pub(crate) fn take_result(&mut self) -> Option<io::Result<Vec<u8>>> {
        match mem::take(&mut self.state) {
            State::Done(result) => Some(result.map(|mut buffer| {
                buffer.clear();
                buffer
            })),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Carries the send on, and takes its result as [`SendHalf::take_result`] does. `cx` is woken when it ends.
    pub(crate) fn poll(
        &mut self,
        driver: &RealDriver,
        fd: &SharedFd<Socket>,
        cx: Option<&mut Context<'_>>,
    ) -> Option<io::Result<Vec<u8>>> {
        self.advance(driver, fd, cx);
        self.take_result()
    }

    pub(crate) fn cancel(&mut self, driver: &RealDriver) {
        match mem::take(&mut self.state) {
            State::Flying(flight) => flight.cancel(driver),
            State::Partial {
                wait: Some(wait), ..
            } => wait.cancel(driver),
            _ => {}
        }
    }

    /// Carries the send on as far as it goes without waiting.
    pub(crate) fn advance(
        &mut self,
        driver: &RealDriver,
        fd: &SharedFd<Socket>,
        cx: Option<&mut Context<'_>>,
    ) {
        self.state = match mem::take(&mut self.state) {
            State::Flying(flight) => match flight.poll(driver, cx) {
                Err(flight) => State::Flying(flight),
                Ok(BufResult(result, op)) => after_flight(driver, fd, result, op.into_inner()),
            },
            State::Partial { buffer, sent, wait } => write_on(driver, fd, buffer, sent, wait, cx),
            other => other,
        };
    }
}

const CANCELED: i32 = rustix::io::Errno::CANCELED.raw_os_error();

/// io_uring, too, takes MSG_WAITALL on sends: it retries inside the kernel until all is sent.
const WAITALL: SendFlags = SendFlags::from_bits_retain(0x100);

fn after_flight(
    driver: &RealDriver,
    fd: &SharedFd<Socket>,
    result: io::Result<usize>,
    buffer: Vec<u8>,
) -> State {
    match result {
        Err(error) => State::Done(Err(error)),
        Ok(sent) if sent == buffer.len() => State::Done(Ok(buffer)),
        // Cut short by an error, which the next attempt will name, or by the size limit of one call.
        Ok(sent) => write_on(driver, fd, buffer, sent, None, None),
    }
}

/// What a send that was asked to stop means: what it had sent counts, the rest waits.
fn stopped(result: io::Result<usize>, buffer: Vec<u8>) -> State {
    match result {
        Ok(sent) if sent == buffer.len() => State::Done(Ok(buffer)),
        Ok(sent) => partial(buffer, sent),
        Err(error) if error.raw_os_error() == Some(CANCELED) => partial(buffer, 0),
        Err(error) => State::Done(Err(error)),
    }
}

fn partial(buffer: Vec<u8>, sent: usize) -> State {
    State::Partial {
        buffer,
        sent,
        wait: None,
    }
}

fn write_on(
    driver: &RealDriver,
    fd: &SharedFd<Socket>,
    buffer: Vec<u8>,
    mut sent: usize,
    mut wait: Option<Flight<PollOnce<SharedFd<Socket>>>>,
    mut cx: Option<&mut Context<'_>>,
) -> State {
    loop {
        if let Some(flight) = wait.take() {
            match flight.poll(driver, cx.as_deref_mut()) {
                Ok(BufResult(Ok(_), _)) => {}
                Ok(BufResult(Err(error), _)) => return State::Done(Err(error)),
                Err(flight) => {
                    let wait = Some(flight);
                    return State::Partial { buffer, sent, wait };
                }
            }
        }
        match rustix::net::send(
            fd,
            &buffer[sent..],
            SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        ) {
            Ok(more) => sent += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                wait = Some(Flight::push(
                    driver,
                    PollOnce::new(fd.clone(), Interest::Writable),
                ));
            }
            Err(error) => return State::Done(Err(error.into())),
        }
        if sent == buffer.len() {
            return State::Done(Ok(buffer));
        }
    }
}
