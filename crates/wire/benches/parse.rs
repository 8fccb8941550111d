//! Nanoseconds per command of parsing, replying, skipping and slot hashing: `cargo bench -p corelane-wire`.
//!
//! A plain loop and a clock. Rounds are short and many, and the fastest counts: it is the one that the machine's other
//! work disturbed least.

use std::hint::black_box;
use std::time::{Duration, Instant};

use corelane_wire::{Limits, Parsed, Parser, Proto, Reply, encode_command, glob, skip, slot_of};

/// Commands in one buffer: about what one read of a deep pipeline brings.
const PIPELINE: usize = 64;

/// Measured rounds, and how long each lasts at least.
const ROUNDS: usize = 300;
const ROUND: Duration = Duration::from_micros(300);

fn main() {
    let key = b"key:000000012345";
    let value = [b'x'; 64];
    println!("{:<44} {:>8}", "", "ns each");
    parse("parse SET, 16 B key, 64 B value", &[b"SET", key, &value]);
    parse("parse GET, 16 B key", &[b"GET", key]);
    parse("parse PING", &[b"PING"]);
    parse(
        "parse MSET of 10 pairs",
        &[&[&b"MSET"[..]][..], &[&key[..], &value[..]].repeat(10)].concat(),
    );
    parse_inline();
    parse_each_read("parse SET, one per read", &[b"SET", key, &value]);
    reply("reply +OK", |reply| reply.ok());
    reply("reply bulk of 64 B", |reply| reply.bulk(black_box(&value)));
    reply("reply bulk of 1000 B", |reply| {
        reply.bulk(black_box(&[b'x'; 1000]))
    });
    reply("reply null", |reply| reply.null());
    reply("reply integer 1", |reply| reply.int(black_box(1)));
    reply("reply integer 1234567", |reply| {
        reply.int(black_box(1_234_567))
    });
    reply("reply double 0.1", |reply| reply.double(black_box(0.1)));
    skip_replies("skip +OK", b"+OK\r\n");
    skip_replies(
        "skip bulk of 64 B",
        &[b"$64\r\n", &value[..], b"\r\n"].concat(),
    );
    measure("encode GET, 16 B key", 1, {
        let mut out = Vec::with_capacity(4096);
        move || {
            out.clear();
            encode_command(&mut out, black_box([&b"GET"[..], key]));
            black_box(&out);
        }
    });
    measure("slot of a 16 B key", 1, || {
        black_box(slot_of(black_box(key)));
    });
    measure("slot of a 16 B key with a tag", 1, || {
        black_box(slot_of(black_box(b"{user1000}.inbox")));
    });
    measure("glob key:*123* on a 16 B key", 1, || {
        black_box(glob::matches(
            black_box(b"key:*123*"),
            black_box(key),
            false,
        ));
    });
}

fn parse(name: &str, args: &[&[u8]]) {
    let mut buf = Vec::new();
    for _ in 0..PIPELINE {
        encode_command(&mut buf, args);
    }
    measure_parsing(name, &buf);
}

fn parse_inline() {
    measure_parsing(
        "parse inline SET",
        &b"SET key:000000012345 value\r\n".repeat(PIPELINE),
    );
}

fn measure_parsing(name: &str, buf: &[u8]) {
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    measure(name, PIPELINE, || {
        let mut rest = black_box(buf);
        while !rest.is_empty() {
            let Ok(Parsed::Command { consumed }) = parser.parse(rest, &limits) else {
                panic!("whole commands")
            };
            black_box(parser.args(rest));
            rest = &rest[consumed..];
        }
    });
}

fn parse_each_read(name: &str, args: &[&[u8]]) {
    let mut buf = Vec::new();
    encode_command(&mut buf, args);
    let mut parser = Parser::new();
    let limits = Limits::DEFAULT;
    measure(name, 1, || {
        let buf = black_box(&buf);
        let Ok(Parsed::Command { .. }) = parser.parse(buf, &limits) else {
            panic!("a whole command")
        };
        black_box(parser.args(buf));
    });
}

fn reply(name: &str, mut write: impl FnMut(&mut Reply<'_>)) {
    let mut out = Vec::with_capacity(1 << 17);
    measure(name, PIPELINE, || {
        out.clear();
        for _ in 0..PIPELINE {
            write(&mut Reply::new(&mut out, black_box(Proto::Resp2)));
        }
        black_box(&out);
    });
}

fn skip_replies(name: &str, one: &[u8]) {
    let buf = one.repeat(PIPELINE);
    measure(name, PIPELINE, || {
        let mut rest = black_box(&buf[..]);
        while !rest.is_empty() {
            let Ok(Some(len)) = skip(rest) else {
                panic!("whole replies")
            };
            rest = &rest[len..];
        }
    });
}

/// Prints the least time of one of the `each` things that `run` does.
fn measure(name: &str, each: usize, mut run: impl FnMut()) {
    let mut runs = 1;
    while time(&mut run, runs) < ROUND {
        runs *= 2;
    }
    let least = (0..ROUNDS)
        .map(|_| time(&mut run, runs))
        .min()
        .unwrap_or_default();
    println!(
        "{name:<44} {:>8.1}",
        least.as_nanos() as f64 / (runs * each) as f64
    );
}

fn time(run: &mut impl FnMut(), runs: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..runs {
        run();
    }
    start.elapsed()
}
