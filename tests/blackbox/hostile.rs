//! A small flood of broken and ill-mannered clients: what `cargo xtask measure hostile` sends by the
//! gigabyte, in every test run.

#[path = "../../xtask/src/measure/hostile/bytes.rs"]
mod bytes;
#[path = "../../xtask/src/measure/hostile/crowd.rs"]
mod crowd;

use crate::conn::Conn;
use crate::server::{Server, eventually};

/// Bytes of one flood.
const FLOOD_BYTES: u64 = 2 << 20;

/// Memory that a server with a small limit may hold after floods, whatever it was sent.
const RSS_BYTES_MAX: u64 = 256 << 20;

#[test]
fn a_flood_leaves_nothing_behind() {
    let server = Server::start(&[("maxmemory", "64mb")]);
    let mut polite = server.connect();
    assert_eq!(polite.call("PING"), "+PONG\r\n");
    let descriptors = server.descriptors();
    let mut all = crowd::Tally::default();
    for seed in 0..2 {
        let flood = crowd::flood(server.address, seed, FLOOD_BYTES);
        all.add(&flood.expect("the server takes connections"));
        assert_eq!(polite.call("PING"), "+PONG\r\n");
    }
    assert_eq!(all.hung, 0, "{all:?}");
    assert!(
        all.sent_bytes >= 2 * FLOOD_BYTES && all.read_bytes > 0,
        "{all:?}"
    );
    assert!(
        all.told_errors > 0 && all.told_errors <= all.ended,
        "{all:?}"
    );
    eventually("the flood's connections are gone", || {
        figure(&mut polite, "connected_clients") == 1 && server.descriptors() == descriptors
    });
    let errors = figure(&mut polite, "protocol_errors");
    assert!(
        all.told_errors <= errors && errors <= all.connections,
        "{errors}: {all:?}"
    );
    let received = figure(&mut polite, "total_connections_received");
    assert_eq!(received, all.connections + 1);
    assert!(figure(&mut polite, "used_memory_rss") < RSS_BYTES_MAX);
    server.signal("TERM");
    let (status, said) = server.wait();
    assert!(
        status.success() && !said.contains("panicked"),
        "{status}: {said}"
    );
}

/// Connections of each form of a request.
const ROUNDS: usize = 8;

#[test]
fn a_request_of_http_runs_nothing_of_its_body() {
    let server = Server::start(&[]);
    let arity = "-ERR wrong number of arguments for 'get' command\r\n";
    let requests = [
        ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nhOST: 127.0.0.1\r\n\r\n", arity),
        ("post\r\n", ""),
        ("*2\r\n$5\r\nHost:\r\n$9\r\n127.0.0.1\r\n", ""),
    ];
    for (request, told) in requests.repeat(ROUNDS) {
        let mut conn = server.connect();
        let body = "SET pwned yes\r\nPING\r\n";
        conn.write(format!("SET good 1\r\nGET good\r\n{request}{body}").as_bytes());
        let replies = std::iter::from_fn(|| Some(conn.reply()).filter(|reply| !reply.is_empty()));
        let replies: String = replies.collect();
        assert_eq!(replies, format!("+OK\r\n$1\r\n1\r\n{told}"), "{request}");
    }
    let mut polite = server.connect();
    assert_eq!(polite.call("EXISTS good pwned"), ":1\r\n");
    let cut_off = figure(&mut polite, "client_cross_protocol_disconnections");
    assert_eq!(cut_off, (requests.len() * ROUNDS) as u64);
    server.signal("TERM");
    let (_, said) = server.wait();
    let lines = said.lines().filter(|line| line.contains("SECURITY ATTACK"));
    let lines: Vec<&str> = lines.collect();
    assert!(
        lines.iter().all(|line| line.contains("peer=127.0.0.1:")),
        "{said}"
    );
    // One per shard and minute.
    assert!((1..=2 * ROUNDS).contains(&lines.len()), "{said}");
}

/// A number of `INFO`.
fn figure(conn: &mut Conn, name: &str) -> u64 {
    let info = conn.call("INFO");
    let value = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = value.and_then(|value| value.trim().parse().ok());
    number.unwrap_or_else(|| panic!("INFO has no number {name}: {info}"))
}
