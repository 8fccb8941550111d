//! One connection's commands: any split of the bytes, replies in order, whoever owns the keys.

use crate::conn::encode;
use crate::server::Server;

/// Sends `bytes` in pieces of `size` and compares everything that comes back.
#[track_caller]
fn check(server: &Server, bytes: &[u8], size: usize, expected: &[u8]) {
    let mut conn = server.connect();
    for piece in bytes.chunks(size) {
        conn.write(piece);
    }
    let mut got = Vec::new();
    while got.len() < expected.len() {
        let reply = conn.reply_bytes();
        assert!(
            !reply.is_empty(),
            "closed after {:?}",
            String::from_utf8_lossy(&got)
        );
        got.extend_from_slice(&reply);
    }
    assert_eq!(
        String::from_utf8_lossy(&got),
        String::from_utf8_lossy(expected)
    );
}

#[test]
fn any_split_of_the_bytes_gives_the_same_replies() {
    let server = Server::start(&[]);
    let lines = [
        "SET a 1",
        "SET b 22",
        "MSET c 3 d 4 e 5",
        "MGET a b c d e nope",
        "INCR a",
        "GET a",
        "DEL a b c d e nope",
        "EXISTS a b",
    ];
    let mut bytes: Vec<u8> = lines.iter().flat_map(|line| encode(line)).collect();
    bytes.extend_from_slice(b"PING\r\nECHO \"two words\"\r\n");
    let expected = b"+OK\r\n+OK\r\n+OK\r\n*6\r\n$1\r\n1\r\n$2\r\n22\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$-1\r\n\
        :2\r\n$1\r\n2\r\n:5\r\n:0\r\n+PONG\r\n$9\r\ntwo words\r\n";
    for size in [1, 2, 3, 7, 16, 61, bytes.len()] {
        check(&server, &bytes, size, expected);
    }
}

/// A pipelined MGET that hops must not overtake the same connection's SETs, nor be overtaken.
#[test]
fn order_per_connection_and_key_holds_across_hops() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for round in 0..200 {
        let (old, new) = (round, round + 1_000_000);
        let mut batch = Vec::new();
        for key in 0..8 {
            batch.extend(encode(&format!("SET k{key} {old}")));
        }
        batch.extend(encode("MGET k0 k1 k2 k3 k4 k5 k6 k7"));
        for key in 0..8 {
            batch.extend(encode(&format!("SET k{key} {new}")));
        }
        batch.extend(encode("MGET k0 k1 k2 k3 k4 k5 k6 k7"));
        conn.write(&batch);
        for value in [old, new] {
            for _ in 0..8 {
                assert_eq!(conn.reply(), "+OK\r\n");
            }
            let text = value.to_string();
            let row = format!("${}\r\n{text}\r\n", text.len());
            assert_eq!(
                conn.reply(),
                format!("*8\r\n{}", row.repeat(8)),
                "round {round}"
            );
        }
    }
}

#[test]
fn a_pipeline_of_ten_thousand_commands_is_answered_in_order() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let bytes: Vec<u8> = (0..10_000)
        .flat_map(|n| encode(&format!("ECHO {n}")))
        .collect();
    conn.write(&bytes);
    for n in 0..10_000 {
        let text = n.to_string();
        assert_eq!(conn.reply(), format!("${}\r\n{text}\r\n", text.len()));
    }
}

#[test]
fn a_value_of_many_megabytes_comes_back_whole() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let value = "0123456789abcdef".repeat(1 << 20);
    for key in ["big", "large", "huge"] {
        assert_eq!(conn.call(&format!("SET {key} {value}")), "+OK\r\n");
        assert_eq!(
            conn.call(&format!("STRLEN {key}")),
            format!(":{}\r\n", value.len())
        );
        let got = conn.call(&format!("GET {key}"));
        assert!(
            got == format!("${}\r\n{value}\r\n", value.len()),
            "{key} changed on its way"
        );
    }
}

#[test]
fn resp3_is_spoken_after_hello() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    assert!(conn.call("HELLO 3").starts_with("%7\r\n"));
    assert_eq!(conn.call("GET nothing"), "_\r\n");
    assert_eq!(conn.call("MGET nothing nowhere"), "*2\r\n_\r\n_\r\n");
    assert!(conn.call("CONFIG GET port").starts_with("%1\r\n"));
    assert!(conn.call("HELLO 2").starts_with("*14\r\n"));
    assert_eq!(conn.call("GET nothing"), "$-1\r\n");
    assert_eq!(
        conn.call("HELLO 4"),
        "-NOPROTO unsupported protocol version\r\n"
    );
}

#[test]
fn quit_answers_and_what_follows_does_not_run() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    conn.write(b"SET before 1\r\nQUIT\r\nSET after 1\r\n");
    assert_eq!(conn.reply(), "+OK\r\n");
    assert_eq!(conn.reply(), "+OK\r\n");
    assert!(conn.is_closed());
    assert_eq!(server.connect().call("EXISTS before after"), ":1\r\n");
}
