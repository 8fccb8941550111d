//! `CLIENT MIGRATE`: connections that change their shard, with all that belongs to them.

use crate::conn::{Conn, encode};
use crate::server::{Server, eventually};

fn two_shards() -> Server {
    // Nobody moves but who is sent.
    Server::start(&[
        ("cpu-allocation", "2"),
        ("overprovisioned", "yes"),
        ("routing", "hop"),
    ])
}

/// A field of the connection's own line of `CLIENT LIST`.
pub(crate) fn field(conn: &mut Conn, name: &str) -> String {
    let line = conn.call("CLIENT INFO");
    let value = line.split(&format!(" {name}=")).nth(1);
    let value = value.unwrap_or_else(|| panic!("no {name} in {line}"));
    value
        .split([' ', '\r', '\n'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn other(shard: &str) -> &'static str {
    if shard == "0" { "1" } else { "0" }
}

#[test]
fn everything_goes_along() {
    let server = two_shards();
    let mut conn = server.connect();
    for line in [
        "CLIENT SETNAME wanderer",
        "SELECT 3",
        "CLIENT SETINFO LIB-NAME lib",
        "SET k v",
    ] {
        assert_eq!(conn.call(line), "+OK\r\n", "{line}");
    }
    assert!(conn.call("HELLO 3").starts_with('%'));
    let id = conn.call("CLIENT ID");
    let home = field(&mut conn, "shard");
    let away = other(&home);
    assert_eq!(field(&mut conn, "moves"), "0");
    assert_eq!(conn.call(&format!("CLIENT MIGRATE {away}")), "+OK\r\n");
    let expected = [
        ("shard", away),
        ("moves", "1"),
        ("db", "3"),
        ("resp", "3"),
        ("name", "wanderer"),
        ("lib-name", "lib"),
    ];
    for (name, value) in expected {
        assert_eq!(field(&mut conn, name), value, "{name}");
    }
    assert_eq!(conn.call("CLIENT ID"), id);
    assert_eq!(conn.call("GET k"), "$1\r\nv\r\n");
    assert_eq!(conn.call(&format!("CLIENT MIGRATE {home}")), "+OK\r\n");
    assert_eq!(field(&mut conn, "moves"), "2");
    let list = server.connect().call("CLIENT LIST");
    assert_eq!(list.matches("name=wanderer ").count(), 1, "{list}");
}

#[test]
fn a_pipeline_goes_on_where_the_connection_went() {
    let server = two_shards();
    let mut conn = server.connect();
    let mut pipeline = Vec::new();
    for n in 0..500 {
        pipeline.extend(encode(&format!("INCR counter{}", n % 7)));
        pipeline.extend(encode(&format!("CLIENT MIGRATE {}", n % 2)));
        pipeline.extend(encode(&format!("ECHO {n}")));
    }
    // Cut where it hurts: within frames, and between.
    for part in pipeline.chunks(977) {
        conn.write(part);
    }
    for n in 0..500 {
        assert_eq!(conn.reply(), format!(":{}\r\n", n / 7 + 1), "INCR {n}");
        assert_eq!(conn.reply(), "+OK\r\n", "MIGRATE {n}");
        let text = n.to_string();
        assert_eq!(conn.reply(), format!("${}\r\n{text}\r\n", text.len()));
    }
    let moves: u32 = field(&mut conn, "moves").parse().expect("a number");
    assert!((499..=500).contains(&moves), "{moves} moves");
}

#[test]
fn half_a_command_goes_along() {
    let server = two_shards();
    let (mut conn, mut operator) = (server.connect(), server.connect());
    let id = conn.call("CLIENT ID");
    let id = id.trim_start_matches(':').trim_end();
    for round in 0..50 {
        let to = other(&field(&mut conn, "shard"));
        let set = encode(&format!("SET half {round}"));
        let cut = 1 + round % (set.len() - 1);
        conn.write(&set[..cut]);
        assert_eq!(
            operator.call(&format!("CLIENT MIGRATE {to} ID {id}")),
            ":1\r\n"
        );
        let there = format!(" shard={to} ");
        eventually("the connection is there", || {
            operator
                .call(&format!("CLIENT LIST ID {id}"))
                .contains(&there)
        });
        conn.write(&set[cut..]);
        assert_eq!(conn.reply(), "+OK\r\n");
        let text = round.to_string();
        assert_eq!(
            conn.call("GET half"),
            format!("${}\r\n{text}\r\n", text.len())
        );
    }
}

#[test]
fn who_is_on_the_way_is_listed_and_killed() {
    let server = two_shards();
    let (mut conn, mut operator) = (server.connect(), server.connect());
    let id = conn.call("CLIENT ID");
    let id = id.trim_start_matches(':').trim_end().to_owned();
    let restless: Vec<u8> = (0..20_000)
        .flat_map(|n| encode(&format!("CLIENT MIGRATE {}", n % 2)))
        .collect();
    conn.write(&restless);
    for _ in 0..300 {
        let list = operator.call(&format!("CLIENT LIST ID {id}"));
        assert_eq!(list.matches(&format!("id={id} ")).count(), 1, "{list:?}");
    }
    assert_eq!(operator.call(&format!("CLIENT KILL ID {id}")), ":1\r\n");
    eventually("it is gone", || {
        operator.call(&format!("CLIENT LIST ID {id}")).trim_end() == "$0"
    });
    assert!(
        operator
            .call("INFO clients")
            .contains("connected_clients:1\r\n")
    );
}

#[test]
fn there_is_nowhere_else_to_go() {
    let server = two_shards();
    let mut conn = server.connect();
    for shard in ["2", "-1", "x", "70000"] {
        let refused = format!("-ERR there is no shard '{shard}'; shards 0 to 1 serve\r\n");
        assert_eq!(conn.call(&format!("CLIENT MIGRATE {shard}")), refused);
    }
    assert_eq!(conn.call("CLIENT MIGRATE 0 ID"), "-ERR syntax error\r\n");
    assert_eq!(conn.call("CLIENT MIGRATE 0 ID 99999"), ":0\r\n");
}
