//! Limits: what the client sees, what is counted, and that nobody else pays.

use std::time::{Duration, Instant};

use crate::conn::encode;
use crate::server::{Server, eventually};

#[test]
fn one_client_too_many_is_told_so() {
    let server = Server::start(&[("maxclients", "5")]);
    let mut conns: Vec<_> = (0..5).map(|_| server.connect()).collect();
    conns
        .iter_mut()
        .for_each(|conn| assert_eq!(conn.call("PING"), "+PONG\r\n"));
    let mut sixth = server.connect();
    assert_eq!(sixth.reply(), "-ERR max number of clients reached\r\n");
    assert!(sixth.is_closed());
    assert!(
        conns[0]
            .call("INFO stats")
            .contains("rejected_connections:1\r\n")
    );
    conns.pop();
    eventually("the place is free again", || {
        let mut conn = server.connect();
        conn.try_write(b"PING\r\n") && conn.reply() == "+PONG\r\n"
    });
}

#[test]
fn silent_clients_are_ended_after_the_timeout() {
    let server = Server::start(&[("timeout", "1")]);
    let mut silent = server.connect();
    let started = Instant::now();
    assert!(silent.is_closed());
    assert!(
        started.elapsed() >= Duration::from_millis(900),
        "after {:?}",
        started.elapsed()
    );
    assert!(
        server
            .connect()
            .call("INFO stats")
            .contains("client_idle_disconnections:1\r\n")
    );
}

/// Bytes that break the protocol: the error in Redis's words, then the end; others go on.
#[test]
fn protocol_errors_are_told_and_end_the_connection() {
    let server = Server::start(&[]);
    let mut other = server.connect();
    let rows: &[(&[u8], &str)] = &[
        (
            b"*1000000000\r\n",
            "-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*x\r\n",
            "-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*1\r\n$1099511627776\r\n",
            "-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"*1\r\n$-5\r\n",
            "-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"*1\r\nfoo\r\n",
            "-ERR Protocol error: expected '$', got 'f'\r\n",
        ),
        (
            b"SET \"k\r\n",
            "-ERR Protocol error: unbalanced quotes in request\r\n",
        ),
    ];
    for (bytes, error) in rows {
        let mut conn = server.connect();
        conn.write(bytes);
        assert_eq!(conn.reply(), *error, "{:?}", String::from_utf8_lossy(bytes));
        assert!(conn.is_closed());
        assert_eq!(other.call("PING"), "+PONG\r\n");
    }
    let mut conn = server.connect();
    conn.write(&vec![b'a'; 70 * 1024]);
    assert_eq!(
        conn.reply(),
        "-ERR Protocol error: too big inline request\r\n"
    );
    let counted = format!("protocol_errors:{}\r\n", rows.len() + 1);
    assert!(other.call("INFO stats").contains(&counted));
}

#[test]
fn a_query_over_its_limit_is_cut_off() {
    let server = Server::start(&[("client-query-buffer-limit", "1mb")]);
    let mut conn = server.connect();
    conn.write(b"*2\r\n$4\r\nECHO\r\n$3000000\r\n");
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..40 {
        if !conn.try_write(&piece) {
            break;
        }
    }
    assert!(conn.is_closed());
    eventually("the cut is counted", || {
        server
            .connect()
            .call("INFO stats")
            .contains("client_query_buffer_limit_disconnections:1\r\n")
    });
}

/// A client that asks for much and reads nothing: its shard goes on serving others.
#[test]
fn a_slow_reader_stops_nobody() {
    let server = Server::start(&[]);
    let mut others: Vec<_> = (0..8).map(|_| server.connect()).collect();
    let value = "v".repeat(100_000);
    assert_eq!(others[0].call(&format!("SET big {value}")), "+OK\r\n");
    let mut slow: Vec<_> = (0..4).map(|_| server.connect()).collect();
    let gets: Vec<u8> = (0..2_000).flat_map(|_| encode("GET big")).collect();
    slow.iter_mut().for_each(|conn| conn.write(&gets));
    for other in &mut others {
        for n in 0..50 {
            assert_eq!(other.call(&format!("SET k{n} v")), "+OK\r\n");
        }
    }
    let info = others[0].call("INFO memory");
    let rss = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory_rss:"))
        .expect("a figure");
    let rss: u64 = rss.trim().parse().expect("a number");
    assert!(rss > 1 << 20, "the figure is missing: {rss}");
    assert!(
        rss < 400 << 20,
        "four slow readers made the server hold {rss} bytes"
    );
    // It reads after all: everything is there.
    let row = format!("$100000\r\n{value}\r\n");
    for _ in 0..2_000 {
        assert!(slow[0].reply() == row);
    }
}

#[test]
fn a_half_closed_client_still_gets_its_replies() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    conn.write(b"SET k v\r\nGET k\r\n");
    conn.half_close();
    assert_eq!(conn.reply(), "+OK\r\n");
    assert_eq!(conn.reply(), "$1\r\nv\r\n");
    assert!(conn.is_closed());
}

#[test]
fn a_reply_over_the_hard_output_limit_ends_its_client() {
    let server = Server::start(&[("client-output-buffer-limit", "normal 1mb 0 0")]);
    let mut conn = server.connect();
    let value = "v".repeat(3_000_000);
    assert_eq!(conn.call(&format!("SET big {value}")), "+OK\r\n");
    conn.send("GET big");
    assert!(conn.is_closed());
    eventually("the cut is counted", || {
        server
            .connect()
            .call("INFO stats")
            .contains("client_output_buffer_limit_disconnections:1\r\n")
    });
}
