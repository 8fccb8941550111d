//! The split layout: connections on the first shards, data on the others, and every command as in the
//! unified one.

use std::collections::BTreeSet;
use std::path::Path;

use crate::server::{Server, eventually};

/// Two shards for connections, two for data.
fn split(settings: &[(&str, &str)]) -> Server {
    let layout = [
        ("cpu-allocation", "4"),
        ("overprovisioned", "yes"),
        ("io-shards", "2"),
    ];
    Server::start(&[&layout, settings].concat())
}

/// What INFO says of a shard: its keys and its clients.
fn keys_and_clients(info: &str, shard: usize) -> (u64, u64) {
    let start = format!("shard{shard}:");
    let line = info.lines().find_map(|line| line.strip_prefix(&start));
    let field = |name: &str| {
        let fields = line.expect("a line for each shard").split(',');
        let mut values = fields.filter_map(|field| field.split_once('='));
        let value = values.find(|(known, _)| *known == name).expect(name);
        value.1.parse().expect("a number")
    };
    (field("keys"), field("clients"))
}

#[test]
fn connections_and_data_are_on_shards_of_their_own() {
    let server = split(&[]);
    assert!(server.ready_line.contains("4 shards (2 for connections)"));
    let mut conns: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let writes = conns.iter_mut().enumerate();
    writes.for_each(|(n, conn)| assert_eq!(conn.call(&format!("SET k{n} v")), "+OK\r\n"));
    let info = conns[0].call("INFO");
    assert!(info.contains("\r\nshards:4\r\nio_shards:2\r\n"), "{info}");
    let each: Vec<_> = (0..4).map(|shard| keys_and_clients(&info, shard)).collect();
    assert!(
        each[..2].iter().all(|&(keys, _)| keys == 0) && each[0].1 + each[1].1 == 40,
        "{each:?}"
    );
    assert!(
        each[2..]
            .iter()
            .all(|&(keys, clients)| keys > 0 && clients == 0),
        "{each:?}"
    );
    let list = conns[0].call("CLIENT LIST");
    let lines = list.lines().filter(|line| line.contains("id="));
    let shards: BTreeSet<_> = lines
        .filter_map(|line| {
            line.split(' ')
                .find_map(|field| field.strip_prefix("shard="))
        })
        .collect();
    assert!(
        shards.iter().all(|shard| ["0", "1"].contains(shard)),
        "{list}"
    );
}

#[test]
fn a_number_of_shards_that_cannot_be_is_answered_with_what_to_do() {
    let server = split(&[]);
    let mut conn = server.connect();
    for (asked, says) in [
        (2, "3 to 4 shards, not 2; at least one must own data"),
        (5, "3 to 4 shards, not 5; launch it with more"),
    ] {
        let reply = conn.call(&format!("CONFIG SET shards {asked}"));
        assert!(reply.starts_with("-ERR") && reply.contains(says), "{reply}");
    }
}

#[test]
fn commands_over_all_shards_find_the_data() {
    let server = split(&[]);
    let mut conn = server.connect();
    for n in 0..100 {
        assert_eq!(conn.call(&format!("SET k{n} {n}")), "+OK\r\n");
    }
    assert_eq!(conn.call("DBSIZE"), ":100\r\n");
    assert!(conn.call("KEYS *").starts_with("*100\r\n"));
    let random = conn.call("RANDOMKEY");
    assert!(random.contains("\r\nk"), "{random}");
    assert_eq!(conn.call("MGET k1 k2 k3").matches('$').count(), 3);
    assert_eq!(conn.call("MSETNX new1 1 new2 2 new3 3"), ":1\r\n");
    assert_eq!(conn.call("RENAME new1 other"), "+OK\r\n");
    assert_eq!(conn.call("DEL other new2 new3"), ":3\r\n");
    let mut seen = 0;
    let mut cursor = "0".to_owned();
    loop {
        let page = conn.call(&format!("SCAN {cursor} COUNT 7"));
        seen += page.matches("\r\nk").count();
        cursor = page.lines().nth(2).expect("a cursor").to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen, 100);
    assert_eq!(conn.call("SCAN nonsense"), "-ERR invalid cursor\r\n");
    assert_eq!(conn.call("SWAPDB 0 1"), "+OK\r\n");
    assert_eq!(conn.call("DBSIZE"), ":0\r\n");
    assert_eq!(conn.call("FLUSHALL"), "+OK\r\n");
    assert_eq!(conn.call("SELECT 1"), "+OK\r\n");
    assert_eq!(conn.call("DBSIZE"), ":0\r\n");
}

/// The memory limit is shared by those that hold something: shards for connections need no part of it.
#[test]
fn the_memory_limit_holds_over_the_shards_for_data() {
    let server = split(&[("maxmemory", "8mb")]);
    let mut conn = server.connect();
    let value = "v".repeat(64 << 10);
    let refused =
        (0..2000).position(|n| conn.call(&format!("SET k{n} {value}")).starts_with("-OOM"));
    let written = refused.expect("the limit is met");
    assert!((64..256).contains(&written), "{written} values of 64 KiB");
    let set = conn.call("CONFIG SET maxmemory 0 slowlog-max-len 77");
    assert_eq!(set, "+OK\r\n");
    eventually("every shard has no limit", || {
        (0..20).all(|n| conn.call(&format!("SET more{n} {value}")) == "+OK\r\n")
    });
    for _ in 0..8 {
        let got = server.connect().call("CONFIG GET slowlog-max-len");
        assert!(got.ends_with("$2\r\n77\r\n"), "{got}");
    }
}

#[test]
fn connections_move_among_the_shards_for_them() {
    let server = split(&[]);
    let mut conn = server.connect();
    for to in [0, 1, 0] {
        assert_eq!(conn.call(&format!("CLIENT MIGRATE {to}")), "+OK\r\n");
        let info = conn.call("CLIENT INFO");
        assert!(info.contains(&format!(" shard={to} ")), "{info}");
    }
    assert_eq!(
        conn.call("CLIENT MIGRATE 2"),
        "-ERR shard 2 is for data alone; connections are on shards 0 to 1\r\n"
    );
}

/// Threads that serve connections give way to those that serve data.
#[test]
fn threads_for_connections_are_nicer() {
    let server = split(&[]);
    let threads = format!("/proc/{}/task", server.pid());
    let nice = |shard: usize| {
        let named = format!("shard-{shard}\n");
        let threads = std::fs::read_dir(&threads).expect("a process has threads");
        let mut threads = threads.filter_map(Result::ok).map(|thread| thread.path());
        let is_its = |path: &Path| {
            std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name == named)
        };
        let thread = threads
            .find(|path| is_its(path))
            .expect("a thread for each shard");
        let stat = std::fs::read_to_string(thread.join("stat")).expect("a thread has figures");
        let fields = stat.rsplit(')').next().unwrap_or_default();
        // Of proc(5)'s fields the 19th; the first two end with the bracket.
        let nice = fields.split_whitespace().nth(16);
        nice.and_then(|nice| nice.parse::<i32>().ok())
            .expect("a number")
    };
    let base = nice(2);
    assert_eq!([nice(0), nice(1), nice(3)], [base + 5, base + 5, base]);
}
