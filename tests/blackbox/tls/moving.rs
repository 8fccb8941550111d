//! Much at once, and connections that go from shard to shard with their state.

use std::io::Write;

use super::pki::Pki;
use crate::conn::encode;
use crate::server::eventually;

#[test]
fn big_pipelines_and_big_values() {
    let pki = Pki::new();
    let server = pki.serve(&[]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let value = "v".repeat(3_000_000);
    assert_eq!(conn.call(&format!("SET big {value}")), "+OK\r\n");
    assert_eq!(conn.call("STRLEN big"), ":3000000\r\n");
    assert!(conn.call("GET big") == format!("$3000000\r\n{value}\r\n"));
    let pipeline: Vec<u8> = (0..20_000)
        .flat_map(|n| encode(&format!("INCR counter{}", n % 10)))
        .collect();
    // Both at once: what nobody reads stops the server, which stops reading in turn.
    for part in pipeline.chunks(100_000) {
        conn.write(part).expect("taken");
    }
    for n in 0..20_000 {
        assert_eq!(conn.reply(), format!(":{}\r\n", n / 10 + 1), "INCR {n}");
    }
}

#[test]
fn connections_move_with_their_keys() {
    let pki = Pki::new();
    let server = pki.serve(&[("cpu-allocation", "2"), ("overprovisioned", "yes")]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let mut pipeline = Vec::new();
    for n in 0..2000 {
        pipeline.extend(encode(&format!("INCR counter{}", n % 7)));
        pipeline.extend(encode(&format!("CLIENT MIGRATE {}", n % 2)));
        pipeline.extend(encode(&format!("ECHO {n}")));
    }
    // Cut where it hurts: within frames, between, and each piece a record of its own.
    for part in pipeline.chunks(977) {
        conn.write(part).expect("taken");
    }
    for n in 0..2000 {
        assert_eq!(conn.reply(), format!(":{}\r\n", n / 7 + 1), "INCR {n}");
        assert_eq!(conn.reply(), "+OK\r\n", "MIGRATE {n}");
        let text = n.to_string();
        assert_eq!(conn.reply(), format!("${}\r\n{text}\r\n", text.len()));
    }
    let moves = conn.call("CLIENT INFO");
    let moves = moves.split(" moves=").nth(1).expect("it is said");
    let moves: u32 = moves
        .split([' ', '\r', '\n'])
        .next()
        .unwrap_or_default()
        .parse()
        .expect("a number");
    assert!((1999..=2000).contains(&moves), "{moves} moves");
}

#[test]
fn half_a_record_goes_along() {
    let pki = Pki::new();
    let server = pki.serve(&[("cpu-allocation", "2"), ("overprovisioned", "yes")]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let mut operator = pki.connect(&server, Some("client")).expect("let in");
    let id = conn.call("CLIENT ID");
    let id = id.trim_start_matches(':').trim_end();
    for round in 0..20 {
        let set = encode(&format!("SET half {round}"));
        conn.stream
            .conn
            .writer()
            .write_all(&set)
            .expect("encrypted");
        let mut record = Vec::new();
        conn.stream.conn.write_tls(&mut record).expect("taken out");
        let cut = 1 + round % (record.len() - 1);
        conn.stream.sock.write_all(&record[..cut]).expect("taken");
        for to in ["0", "1"] {
            let order = format!("CLIENT MIGRATE {to} ID {id}");
            assert!(operator.call(&order).starts_with(':'), "{order}");
            let there = format!(" shard={to} ");
            let list = format!("CLIENT LIST ID {id}");
            eventually("it is there", || operator.call(&list).contains(&there));
        }
        conn.stream.sock.write_all(&record[cut..]).expect("taken");
        assert_eq!(conn.reply(), "+OK\r\n");
    }
}

/// Who says nothing holds a resize up for a moment only, and is counted; whoever is in holds on.
#[test]
fn silent_handshakes_do_not_hold_a_resize_up() {
    let pki = Pki::new();
    let server = pki.serve(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "2"),
        ("max-shards", "2"),
    ]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let silent: Vec<_> = (0..12)
        .map(|_| std::net::TcpStream::connect(server.address).expect("connected"))
        .collect();
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    eventually("all have been accepted", || {
        main.call("CLIENT LIST")
            .lines()
            .filter(|line| line.contains("id="))
            .count()
            == 14
    });
    let began = std::time::Instant::now();
    assert_eq!(main.call("CONFIG SET shards 1"), "+OK\r\n");
    // Far below the five seconds that clients in the middle of a reply are given.
    assert!(began.elapsed().as_secs() < 4, "{:?}", began.elapsed());
    assert_eq!(conn.call("PING"), "+PONG\r\n");
    let stats = main.call("INFO stats");
    let cut = stats
        .lines()
        .find_map(|line| line.strip_prefix("client_retirement_disconnections:"));
    let cut: usize = cut.expect(&stats).parse().expect("a number");
    let left = main
        .call("CLIENT LIST")
        .lines()
        .filter(|line| line.contains("id="))
        .count();
    assert_eq!((cut + left, cut > 0), (14, true));
    drop(silent);
}
