//! Clients that mean no good, many at once and for long: garbage, half a request, announcements
//! without end, nothing read, sudden ends. The server goes on, gives back every descriptor and the
//! memory too.
//!
//! A short run is a test like any other; `CORELANE_SOAK_MB=1024` makes it long (`cargo xtask full`).
//! What is sent follows from a seed, which a failure names; `CORELANE_SOAK_SEED` sets it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use corelane_wire::encode_command;
use fastrand::Rng;

use crate::server::{Server, eventually};

/// Clients at work at once.
const THREADS: u64 = 8;

/// What is sent when nobody says, in megabytes.
const DEFAULT_MB: u64 = 24;

/// How long a client waits for a server that has stopped reading, or that has nothing to say.
const CLIENT_PATIENCE: Duration = Duration::from_millis(50);

/// Memory that may stay with the allocator, and with its pools of buffers.
const SLACK_BYTES: u64 = 96 << 20;

/// Clients of a thread that are left hanging while others go on.
const STALLED_MAX: usize = 24;

#[test]
fn hostile_clients_leave_no_trace() {
    let bytes = number("CORELANE_SOAK_MB").unwrap_or(DEFAULT_MB) << 20;
    let seed = number("CORELANE_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("CORELANE_SOAK_SEED={seed}");
    let server = Server::start(&[
        ("maxmemory", "128mb"),
        ("client-query-buffer-limit", "4mb"),
        ("client-output-buffer-limit", "normal 16mb 0 0"),
    ]);
    // Once before anything is measured, so that what is taken once and kept has been taken.
    storm(server.address, seed, 4 << 20);
    let before = calm(&server);
    storm(server.address, seed.wrapping_add(1), bytes);
    let after = calm(&server);
    eprintln!("{before:?}, then {after:?}");
    assert!(
        after.commands - before.commands > bytes >> 16,
        "most was not understood: {before:?}, then {after:?}"
    );
    // With nobody connected there is one less; a connection's descriptor outlives its count by a moment.
    eventually("all descriptors are back", || {
        server.descriptors() < before.descriptors
    });
    assert!(
        after.rss <= before.rss + SLACK_BYTES,
        "memory leaks: {before:?}, then {after:?}"
    );
    server.signal("TERM");
    let (status, said) = server.wait();
    assert!(status.success() && !said.contains("panicked"), "{said}");
}

/// What the server holds when nobody is connected and no data is there, and what it has done till then.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    rss: u64,
    commands: u64,
}

/// Waits until all that came with the storm is gone.
fn calm(server: &Server) -> Held {
    let mut conn = server.connect();
    eventually("all other clients are gone", || {
        conn.call("INFO clients")
            .contains("connected_clients:1\r\n")
    });
    assert_eq!(conn.call("FLUSHALL"), "+OK\r\n");
    let info = conn.call("INFO everything");
    let figure = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|figure| figure.trim().parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {info}"))
    };
    Held {
        descriptors: server.descriptors(),
        rss: figure("used_memory_rss:"),
        commands: figure("total_commands_processed:"),
    }
}

/// Clients of all kinds until so many bytes are sent.
fn storm(address: SocketAddr, seed: u64, bytes: u64) {
    let sent = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let mut rng = Rng::with_seed(seed.wrapping_mul(THREADS).wrapping_add(thread));
            let sent = &sent;
            scope.spawn(move || {
                let mut stalled = Vec::new();
                while sent.load(Ordering::Relaxed) < bytes {
                    let Some(mut client) = Client::connect(address, sent) else {
                        continue;
                    };
                    if client.misbehave(&mut rng) {
                        stalled.push(client);
                    }
                    if stalled.len() > STALLED_MAX {
                        stalled.swap_remove(rng.usize(..stalled.len()));
                    }
                }
            });
        }
    });
}

/// One client.
struct Client<'a> {
    stream: TcpStream,
    sent: &'a AtomicU64,
}

impl<'a> Client<'a> {
    fn connect(address: SocketAddr, sent: &'a AtomicU64) -> Option<Self> {
        // What a refused connection would have cost counts, so that a server that is gone ends the test.
        let Ok(stream) = TcpStream::connect(address) else {
            sent.fetch_add(1 << 16, Ordering::Relaxed);
            return None;
        };
        stream
            .set_write_timeout(Some(CLIENT_PATIENCE))
            .expect("a timeout");
        stream
            .set_read_timeout(Some(CLIENT_PATIENCE))
            .expect("a timeout");
        Some(Self { stream, sent })
    }

    /// One client's life; whether it is to be left hanging.
    fn misbehave(&mut self, rng: &mut Rng) -> bool {
        match rng.u32(..8) {
            // Garbage, some of it lines.
            0 => {
                let lines = rng.bool();
                let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..))
                    .map(|byte| if lines && byte < 16 { b'\n' } else { byte })
                    .take(1 << 14)
                    .collect();
                self.write(&noise);
            }
            // Requests with few bytes changed: most of it is understood.
            1 | 2 => {
                for _ in 0..rng.u32(1..8) {
                    let mut bytes = requests(rng, 1 << 16);
                    for _ in 0..rng.u32(..4) {
                        let at = rng.usize(..bytes.len());
                        bytes[at] = rng.u8(..);
                    }
                    self.write(&bytes);
                    self.read_some();
                }
            }
            // Requests as they should be, in odd pieces; the last is cut off.
            3 => {
                let bytes = requests(rng, 1 << 15);
                let mut rest = &bytes[..rng.usize(1..bytes.len())];
                while !rest.is_empty() {
                    let (piece, others) = rest.split_at(rng.usize(1..=rest.len()));
                    self.write(piece);
                    rest = others;
                }
                return rng.bool();
            }
            // Said all, still listening.
            4 => {
                self.write(&requests(rng, 1 << 16));
                // A server that has hung up already is no fault.
                let _ = self.stream.shutdown(Shutdown::Write);
                while self.read_some() {}
            }
            // Announcements that nobody could keep.
            5 => {
                let announced: [&[u8]; 5] = [
                    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1099511627776\r\n",
                    b"*1048576\r\n",
                    b"*2\r\n$4\r\nECHO\r\n$536870912\r\n",
                    b"*9223372036854775807\r\n",
                    b"*1\r\n$00000000000000000000000000000000000001\r\n",
                ];
                self.write(announced[rng.usize(..announced.len())]);
                self.write(&vec![b'x'; rng.usize(..1 << 19)]);
                return rng.bool();
            }
            // Asks for much and reads nothing.
            6 => {
                let mut bytes = Vec::new();
                command(&mut bytes, &[b"SET", b"big", &vec![b'v'; 100_000]]);
                (0..200).for_each(|_| command(&mut bytes, &[b"GET", b"big"]));
                self.write(&bytes);
                return rng.bool();
            }
            // Nothing at all, or gone at once.
            _ => return rng.bool(),
        }
        false
    }

    /// Sends what the server takes, within reason; counts it.
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Ok(taken @ 1..) = self.stream.write(rest) {
            self.sent.fetch_add(taken as u64, Ordering::Relaxed);
            rest = &rest[taken..];
        }
        // A client that gets nothing in would keep its thread for ever.
        self.sent.fetch_add(64, Ordering::Relaxed);
    }

    /// Whether there was something to read.
    fn read_some(&mut self) -> bool {
        let mut chunk = [0; 1 << 16];
        matches!(self.stream.read(&mut chunk), Ok(1..))
    }
}

/// Requests that are in order, about so many bytes of them.
fn requests(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 1024);
    while out.len() < bytes {
        let [a, b] = [0, 1].map(|_| format!("k{}", rng.u32(..5000)).into_bytes());
        let value = vec![b'v'; 1 << rng.u32(..14)];
        let words: &[&[u8]] = match rng.u32(..10) {
            0 | 1 => &[b"SET", &a, &value],
            2 => &[b"GET", &a],
            3 => &[b"MSET", &a, &value, &b, b"1"],
            4 => &[b"MGET", &a, &b],
            5 => &[b"INCR", &b],
            6 => &[b"DEL", &a, &b],
            7 => &[b"SET", &a, &value, b"PX", b"20"],
            8 => &[b"SCAN", b"0", b"COUNT", b"50"],
            _ => &[b"RENAME", &a, &b],
        };
        command(&mut out, words);
    }
    out
}

fn command(out: &mut Vec<u8>, words: &[&[u8]]) {
    encode_command(out, words.iter().copied());
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
