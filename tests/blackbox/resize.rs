//! `CONFIG SET shards`: data and connections move while clients run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use corelane_wire::Value;

use crate::conn::{Conn, encode};
use crate::moving::field;
use crate::server::{Server, eventually};

/// A server that begins with one shard, and has room for four.
fn one_of_four(more: &[(&str, &str)]) -> Server {
    let mut settings = vec![
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "1"),
        ("max-shards", "4"),
    ];
    settings.extend(more);
    Server::start(&settings)
}

fn resize(conn: &mut Conn, shards: usize) {
    let set = format!("CONFIG SET shards {shards}");
    assert_eq!(conn.call(&set), "+OK\r\n", "{set}");
    assert_eq!(info(conn, "shards_serving"), shards.to_string());
}

fn info(conn: &mut Conn, name: &str) -> String {
    let text = conn.call("INFO");
    let line = text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?;
        value.strip_prefix(':')
    });
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim_end()
        .to_owned()
}

/// A client with a database of its own, of which it knows all.
struct Client {
    conn: Conn,
    is_resp3: bool,
    keys: BTreeMap<String, String>,
    counters: BTreeMap<String, i64>,
    rng: fastrand::Rng,
}

impl Client {
    fn new(server: &Server, number: u64) -> Self {
        let mut conn = server.connect();
        let is_resp3 = number % 2 == 1;
        if is_resp3 {
            assert!(conn.call("HELLO 3").starts_with('%'));
        }
        assert_eq!(conn.call(&format!("SELECT {number}")), "+OK\r\n");
        Self {
            conn,
            is_resp3,
            keys: BTreeMap::new(),
            counters: BTreeMap::new(),
            rng: fastrand::Rng::with_seed(number),
        }
    }

    /// One pipeline, and what each of its commands must be answered.
    fn pipeline(&mut self) {
        let (mut out, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..self.rng.usize(1..40) {
            let (line, reply) = self.command();
            out.extend(encode(&line));
            expected.push((line, reply));
        }
        self.conn.write(&out);
        for (line, reply) in expected {
            assert_eq!(self.conn.reply(), reply, "{line}");
        }
    }

    fn command(&mut self) -> (String, String) {
        let key = format!("key:{}", self.rng.u16(..200));
        match self.rng.u8(..7) {
            0 | 1 => {
                let value = self.rng.u32(..).to_string();
                self.keys.insert(key.clone(), value.clone());
                (format!("SET {key} {value}"), "+OK\r\n".to_owned())
            }
            2 | 3 => (format!("GET {key}"), self.bulk(&key)),
            4 => {
                let name = format!("counter:{}", self.rng.u8(..20));
                let count = self.counters.entry(name.clone()).or_default();
                *count += 1;
                self.keys.insert(name.clone(), count.to_string());
                (format!("INCR {name}"), format!(":{count}\r\n"))
            }
            5 => {
                let names: Vec<String> = (0..5)
                    .map(|_| format!("key:{}", self.rng.u16(..200)))
                    .collect();
                let values: String = names.iter().map(|name| self.bulk(name)).collect();
                (
                    format!("MGET {}", names.join(" ")),
                    format!("*5\r\n{values}"),
                )
            }
            _ => {
                let (from, to) = (key, format!("key:{}", self.rng.u16(..200)));
                let reply = match self.keys.remove(&from) {
                    Some(value) => {
                        self.keys.insert(to.clone(), value);
                        "+OK\r\n"
                    }
                    None => "-ERR no such key\r\n",
                };
                (format!("RENAME {from} {to}"), reply.to_owned())
            }
        }
    }

    fn bulk(&self, key: &str) -> String {
        match self.keys.get(key) {
            Some(value) => format!("${}\r\n{value}\r\n", value.len()),
            None if self.is_resp3 => "_\r\n".to_owned(),
            None => "$-1\r\n".to_owned(),
        }
    }

    /// What asks all shards.
    fn look_around(&mut self) {
        let count = format!(":{}\r\n", self.keys.len());
        assert_eq!(self.conn.call("DBSIZE"), count);
        let known: BTreeSet<String> = self.keys.keys().cloned().collect();
        assert_eq!(strings(&self.conn.value("KEYS *")), known);
        let (mut seen, mut cursor) = (BTreeSet::new(), "0".to_owned());
        loop {
            let Value::Array(reply) = self.conn.value(&format!("SCAN {cursor} COUNT 50")) else {
                panic!("SCAN answers an array");
            };
            seen.extend(strings(&reply[1]));
            cursor = text(&reply[0]);
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen, known);
    }
}

fn strings(value: &Value) -> BTreeSet<String> {
    let Value::Array(items) = value else {
        panic!("not an array: {value:?}");
    };
    items.iter().map(text).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("not a string: {other:?}"),
    }
}

#[test]
fn a_node_grows_and_shrinks_while_clients_run() {
    let server = one_of_four(&[]);
    let (done, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (server, done, rounds) = (&server, &done, &rounds);
            scope.spawn(move || {
                let mut client = Client::new(server, number);
                while !done.load(Ordering::Relaxed) {
                    for _ in 0..8 {
                        client.pipeline();
                    }
                    client.look_around();
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
                client.look_around();
            });
        }
        let mut conn = server.connect();
        for shards in [2, 4, 1, 3, 2, 1] {
            let before = rounds.load(Ordering::Relaxed);
            resize(&mut conn, shards);
            eventually("clients go on", || {
                rounds.load(Ordering::Relaxed) > before + 8
            });
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(info(&mut conn, "resize_in_progress"), "0");
        // 1 to 2 and back: 128 each, 2 to 4: 128, 4 to 1: 192, 1 to 3: 170 or so.
        assert!(info(&mut conn, "partitions_moved").parse::<u64>().unwrap() > 700);
    });
}

/// A connection on `shard`.
fn on(server: &Server, shard: usize) -> Conn {
    let mut conn = server.connect();
    assert_eq!(conn.call(&format!("CLIENT MIGRATE {shard}")), "+OK\r\n");
    assert_eq!(field(&mut conn, "shard"), shard.to_string());
    conn
}

#[test]
fn clients_spread_over_shards_that_come() {
    let server = one_of_four(&[("routing", "hop")]);
    let mut conns: Vec<_> = (0..20).map(|_| server.connect()).collect();
    conns
        .iter_mut()
        .for_each(|conn| assert_eq!(conn.call("PING"), "+PONG\r\n"));
    resize(&mut conns[0], 4);
    eventually("each shard has its part", || {
        let list = conns[0].call("CLIENT LIST");
        (0..4).all(|shard| list.matches(&format!(" shard={shard} ")).count() == 5)
    });
    conns
        .iter_mut()
        .for_each(|conn| assert_eq!(conn.call("PING"), "+PONG\r\n"));
}

#[test]
fn nobody_is_closed_when_shards_go_to_sleep() {
    let server = one_of_four(&[("routing", "hop")]);
    let mut conn = server.connect();
    resize(&mut conn, 4);
    let value = "v".repeat(300_000);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(conn.call(&format!("SET {key} {value}")), "+OK\r\n");
    }
    let mut idle: Vec<Conn> = (0..40).map(|n| on(&server, n % 4)).collect();
    // Slow readers: their replies fill every buffer on the way, in the middle of a pipeline and at its end.
    let mut slow: Vec<Conn> = (0..4).map(|n| on(&server, n)).collect();
    for conn in &mut slow {
        for _ in 0..10 {
            for key in ["a", "b", "c", "d"] {
                conn.send(&format!("GET {key}"));
            }
        }
    }
    let half = idle[7].writer();
    std::io::Write::write_all(&mut &half, b"*2\r\n$4\r\nECHO\r\n$5\r\nhe").unwrap();
    // The one that asks sits on a shard that goes.
    let mut asker = on(&server, 3);
    resize(&mut asker, 1);
    assert_eq!(field(&mut asker, "shard"), "0");
    eventually("all are on the shard that stays", || {
        let list = conn.call("CLIENT LIST");
        list.matches(" shard=0 ").count() == list.matches("id=").count()
    });
    std::io::Write::write_all(&mut &half, b"llo\r\n").unwrap();
    assert_eq!(idle[7].reply(), "$5\r\nhello\r\n");
    for conn in &mut idle {
        assert_eq!(field(conn, "shard"), "0");
    }
    let reply = format!("$300000\r\n{value}\r\n");
    for conn in &mut slow {
        for _ in 0..40 {
            assert!(conn.reply() == reply, "a slow reader's replies are whole");
        }
        assert_eq!(field(conn, "shard"), "0");
    }
    assert_eq!(info(&mut conn, "client_retirement_disconnections"), "0");
}

#[test]
fn what_shards_knew_and_counted_stays_known() {
    let server = one_of_four(&[]);
    let mut conn = server.connect();
    assert_eq!(conn.call("CONFIG SET slowlog-max-len 77"), "+OK\r\n");
    resize(&mut conn, 4);
    let mut on_new = on(&server, 3);
    let expected = "*2\r\n$15\r\nslowlog-max-len\r\n$2\r\n77\r\n";
    assert_eq!(on_new.call("CONFIG GET slowlog-max-len"), expected);
    assert_eq!(conn.call("CONFIG SET slowlog-max-len 78"), "+OK\r\n");
    let expected = expected.replace("77", "78");
    assert_eq!(on_new.call("CONFIG GET slowlog-max-len"), expected);
    for n in 0..1000 {
        assert_eq!(on_new.call(&format!("SET key:{n} v")), "+OK\r\n");
    }
    let id = on_new.call("CLIENT ID");
    resize(&mut conn, 1);
    let calls: u64 = info(&mut conn, "total_commands_processed").parse().unwrap();
    assert!(calls > 1000, "{calls}");
    assert_eq!(on_new.call("CLIENT ID"), id);
    // A shard that wakes again numbers its clients on.
    resize(&mut conn, 4);
    let mut ids: Vec<String> = (0..16)
        .map(|_| server.connect().call("CLIENT ID"))
        .collect();
    ids.push(id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 17);
    assert_eq!(conn.call("DBSIZE"), ":1000\r\n");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let server = one_of_four(&[]);
    let mut conn = server.connect();
    for (line, says) in [
        (
            "CONFIG SET shards 5",
            "this node can have 1 to 4 shards, not 5",
        ),
        ("CONFIG SET shards 0", "a node has at least one shard"),
        ("CONFIG SET shards many", "shards"),
        ("CONFIG SET max-shards 8", "can't set immutable config"),
        ("CONFIG SET shards 2 maxclients none", "maxclients"),
        ("CONFIG SET shards 2 shards 3", "duplicate parameter"),
    ] {
        let reply = conn.call(line);
        assert!(
            reply.starts_with("-ERR") && reply.contains(says),
            "{line}: {reply}"
        );
        assert_eq!(info(&mut conn, "shards_serving"), "1", "{line}");
    }
    let both = conn.call("CONFIG SET shards 2 maxclients 5000");
    assert_eq!(both, "+OK\r\n");
    let get = conn.call("CONFIG GET shards maxclients");
    let expected = [
        "$6\r\nshards\r\n$1\r\n2\r\n",
        "$10\r\nmaxclients\r\n$4\r\n5000\r\n",
    ];
    assert!(expected.iter().all(|row| get.contains(row)), "{get}");
    assert_eq!(conn.call("CONFIG SET shards auto"), "+OK\r\n");
    assert_eq!(info(&mut conn, "shards_serving"), "1");
}

#[test]
fn one_resize_at_a_time() {
    let server = one_of_four(&[]);
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (server, refused) = (&server, &refused);
            scope.spawn(move || {
                let mut conn = server.connect();
                for round in 0..10 {
                    let shards = 1 + (number + round) % 4;
                    let reply = conn.call(&format!("CONFIG SET shards {shards}"));
                    if reply.contains("another move or resize is going on") {
                        refused.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(reply, "+OK\r\n");
                    }
                }
            });
        }
    });
    assert!(refused.load(Ordering::Relaxed) > 0);
    let mut conn = server.connect();
    resize(&mut conn, 3);
    assert_eq!(conn.call("PING"), "+PONG\r\n");
}

/// `corelane resize`, from the outside.
#[test]
fn the_command_resizes_and_says_what_came_of_it() {
    let server = one_of_four(&[("requirepass", "secret")]);
    for (args, status, says) in [
        ("3 -a secret", 0, "3 shards serve\n"),
        ("1 -a secret", 0, "1 shard serves\n"),
        ("9 -a secret", 1, "this node can have 1 to 4 shards, not 9"),
        ("2 -a wrong", 1, "WRONGPASS"),
        ("2", 1, "NOAUTH"),
        ("", 2, "<N>"),
    ] {
        let port = server.address.port().to_string();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_corelane"));
        command.arg("resize").args(["-p", &port]);
        let ended = command
            .args(args.split_whitespace())
            .output()
            .expect("it runs");
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(ended.status.code(), Some(status), "{args}: {said}");
        assert!(said.contains(says), "{args}: {said}");
    }
}

/// A stop in the middle of a resize ends the node in peace.
#[test]
fn a_stop_is_heard_while_the_node_is_resized() {
    for shards in [2, 4] {
        let server = one_of_four(&[]);
        let mut conn = server.connect();
        conn.send(&format!("CONFIG SET shards {shards}"));
        std::thread::sleep(Duration::from_millis(5));
        server.signal("TERM");
        let (status, said) = server.wait();
        assert!(status.success(), "{said}");
    }
}
