//! The clients: many connections at once, each with its own bad manners, driven by one thread.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use super::bytes::Bytes;

/// Connections open at once.
const CROWD: usize = 200;

/// Steps that a connection rests after its last byte, if its manners are to linger.
const LINGER_STEPS: u32 = 40;

/// Steps in a row without any progress until the thread lets the server work.
const IDLE_STEPS: u32 = 400;

/// How long a client that wants to read to the end waits for more.
const READ_PATIENCE: Duration = Duration::from_secs(20);

/// What the error begins with after which the server closes.
const PROTOCOL_ERROR: &[u8] = b"-ERR Protocol error: ";

/// Enough of the end of what was read to find that error in.
const TAIL_BYTES: usize = 256;

/// How a client behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// Reads all replies, says that no more comes, and reads to the end.
    HalfCloses,
    /// Reads as it goes and leaves without a word.
    Leaves,
    /// Reads nothing, stays for a while, and leaves.
    Deaf,
    /// Reads, stops in the middle of whatever it sends, stays, and leaves.
    Stalls,
    /// Resets the connection.
    Resets,
}

/// One client.
struct Guest {
    stream: TcpStream,
    manners: Manners,
    bytes: Vec<u8>,
    written: usize,
    /// Steps it still stays.
    stays: u32,
    tail: Vec<u8>,
    /// Since when it cannot go on.
    stuck: Option<Instant>,
}

/// What the clients did and saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Connections that were made.
    pub(crate) connections: u64,
    /// Bytes that the system took from them.
    pub(crate) sent_bytes: u64,
    /// Bytes of replies that they read.
    pub(crate) read_bytes: u64,
    /// Of those that read to the end, how many were told of a protocol error.
    pub(crate) told_errors: u64,
    /// Of those that read to the end, how many were answered to the end.
    pub(crate) ended: u64,
    /// Clients that waited in vain for the end.
    pub(crate) hung: u64,
}

/// Whether a client goes on.
enum Step {
    /// It did something.
    On,
    /// It could not.
    Stuck,
    /// It is gone.
    Gone,
}

/// Sends `bytes` bytes to the server at `address`.
///
/// # Errors
/// If the server does not take connections any more.
pub(crate) fn flood(address: SocketAddr, seed: u64, bytes: u64) -> io::Result<Tally> {
    let mut supply = Bytes::new(seed);
    let mut tally = Tally::default();
    let mut guests: Vec<Guest> = Vec::new();
    let mut idle = 0;
    loop {
        let enough = tally.sent_bytes >= bytes;
        if enough && guests.is_empty() {
            return Ok(tally);
        }
        if !enough && guests.len() < CROWD {
            guests.push(Guest::arrive(address, &mut supply)?);
            tally.connections += 1;
        }
        let at = supply.rng().usize(..guests.len());
        let bite = 1 << supply.rng().u32(..16);
        idle = match guests[at].step(bite, &mut tally) {
            Step::On => 0,
            Step::Stuck => idle + 1,
            Step::Gone => {
                drop(guests.swap_remove(at));
                0
            }
        };
        if idle > IDLE_STEPS {
            idle = 0;
            thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Tally {
    /// Both together.
    pub(crate) fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.sent_bytes += other.sent_bytes;
        self.read_bytes += other.read_bytes;
        self.told_errors += other.told_errors;
        self.ended += other.ended;
        self.hung += other.hung;
    }
}

impl Guest {
    fn arrive(address: SocketAddr, supply: &mut Bytes) -> io::Result<Self> {
        let stream = connect(address)?;
        stream.set_nonblocking(true)?;
        let manners = match supply.rng().u8(..20) {
            0..10 => Manners::HalfCloses,
            10..13 => Manners::Leaves,
            13..15 => Manners::Deaf,
            15..17 => Manners::Stalls,
            _ => Manners::Resets,
        };
        let mut bytes = supply.next();
        if matches!(manners, Manners::Stalls | Manners::Resets) {
            bytes.truncate(supply.rng().usize(1..=bytes.len()));
        }
        Ok(Self {
            stream,
            manners,
            bytes,
            written: 0,
            stays: LINGER_STEPS,
            tail: Vec::new(),
            stuck: None,
        })
    }

    /// Writes up to `bite` bytes, reads what is there; at the end of its bytes, behaves.
    fn step(&mut self, bite: usize, tally: &mut Tally) -> Step {
        let step = match self.exchange(bite, tally) {
            Ok(step) => step,
            // The server has closed, or reset because it closed while bytes were under way.
            Err(_) => return self.gone(false, tally),
        };
        if !matches!(step, Step::Stuck) {
            self.stuck = None;
            return step;
        }
        if self.stuck.get_or_insert_with(Instant::now).elapsed() < READ_PATIENCE {
            return Step::Stuck;
        }
        tally.hung += 1;
        Step::Gone
    }

    fn exchange(&mut self, bite: usize, tally: &mut Tally) -> io::Result<Step> {
        let mut progress = false;
        if self.manners != Manners::Deaf {
            match self.read(tally)? {
                Some(0) => return Ok(self.gone(true, tally)),
                Some(_) => progress = true,
                None => {}
            }
        }
        if self.written == self.bytes.len() {
            return self.behave(progress, tally);
        }
        let end = self.bytes.len().min(self.written + bite);
        match self.stream.write(&self.bytes[self.written..end]) {
            Ok(bytes) => {
                self.written += bytes;
                tally.sent_bytes += bytes as u64;
                if self.written == self.bytes.len() && self.manners == Manners::HalfCloses {
                    self.stream.shutdown(Shutdown::Write)?;
                }
                Ok(Step::On)
            }
            // A deaf client's server stops taking: it has said enough.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if self.manners == Manners::Deaf {
                    self.bytes.truncate(self.written);
                }
                Ok(if progress { Step::On } else { Step::Stuck })
            }
            Err(error) => Err(error),
        }
    }

    fn behave(&mut self, progress: bool, tally: &mut Tally) -> io::Result<Step> {
        match self.manners {
            Manners::HalfCloses if progress => Ok(Step::On),
            Manners::HalfCloses => Ok(Step::Stuck),
            Manners::Leaves => Ok(self.gone(false, tally)),
            Manners::Resets => {
                set_socket_linger(&self.stream, Some(Duration::ZERO))?;
                Ok(Step::Gone)
            }
            Manners::Deaf | Manners::Stalls if self.stays == 0 => Ok(self.gone(false, tally)),
            Manners::Deaf | Manners::Stalls => {
                self.stays -= 1;
                Ok(Step::On)
            }
        }
    }

    /// Some bytes; `None` where there are none yet, 0 at the end.
    fn read(&mut self, tally: &mut Tally) -> io::Result<Option<usize>> {
        let mut chunk = [0; 16 * 1024];
        let bytes = match self.stream.read(&mut chunk) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        tally.read_bytes += bytes as u64;
        self.tail.extend_from_slice(&chunk[..bytes]);
        let old = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..old);
        Ok(Some(bytes))
    }

    fn gone(&mut self, ended: bool, tally: &mut Tally) -> Step {
        let told = self
            .tail
            .windows(PROTOCOL_ERROR.len())
            .any(|part| part == PROTOCOL_ERROR);
        if ended {
            tally.ended += 1;
            tally.told_errors += u64::from(told);
        }
        Step::Gone
    }
}

/// Connects; waits where the system has no port left for a moment, which closed connections hold.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    const TRIES: u32 = 600;
    let mut tried = 0;
    loop {
        match TcpStream::connect(address) {
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable && tried < TRIES => {
                tried += 1;
                thread::sleep(Duration::from_millis(100));
            }
            connected => return connected,
        }
    }
}
