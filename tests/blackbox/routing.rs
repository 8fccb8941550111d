//! `routing` and `CLIENT ROUTING`: connections that go to their data, or stay.

use std::io::Write;

use corelane_wire::slot::{SLOTS, slot_of};

use crate::conn::{Conn, encode};
use crate::moving::field;
use crate::server::{Server, eventually};

fn two_shards(routing: &str) -> Server {
    Server::start(&[
        ("cpu-allocation", "2"),
        ("overprovisioned", "yes"),
        ("routing", routing),
    ])
}

/// The `n`th key of one of two shards.
fn key_on(shard: usize, n: usize) -> String {
    let keys = (0..).map(|number| format!("key{number}"));
    let half = usize::from(SLOTS) / 2;
    let mut own = keys.filter(|key| usize::from(slot_of(key.as_bytes())) / half == shard);
    own.nth(n).expect("the numbers do not end")
}

fn home(conn: &mut Conn) -> usize {
    field(conn, "shard").parse().expect("a number")
}

fn moves(conn: &mut Conn) -> u32 {
    field(conn, "moves").parse().expect("a number")
}

/// A number of `INFO shards`, all shards together.
fn figure(operator: &mut Conn, name: &str) -> u64 {
    let info = operator.call("INFO shards");
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|rest| rest.strip_prefix(':'));
    value
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {info}"))
}

#[test]
fn a_connection_settles_where_its_keys_are() {
    let server = two_shards("adaptive");
    let mut operator = server.connect();
    for _ in 0..4 {
        let mut conn = server.connect();
        let away = 1 - home(&mut conn);
        let keys: Vec<_> = (0..10).map(|n| key_on(away, n)).collect();
        let mut request = |n: usize| {
            let key = &keys[n % keys.len()];
            assert_eq!(conn.call(&format!("SET {key} {n}")), "+OK\r\n");
        };
        let (hops, local) = (
            figure(&mut operator, "hops"),
            figure(&mut operator, "local_commands"),
        );
        (0..1_000).for_each(&mut request);
        let (hops, local) = (
            figure(&mut operator, "hops") - hops,
            figure(&mut operator, "local_commands") - local,
        );
        // It is sure after 13 commands, or where moves are dear a few more; then all are local.
        assert!(local >= 950 && hops <= 50, "{local} local, {hops} hops");
        let before = figure(&mut operator, "hops");
        (0..1_000).for_each(&mut request);
        assert_eq!(figure(&mut operator, "hops"), before);
        assert_eq!((home(&mut conn), moves(&mut conn)), (away, 1));
    }
    assert_eq!(figure(&mut operator, "connections_moved_adaptive"), 4);
    assert_eq!(figure(&mut operator, "connections_moved"), 4);
}

#[test]
fn strays_move_nobody_and_uniform_keys_hardly() {
    let server = two_shards("adaptive");
    let mut conn = server.connect();
    let here = home(&mut conn);
    let keys = [key_on(here, 0), key_on(1 - here, 0)];
    for n in 0..3_000 {
        let stray = usize::from(n % 10 == 7);
        assert!(!conn.call(&format!("INCR {}", keys[stray])).starts_with('-'));
    }
    assert_eq!((home(&mut conn), moves(&mut conn)), (here, 0));
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..3_000 {
        let key = &keys[rng.usize(0..2)];
        assert!(!conn.call(&format!("INCR {key}")).starts_with('-'));
    }
    assert!(moves(&mut conn) <= 3, "{}", moves(&mut conn));
}

#[test]
fn hop_stays_and_migrate_goes() {
    let server = two_shards("hop");
    let (mut conn, mut operator) = (server.connect(), server.connect());
    let here = home(&mut conn);
    let keys = [key_on(0, 0), key_on(1, 0)];
    for n in 1..=500 {
        let key = &keys[1 - here];
        assert_eq!(conn.call(&format!("INCR {key}")), format!(":{n}\r\n"));
    }
    assert_eq!((home(&mut conn), moves(&mut conn)), (here, 0));
    assert_eq!(figure(&mut operator, "hops"), 500);

    assert_eq!(conn.call("CLIENT ROUTING migrate"), "+OK\r\n");
    for n in 0..100 {
        let shard = n % 2;
        assert_eq!(conn.call(&format!("SET {} {n}", keys[shard])), "+OK\r\n");
        assert_eq!(home(&mut conn), shard, "{n}");
    }
    assert_eq!(figure(&mut operator, "hops"), 500);
    let moved = figure(&mut operator, "connections_moved_migrate");
    assert_eq!(moved, u64::from(moves(&mut conn)));
    assert!((99..=100).contains(&moved), "{moved}");
    // What needs both shards needs no move.
    let both = format!("MGET {} {}", keys[0], keys[1]);
    assert_eq!(conn.call(&both), "*2\r\n$2\r\n98\r\n$2\r\n99\r\n");
    assert_eq!(u64::from(moves(&mut conn)), moved);
    // Others go by the setting.
    assert_eq!(operator.call("CLIENT ROUTING"), "$3\r\nhop\r\n");
}

#[test]
fn the_way_is_chosen_while_connections_are_open() {
    let server = two_shards("hop");
    let (mut conn, mut operator) = (server.connect(), server.connect());
    let here = home(&mut conn);
    let away = format!("GET {}", key_on(1 - here, 0));
    assert_eq!(conn.call(&away), "$-1\r\n");
    assert_eq!(home(&mut conn), here);
    assert_eq!(operator.call("CONFIG SET routing migrate"), "+OK\r\n");
    assert_eq!(conn.call(&away), "$-1\r\n");
    assert_eq!(home(&mut conn), 1 - here);
    assert_eq!(conn.call("CLIENT ROUTING"), "$7\r\nmigrate\r\n");
    assert_eq!(field(&mut conn, "routing"), "default");

    assert_eq!(conn.call("CLIENT ROUTING HOP"), "+OK\r\n");
    let back = format!("GET {}", key_on(here, 0));
    assert_eq!(conn.call(&back), "$-1\r\n");
    assert_eq!(home(&mut conn), 1 - here);
    assert_eq!(field(&mut conn, "routing"), "hop");
    assert_eq!(conn.call("CLIENT ROUTING default"), "+OK\r\n");
    assert_eq!(conn.call(&back), "$-1\r\n");
    assert_eq!(home(&mut conn), here);

    assert_eq!(conn.call("CLIENT ROUTING adaptive"), "+OK\r\n");
    assert_eq!(conn.call("CLIENT ROUTING"), "$8\r\nadaptive\r\n");
    assert_eq!(conn.call("RESET"), "+RESET\r\n");
    assert_eq!(conn.call("CLIENT ROUTING"), "$7\r\nmigrate\r\n");
    for line in ["CLIENT ROUTING fly", "CLIENT ROUTING hop now"] {
        assert_eq!(conn.call(line), "-ERR syntax error\r\n", "{line}");
    }
    assert!(operator.call("CONFIG SET routing fly").starts_with("-ERR"));
    let set = operator.call("CONFIG GET routing");
    assert!(set.contains("migrate"), "{set}");
}

#[test]
fn a_choice_goes_along() {
    let server = two_shards("hop");
    let mut conn = server.connect();
    let here = home(&mut conn);
    assert_eq!(conn.call("CLIENT ROUTING migrate"), "+OK\r\n");
    for shard in [1 - here, here, 1 - here] {
        let key = key_on(shard, 3);
        assert_eq!(conn.call(&format!("GET {key}")), "$-1\r\n");
        assert_eq!(home(&mut conn), shard);
        assert_eq!(field(&mut conn, "routing"), "migrate");
    }
}

#[test]
fn unwanted_replies_stay_unwanted() {
    let server = two_shards("migrate");
    let mut conn = server.connect();
    let keys = [key_on(0, 0), key_on(1, 0)];
    for round in 0..50 {
        let line = |line: String| encode(&line);
        let mut bytes = encode("CLIENT REPLY SKIP");
        bytes.extend(line(format!("SET {} {round}", keys[round % 2])));
        bytes.extend(line(format!("GET {}", keys[round % 2])));
        bytes.extend(encode("CLIENT REPLY OFF"));
        bytes.extend(line(format!("INCR {}", keys[(round + 1) % 2])));
        bytes.extend(line(format!("INCR {}", keys[round % 2])));
        bytes.extend(encode("CLIENT REPLY ON"));
        bytes.extend(line(format!("GET {}", keys[round % 2])));
        conn.write(&bytes);
        for (number, what) in [(round, "set"), (round + 1, "incremented")] {
            let text = match what {
                "set" => number.to_string(),
                // The answer to CLIENT REPLY ON comes first.
                _ => {
                    assert_eq!(conn.reply(), "+OK\r\n");
                    number.to_string()
                }
            };
            let expected = format!("${}\r\n{text}\r\n", text.len());
            assert_eq!(conn.reply(), expected, "{round} {what}");
        }
    }
}

/// Runs of commands on keys of both shards, with others between, and what must be answered.
fn pipeline(runs: usize, run: usize, map: char) -> (Vec<u8>, Vec<String>) {
    let keys: Vec<_> = (0..2)
        .map(|shard| (0..3).map(|n| key_on(shard, n)).collect::<Vec<_>>())
        .collect();
    let mut counts = [[0; 3]; 2];
    let (mut bytes, mut replies) = (Vec::new(), Vec::new());
    for number in 0..runs {
        let shard = number % 2;
        for n in 0..run {
            let key = (number + n) % 3;
            counts[shard][key] += 1;
            bytes.extend(encode(&format!("INCR {}", keys[shard][key])));
            replies.push(format!(":{}\r\n", counts[shard][key]));
        }
        bytes.extend(encode(&format!("MGET {} {}", keys[0][0], keys[1][0])));
        let shown = |count: u32| match (count, map) {
            (0, '%') => "_\r\n".to_owned(),
            (0, _) => "$-1\r\n".to_owned(),
            (count, _) => format!("${}\r\n{count}\r\n", count.to_string().len()),
        };
        replies.push(format!(
            "*2\r\n{}{}",
            shown(counts[0][0]),
            shown(counts[1][0])
        ));
        bytes.extend(encode(&format!("ECHO {number}")));
        let text = number.to_string();
        replies.push(format!("${}\r\n{text}\r\n", text.len()));
    }
    (bytes, replies)
}

#[test]
fn replies_are_right_and_in_order_while_connections_move() {
    for routing in ["migrate", "adaptive"] {
        let server = two_shards(routing);
        for (hello, map) in [("HELLO 2", '*'), ("HELLO 3", '%')] {
            for (part, runs, run) in [(7, 40, 3), (61, 60, 24), (977, 100, 40), (16_384, 100, 5)] {
                let mut conn = server.connect();
                assert!(conn.call(hello).starts_with(map));
                assert_eq!(conn.call("FLUSHALL"), "+OK\r\n");
                let (bytes, replies) = pipeline(runs, run, map);
                std::thread::scope(|scope| {
                    let mut writer = conn.writer();
                    scope.spawn(move || {
                        for bytes in bytes.chunks(part) {
                            writer.write_all(bytes).expect("the server takes bytes");
                        }
                    });
                    for (number, expected) in replies.iter().enumerate() {
                        assert_eq!(&conn.reply(), expected, "{routing} {part} {number}");
                    }
                });
                let moves = moves(&mut conn);
                if routing == "migrate" {
                    let expected = runs as u32 - 1..=runs as u32;
                    assert!(expected.contains(&moves), "{moves} moves of {runs}");
                }
            }
        }
    }
}

#[test]
fn nobody_goes_where_no_connections_live() {
    for routing in ["migrate", "adaptive"] {
        let server = Server::start(&[
            ("cpu-allocation", "3"),
            ("overprovisioned", "yes"),
            ("io-shards", "1"),
            ("routing", routing),
        ]);
        let (mut conn, mut operator) = (server.connect(), server.connect());
        let key = key_on(1, 0);
        for n in 1..=200 {
            assert_eq!(conn.call(&format!("INCR {key}")), format!(":{n}\r\n"));
        }
        assert_eq!(moves(&mut conn), 0);
        for name in ["connections_moved", "connection_moves_refused"] {
            assert_eq!(figure(&mut operator, name), 0, "{routing} {name}");
        }
    }
}

#[test]
fn a_server_of_one_shard_has_nowhere_to_go() {
    let server = Server::start(&[("cpu-allocation", "1"), ("routing", "migrate")]);
    let mut conn = server.connect();
    for n in 0..100 {
        assert_eq!(conn.call(&format!("SET k{n} v")), "+OK\r\n");
    }
    assert_eq!(moves(&mut conn), 0);
    eventually("all is counted as local", || {
        figure(&mut conn, "local_commands") == 100
    });
}
