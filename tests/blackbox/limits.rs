//! Limits: what the client sees, what is counted, and that nobody else pays.

use std::time::{Duration, Instant};

use crate::conn::{Conn, encode};
use crate::server::{Server, count, eventually, logged};

/// Sends the beginning of a value: so much memory the server holds for this client.
fn hold(conn: &mut Conn, bytes: usize) {
    conn.write(format!("*2\r\n$4\r\nECHO\r\n${}\r\n", bytes + 1).as_bytes());
    conn.write(&vec![b'x'; bytes]);
}

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
    let server = Server::start(&[("timeout", "1"), ("loglevel", "verbose")]);
    let mut silent = server.connect();
    let started = Instant::now();
    assert!(silent.is_closed());
    assert!(
        started.elapsed() >= Duration::from_millis(900),
        "after {:?}",
        started.elapsed()
    );
    let counter = "client_idle_disconnections";
    eventually("the end is counted", || count(&server, counter) == 1);
    logged(server, &["closed: idle for longer than timeout"]);
}

/// A client that waits for its command's reply is not idle, however long that takes.
#[test]
fn who_waits_for_a_reply_is_not_silent() {
    let server = Server::start(&[("timeout", "1"), ("enable-debug-command", "yes")]);
    let mut waiting = server.connect();
    assert_eq!(waiting.call("DEBUG SLEEP 3"), "+OK\r\n");
    assert_eq!(waiting.call("PING"), "+PONG\r\n");
    assert_eq!(count(&server, "client_idle_disconnections"), 0);
    assert!(waiting.is_closed());
}

#[test]
fn a_client_is_ended_in_the_middle_of_its_command() {
    let server = Server::start(&[("enable-debug-command", "yes")]);
    let (mut other, mut sleeper) = (server.connect(), server.connect());
    let id = sleeper.call("CLIENT ID");
    sleeper.send("DEBUG SLEEP 1000");
    eventually("it sleeps", || {
        other.call("CLIENT LIST").contains("cmd=debug")
    });
    let id = id.trim().trim_start_matches(':');
    assert_eq!(other.call(&format!("CLIENT KILL ID {id}")), ":1\r\n");
    assert!(sleeper.is_closed());
    eventually("it is gone", || count(&server, "connected_clients") == 2);
    // Who ends itself hears of it.
    let id = other.call("CLIENT ID");
    let id = id.trim().trim_start_matches(':');
    let killed = other.call(&format!("CLIENT KILL ID {id} SKIPME no"));
    assert_eq!(killed, ":1\r\n");
    assert!(other.is_closed());
}

/// Client numbers are exact where they are read as floating-point numbers.
#[test]
fn client_numbers_fit_a_double() {
    let server = Server::start(&[]);
    for _ in 0..8 {
        let id = server.connect().call("CLIENT ID");
        let id: u64 = id.trim().trim_start_matches(':').parse().expect("a number");
        assert!(id < 1 << 53, "{id}");
    }
}

#[test]
fn values_end_at_the_longest_bulk() {
    let server = Server::start(&[("proto-max-bulk-len", "1mb")]);
    let mut conn = server.connect();
    let mebibyte = "v".repeat(1 << 20);
    assert_eq!(conn.call(&format!("SET k {mebibyte}")), "+OK\r\n");
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    assert_eq!(conn.call("APPEND k x"), too_long);
    assert_eq!(conn.call("SETRANGE k 1048576 x"), too_long);
    assert_eq!(conn.call("STRLEN k"), ":1048576\r\n");
    conn.write(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n");
    assert_eq!(conn.reply(), "-ERR Protocol error: invalid bulk length\r\n");
    assert!(conn.is_closed());
    eventually("it is counted", || count(&server, "protocol_errors") == 1);
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
    let counter = "client_query_buffer_limit_disconnections";
    eventually("the cut is counted", || count(&server, counter) == 1);
    logged(server, &["closed: query over client-query-buffer-limit"]);
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
fn output_over_the_hard_limit_ends_its_client() {
    let server = Server::start(&[("client-output-buffer-limit", "normal 100kb 0 0")]);
    let mut conn = server.connect();
    let value = "v".repeat(60_000);
    assert_eq!(conn.call(&format!("SET big {value}")), "+OK\r\n");
    // One is below the limit; two at once are above it.
    assert_eq!(conn.call("GET big"), format!("$60000\r\n{value}\r\n"));
    conn.write(&encode("GET big").repeat(2));
    assert!(conn.is_closed());
    // One reply that is above it by itself, from all shards.
    let mut conn = server.connect();
    conn.send("MGET big big2 big3 big");
    assert!(conn.is_closed());
    let counter = "client_output_buffer_limit_disconnections";
    eventually("the cuts are counted", || count(&server, counter) == 2);
    logged(
        server,
        &["closed: output over the hard limit of client-output-buffer-limit"],
    );
}

/// A client that never reads: held to 256 KiB and a reply, and ended when its time is over.
#[test]
fn unread_output_is_borne_for_as_long_as_the_soft_limit_says() {
    let server = Server::start(&[("client-output-buffer-limit", "normal 0 64kb 1")]);
    let mut reader = server.connect();
    let value = "v".repeat(100_000);
    assert_eq!(reader.call(&format!("SET big {value}")), "+OK\r\n");
    let mut deaf = server.connect();
    let started = Instant::now();
    // More than the system's buffers take.
    deaf.write(&encode("GET big").repeat(500));
    let counter = "client_output_buffer_limit_disconnections";
    while count(&server, counter) == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "it is never ended"
        );
        // Who reads is not over the limit, whatever passes through.
        for _ in 0..20 {
            assert_eq!(reader.call("STRLEN big"), ":100000\r\n");
            assert!(reader.call("GET big").len() > 100_000);
        }
    }
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "it had its time"
    );
    assert!(deaf.is_closed());
    assert_eq!(reader.call("PING"), "+PONG\r\n");
    logged(
        server,
        &["closed: output stood over the soft limit for too long"],
    );
}

#[test]
fn the_largest_client_is_evicted() {
    // Exceeded in the end by more than three shards may leave untold, a quarter of a megabyte each.
    let server = Server::start(&[("maxmemory-clients", "7680kb")]);
    let mut observer = server.connect();
    let mut spared = server.connect();
    assert_eq!(spared.call("CLIENT NO-EVICT on"), "+OK\r\n");
    hold(&mut spared, 4_000_000);
    let mut small: Vec<_> = (0..4).map(|_| server.connect()).collect();
    small.iter_mut().for_each(|conn| hold(conn, 200_000));
    eventually("they are held", || {
        let list = observer.call("CLIENT LIST");
        let held = |line: &&str| line.contains("qbuf=2000") || line.contains("qbuf=4000");
        list.lines().filter(held).count() == 5
    });
    assert_eq!(count(&server, "evicted_clients"), 0);
    let mut large = server.connect();
    hold(&mut large, 3_900_000);
    assert!(large.is_closed(), "the largest that may be evicted");
    eventually("it is counted", || count(&server, "evicted_clients") == 1);
    // The others go on where they were.
    for conn in small.iter_mut().chain([&mut spared]) {
        conn.write(b"x\r\n");
        assert!(conn.reply().ends_with("xx\r\n"));
    }
    logged(
        server,
        &["closed: the clients held more than maxmemory-clients, and this one most"],
    );
}

/// Two clients on one shard: one with long pipelines of slow commands, one that asks one thing at a time.
#[test]
fn a_long_pipeline_lets_others_have_their_turn() {
    let server = Server::start(&[("cpu-allocation", "1")]);
    let (mut busy, mut polite) = (server.connect(), server.connect());
    let value = "v".repeat(300);
    assert_eq!(busy.call(&format!("SET long {value}")), "+OK\r\n");
    let commands = 3_000;
    busy.write(&encode("LCS long long LEN").repeat(commands));
    assert!(busy.wait_for_bytes());
    let mut answered_meanwhile = 0;
    let calls = "cmdstat_lcs:calls=";
    loop {
        let info = polite.call("INFO commandstats");
        let lcs = info
            .lines()
            .find_map(|line| line.strip_prefix(calls)?.split(',').next());
        if lcs.is_some_and(|calls| calls.parse() == Ok(commands)) {
            break;
        }
        answered_meanwhile += 1;
    }
    // A read brings 400 of these commands: without time slices there would be eight turns.
    assert!(answered_meanwhile >= 40, "{answered_meanwhile} turns");
    (0..commands).for_each(|_| assert_eq!(busy.reply(), ":300\r\n"));
}
