//! Commands whose keys lie on several shards: the same answers as on one.

use corelane_wire::Value;

use crate::server::{Server, eventually};

/// Rows of a command and its reply, on one connection.
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for (line, expected) in rows {
        assert_eq!(conn.call(line), *expected, "{line}");
    }
}

#[test]
fn keys_apart_are_renamed_and_copied() {
    // k0…k7 lie on both sides of any split in two.
    let mut rows: Vec<(String, String)> = Vec::new();
    for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)] {
        rows.push((format!("SET k{from} v{from} EX 1000"), "+OK\r\n".into()));
        rows.push((format!("RENAME k{from} k{to}"), "+OK\r\n".into()));
        rows.push((format!("GET k{to}"), format!("$2\r\nv{from}\r\n")));
        rows.push((format!("EXISTS k{from}"), ":0\r\n".into()));
        rows.push((format!("TTL k{to}"), ":1000\r\n".into()));
        rows.push((format!("COPY k{to} k{from}"), ":1\r\n".into()));
        rows.push((format!("COPY k{to} k{from}"), ":0\r\n".into()));
        rows.push((format!("COPY k{to} k{from} REPLACE"), ":1\r\n".into()));
        rows.push((format!("RENAMENX k{to} k{from}"), ":0\r\n".into()));
        rows.push((format!("DEL k{from} k{to}"), ":2\r\n".into()));
        rows.push((
            format!("RENAME k{from} k{to}"),
            "-ERR no such key\r\n".into(),
        ));
    }
    let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    check(&rows);
}

#[test]
fn several_keys_at_once() {
    check(&[
        ("MSET a 1 b 2 c 3 d 4 e 5 f 6", "+OK\r\n"),
        ("MSETNX g 7 a 8", ":0\r\n"),
        ("EXISTS g", ":0\r\n"),
        ("MSETNX g 7 h 8 i 9", ":1\r\n"),
        ("EXISTS a b c d e f g h i z", ":9\r\n"),
        ("TOUCH a b z", ":2\r\n"),
        ("UNLINK a b z", ":2\r\n"),
        ("DEL c c d", ":2\r\n"),
        ("DBSIZE", ":5\r\n"),
        (
            "MSET a 1 b",
            "-ERR wrong number of arguments for 'mset' command\r\n",
        ),
        (
            "MSET fresh0 1 fresh1 2 fresh2 3 fresh3",
            "-ERR wrong number of arguments for 'mset' command\r\n",
        ),
        ("EXISTS fresh0 fresh1 fresh2 fresh3", ":0\r\n"),
        ("LCS nothing nowhere", "$0\r\n\r\n"),
        ("SET x ohmytext", "+OK\r\n"),
        ("SET y mynewtext", "+OK\r\n"),
        ("LCS x y", "$6\r\nmytext\r\n"),
        ("LCS x y LEN", ":6\r\n"),
    ]);
}

#[test]
fn databases_are_apart() {
    check(&[
        ("SET k zero", "+OK\r\n"),
        ("SELECT 5", "+OK\r\n"),
        ("GET k", "$-1\r\n"),
        ("MSET k five l five m five", "+OK\r\n"),
        ("SWAPDB 0 5", "+OK\r\n"),
        ("GET k", "$4\r\nzero\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("SELECT 0", "+OK\r\n"),
        (
            "MGET k l m",
            "*3\r\n$4\r\nfive\r\n$4\r\nfive\r\n$4\r\nfive\r\n",
        ),
        ("MOVE l 7", ":1\r\n"),
        ("MOVE l 7", ":0\r\n"),
        ("FLUSHDB", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("SELECT 7", "+OK\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("FLUSHALL", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("RANDOMKEY", "$-1\r\n"),
        ("SELECT 16", "-ERR DB index is out of range\r\n"),
    ]);
}

#[test]
fn scan_and_keys_see_every_shard() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let names: Vec<String> = (0..1000).map(|n| format!("key:{n}")).collect();
    for name in &names {
        assert_eq!(conn.call(&format!("SET {name} x")), "+OK\r\n");
    }
    let mut wanted: Vec<String> = names.clone();
    wanted.sort();

    let mut seen = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let reply = conn.value(&format!("SCAN {cursor} COUNT 17"));
        let [next, keys] = reply.as_elements().expect("an array of two") else {
            panic!("{reply:?}")
        };
        let text = |value: &Value| {
            String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
        };
        seen.extend(keys.as_elements().expect("an array").iter().map(text));
        cursor = text(next);
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, wanted);

    let all = conn.value("KEYS *");
    assert_eq!(all.as_elements().map(<[Value]>::len), Some(1000));
    let some = conn.value("KEYS key:99?");
    assert_eq!(some.as_elements().map(<[Value]>::len), Some(10));
    assert_eq!(conn.call("SCAN nonsense"), "-ERR invalid cursor\r\n");
}

#[test]
fn expired_keys_go_by_themselves() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for n in 0..500 {
        assert_eq!(conn.call(&format!("SET k{n} v PX 50")), "+OK\r\n");
    }
    assert_eq!(conn.call("SET stays v"), "+OK\r\n");
    eventually("expired keys are removed without being asked for", || {
        conn.call("DBSIZE") == ":1\r\n"
    });
}
