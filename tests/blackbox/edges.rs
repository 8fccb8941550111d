//! Edges between a connection and its end, its settings and its memory: what each looked like when
//! it was found wrong stays here.

use crate::conn::encode;
use crate::server::{Server, eventually};

/// A drain waits for clients that take their replies.
#[test]
fn a_big_reply_under_way_is_whole_when_the_node_drains() {
    let server = Server::start(&[]);
    let mut clients: Vec<_> = ["big", "large", "huge", "k1"]
        .map(|key| {
            let mut conn = server.connect();
            assert_eq!(
                conn.call(&format!("SETRANGE {key} 31999999 x")),
                ":32000000\r\n"
            );
            conn.send(&format!("GET {key}"));
            // Its reply is under way, and more than any socket's buffers hold.
            assert!(conn.wait_for_bytes());
            conn
        })
        .into();
    server.signal("TERM");
    for conn in &mut clients {
        assert_eq!(
            conn.reply_bytes().len(),
            "$32000000\r\n\r\n".len() + 32_000_000
        );
        assert!(conn.is_closed());
    }
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
}

#[test]
fn who_kills_its_own_connection_hears_of_it() {
    let server = Server::start(&[]);
    for _ in 0..50 {
        let mut conn = server.connect();
        let id = conn.call("CLIENT ID");
        let id = id.trim_start_matches(':').trim_end();
        assert_eq!(
            conn.call(&format!("CLIENT KILL ID {id} SKIPME no")),
            ":1\r\n"
        );
        assert!(conn.is_closed());
    }
}

#[test]
fn a_password_taken_back_lets_those_in_who_never_gave_it() {
    let server = Server::start(&[]);
    let mut first = server.connect();
    assert_eq!(first.call("CONFIG SET requirepass secret"), "+OK\r\n");
    let mut late = server.connect();
    assert_eq!(late.call("PING"), "-NOAUTH Authentication required.\r\n");
    assert_eq!(first.call("CONFIG SET requirepass ''"), "+OK\r\n");
    assert_eq!(late.call("PING"), "+PONG\r\n");
    assert!(late.call("HELLO 3").starts_with('%'));
}

#[test]
fn counters_begin_again_at_zero() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for n in 0..20 {
        assert_eq!(conn.call(&format!("SET k{n} v PX 1")), "+OK\r\n");
    }
    eventually("all are expired", || conn.call("DBSIZE") == ":0\r\n");
    assert!(conn.call("INFO stats").contains("expired_keys:20\r\n"));
    assert_eq!(conn.call("CONFIG RESETSTAT"), "+OK\r\n");
    assert!(conn.call("INFO stats").contains("expired_keys:0\r\n"));
}

/// Replies as Redis 7.0 gives them.
#[test]
fn odd_requests_are_answered_as_redis_answers_them() {
    let server = Server::start(&[]);
    #[track_caller]
    fn check(server: &Server, line: &str, expected: &str) {
        assert_eq!(server.connect().call(line), expected, "{line}");
    }
    // More milliseconds than 64 bits hold: nobody is that old.
    check(
        &server,
        "CLIENT KILL MAXAGE 9223372036854775807 SKIPME no",
        ":0\r\n",
    );
    check(
        &server,
        "CLIENT KILL MAXAGE 18446744073709552 SKIPME no",
        ":0\r\n",
    );
    check(
        &server,
        "CONFIG SET hz 10 maxmemory",
        "-ERR syntax error\r\n",
    );
    check(
        &server,
        "COMMAND GETKEYS get",
        "-ERR wrong number of arguments for 'command|getkeys' command\r\n",
    );
    check(
        &server,
        "COMMAND GETKEYSANDFLAGS get",
        "-ERR wrong number of arguments for 'command|getkeysandflags' command\r\n",
    );
    let (a, b) = ("a".repeat(100), "b".repeat(100));
    let shown = &b[..25];
    check(
        &server,
        &format!("NOSUCH {a} {b} c"),
        &format!("-ERR unknown command 'NOSUCH', with args beginning with: '{a}' '{shown}' \r\n"),
    );
}

/// Replies of several shards that come home in different numbers of trips, folded ones among them: a
/// batch that has to wait for another shard's trip must still be there afterwards.
#[test]
fn many_big_replies_of_many_shards_come_in_order() {
    let server = Server::start(&[("cpu-allocation", "4"), ("overprovisioned", "yes")]);
    let mut conn = server.connect();
    let key = |n: usize| format!("k{}", n % 16);
    let value = |n: usize| format!("${}\r\n{}{}\r\n", 50_000, "v".repeat(49_998), n % 16 + 10);
    for n in 0..16 {
        let value = format!("{}{}", "v".repeat(49_998), n + 10);
        assert_eq!(conn.call(&format!("SET {} {value}", key(n))), "+OK\r\n");
    }
    let line = |n: usize| match n % 3 {
        0 => format!("MGET {} {} {}", key(n), key(n + 1), key(n * 7)),
        1 => format!("GET {}", key(n * 5)),
        _ => format!("EXISTS {} {} nothing", key(n), key(n + 3)),
    };
    let commands: Vec<u8> = (0..120).flat_map(|n| encode(&line(n))).collect();
    conn.write(&commands);
    for n in 0..120 {
        let expected = match n % 3 {
            0 => format!("*3\r\n{}{}{}", value(n), value(n + 1), value(n * 7)),
            1 => value(n * 5),
            _ => ":2\r\n".to_owned(),
        };
        let got = conn.reply();
        let shown = &got[..got.len().min(90)];
        assert!(got == expected, "{n}: {} gave {shown:?}", line(n));
    }
}

/// `CLIENT REPLY SKIP` may itself be the command whose reply is skipped; it skips the next one's all
/// the same.
#[test]
fn skipping_twice_skips_what_follows() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let lines = ["CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "SET k v", "GET k"];
    conn.write(&lines.map(encode).concat());
    assert_eq!(conn.reply(), "$1\r\nv\r\n");
    let lines = ["CLIENT REPLY SKIP", "CLIENT REPLY ON", "GET k"];
    conn.write(&lines.map(encode).concat());
    assert_eq!(conn.reply(), "+OK\r\n");
    assert_eq!(conn.reply(), "$1\r\nv\r\n");
}

/// A client that sends without a pause has its share of the shard, not all of it.
#[test]
fn a_client_that_never_pauses_stops_nobody() {
    let server = Server::start(&[("cpu-allocation", "1")]);
    let mut flood = server.connect();
    let commands = encode("SET k v").repeat(20_000);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let flooding = std::thread::spawn(move || {
        flood.write(&encode("CLIENT REPLY OFF"));
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            flood.write(&commands);
        }
    });
    let mut other = server.connect();
    eventually("the flood has begun", || other.call("EXISTS k") == ":1\r\n");
    for _ in 0..100 {
        assert_eq!(other.call("PING"), "+PONG\r\n");
    }
    drop(stop);
    flooding.join().expect("the flood is taken in");
}
