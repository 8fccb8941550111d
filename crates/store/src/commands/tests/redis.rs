//! The same requests to Redis and to the commands here: the replies must be the same bytes.
//!
//! Runs where a `redis-server` of version 7.0 is on the `PATH`, and passes without a word where none is. Tolerated is
//! only what the commands' docs name, and what depends on the time of asking.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corelane_wire::frame::{Value, skip};
use corelane_wire::{Args, Proto, Reply, encode_command};

use super::requests::{KEYS, Requests};
use crate::commands::COMMANDS;
use crate::commands::testing::{Bench, decode, find, join};

/// Tries to reach a server that has just been started, this many milliseconds apart.
const CONNECT_TRIES: u32 = 200;
const CONNECT_PAUSE: Duration = Duration::from_millis(25);

/// How far apart two answers about time may be, in whichever unit they are.
const CLOCK_TOLERANCE: u64 = 5000;

/// A Redis of its own for one test, on a Unix socket in a directory of its own.
struct Redis {
    process: Child,
    stream: UnixStream,
    _directory: tempfile::TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Both fail only if the server has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    /// `None` where there is no Redis 7.0.
    fn start() -> Option<Self> {
        let version = Process::new("redis-server")
            .arg("--version")
            .output()
            .ok()?;
        if !String::from_utf8_lossy(&version.stdout).contains("v=7.0.") {
            return None;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let socket = directory.path().join("redis.sock");
        let process = Process::new("redis-server")
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--enable-debug-command",
                "yes",
            ])
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--dir")
            .arg(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let connect = |_| {
            std::thread::sleep(CONNECT_PAUSE);
            UnixStream::connect(&socket).ok()
        };
        let stream = (0..CONNECT_TRIES)
            .find_map(connect)
            .expect("redis-server listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        let mut redis = Self {
            process,
            stream,
            _directory: directory,
        };
        // Expired keys go when they are looked at, as on the bench, and not behind the test's back.
        redis.run(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        Some(redis)
    }

    fn run<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Vec<u8> {
        let mut request = Vec::new();
        encode_command(&mut request, words);
        self.stream.write_all(&request).expect("redis-server reads");
        let mut reply = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while skip(&reply).expect("a reply") != Some(reply.len()) {
            let read = self.stream.read(&mut chunk).expect("redis-server answers");
            assert!(read > 0, "redis-server has closed the connection");
            reply.extend_from_slice(&chunk[..read]);
        }
        reply
    }
}

fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_millis() as u64
}

/// Whether the two replies to a request may stand side by side.
fn agree(words: &[Vec<u8>], ours: &[u8], theirs: &[u8]) -> bool {
    if ours == theirs {
        return true;
    }
    let (ours, theirs) = (decode(ours), decode(theirs));
    let name = String::from_utf8_lossy(&words[0]).to_ascii_lowercase();
    let sub = words
        .get(1)
        .map(|word| String::from_utf8_lossy(word).to_ascii_lowercase());
    match (name.as_str(), sub.as_deref()) {
        ("ttl" | "pttl" | "expiretime" | "pexpiretime", _) => {
            let both = ours.as_int().zip(theirs.as_int());
            both.is_some_and(|(a, b)| a > 0 && b > 0 && a.abs_diff(b) <= CLOCK_TOLERANCE)
        }
        ("keys", _) | ("scan", Some("0")) => sorted(ours) == sorted(theirs),
        // Cursors mean nothing to each other.
        ("scan", _) => ours.as_elements().is_some() && theirs.as_elements().is_some(),
        ("randomkey", _) => ours.as_bytes().is_some() && theirs.as_bytes().is_some(),
        // Redis measures a key also when its time has come.
        ("memory", Some("usage")) => {
            (ours.as_int().is_some() || ours == Value::Null) && theirs.as_int().is_some()
        }
        ("object", Some("idletime")) => ours.as_int().is_some() && theirs.as_int().is_some(),
        ("object", Some("encoding")) => {
            ours == Value::bulk("int") && theirs == Value::bulk("embstr")
        }
        ("object", Some("refcount")) => {
            ours == Value::Int(i32::MAX.into()) && theirs == Value::Int(1)
        }
        _ => false,
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sorted).collect();
            values.sort_by_key(|value| format!("{value:?}"));
            Value::Array(values)
        }
        other => other,
    }
}

#[test]
fn replies_are_those_of_redis() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    for seed in 0..60 {
        let proto = if seed % 2 == 0 {
            Proto::Resp2
        } else {
            Proto::Resp3
        };
        redis.run(&["HELLO", if seed % 2 == 0 { "2" } else { "3" }]);
        redis.run(&["FLUSHALL"]);
        redis.run(&["SELECT", "0"]);
        let mut bench = Bench {
            proto,
            ..Bench::default()
        };
        let mut requests = Requests::new(seed);
        for number in 0..400 {
            compare(
                &mut redis,
                &mut bench,
                &requests.next(),
                &format!("seed {seed}, {number}"),
            );
        }
        for key in KEYS {
            let get = [b"GET".to_vec(), key.as_bytes().to_vec()];
            compare(
                &mut redis,
                &mut bench,
                &get,
                &format!("seed {seed}, at the end"),
            );
        }
    }
}

fn compare(redis: &mut Redis, bench: &mut Bench, words: &[Vec<u8>], at: &str) {
    if words[0].eq_ignore_ascii_case(b"SELECT") {
        if redis.run(words) == b"+OK\r\n" {
            let db = String::from_utf8_lossy(&words[1]).into_owned();
            bench.db = db.parse().expect("what Redis took for a database");
        }
        return;
    }
    bench.now_ms = unix_ms();
    if words[0].eq_ignore_ascii_case(b"DBSIZE") {
        // Which expired keys have been noticed yet is a matter of chance; a look at all of them settles it.
        let look: Vec<&str> = ["EXISTS"].into_iter().chain(KEYS.iter().copied()).collect();
        assert_eq!(bench.run_raw(&look), redis.run(&look), "{at}");
    }
    let (ours, theirs) = (bench.run_raw(words), redis.run(words));
    assert!(
        agree(words, &ours, &theirs),
        "{at}: {:?}\n  ours:   {}\n  Redis's: {}",
        words
            .iter()
            .map(|word| word.escape_ascii().to_string())
            .collect::<Vec<_>>(),
        ours.escape_ascii(),
        theirs.escape_ascii(),
    );
}

#[test]
fn specs_are_those_of_redis() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.run(&["HELLO", "3"]);
    for command in COMMANDS.iter().filter(|command| !command.spec.container) {
        let name = command.spec.full_name();
        let mut row = Vec::new();
        let mut reply = Reply::new(&mut row, Proto::Resp3);
        reply.array(1);
        command.spec.write_info([], &mut reply);
        let theirs = redis.run(&["COMMAND", "INFO", &name]);
        assert_eq!(
            without_notes(decode(&row)),
            without_notes(decode(&theirs)),
            "COMMAND INFO {name}"
        );

        let mut docs = Vec::new();
        command
            .spec
            .write_docs([], &mut Reply::new(&mut docs, Proto::Resp3));
        let theirs = redis.run(&["COMMAND", "DOCS", &name]);
        let Value::Map(mut theirs) = decode(&theirs) else {
            panic!("COMMAND DOCS {name}")
        };
        let theirs = theirs.pop().expect("one command").1;
        assert_eq!(
            without_prose(decode(&docs)),
            without_prose(theirs),
            "COMMAND DOCS {name}"
        );
    }
}

/// Remarks to key specs are in our own words.
fn without_notes(value: Value) -> Value {
    filter(value, &["notes"])
}

/// So is everything in the docs that is prose.
fn without_prose(value: Value) -> Value {
    filter(value, &["summary", "complexity", "history", "replaced_by"])
}

fn filter(value: Value, fields: &[&str]) -> Value {
    let all = |values: Vec<Value>| {
        values
            .into_iter()
            .map(|value| filter(value, fields))
            .collect()
    };
    match value {
        Value::Array(values) => Value::Array(all(values)),
        Value::Set(values) => Value::Set(all(values)),
        Value::Map(pairs) => {
            let kept = pairs.into_iter().filter(|(key, _)| {
                !fields
                    .iter()
                    .any(|field| key.as_bytes() == Some(field.as_bytes()))
            });
            Value::Map(
                kept.map(|(key, value)| (key, filter(value, fields)))
                    .collect(),
            )
        }
        other => other,
    }
}

#[test]
fn keys_are_found_where_redis_finds_them() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let mut requests = Requests::new(1);
    for _ in 0..2000 {
        let words = requests.next();
        if words.len() == 1 {
            continue;
        }
        let (bytes, spans) = join(&words);
        let args = Args::new(&bytes, &spans);
        let Some(command) = find(args).filter(|command| !command.spec.container) else {
            continue;
        };
        let mut ours = Vec::new();
        command
            .spec
            .write_keys(&args, &mut Reply::new(&mut ours, Proto::Resp2));
        let mut question = vec![b"COMMAND".to_vec(), b"GETKEYS".to_vec()];
        question.extend(words.iter().cloned());
        let theirs = redis.run(&question);
        assert_eq!(
            ours.escape_ascii().to_string(),
            theirs.escape_ascii().to_string(),
            "{words:?}"
        );
    }
}
