//! What `INFO` says to those who watch: rates, the peak of memory, clients' memory.

use crate::conn::Conn;
use crate::server::{Server, eventually};

/// A field of `INFO` as it stands there.
fn text(conn: &mut Conn, name: &str) -> String {
    let info = conn.call("INFO");
    let mut values = info.lines().filter_map(|line| line.split_once(':'));
    let value = values.find(|(known, _)| *known == name);
    value
        .unwrap_or_else(|| panic!("no {name} in {info}"))
        .1
        .to_owned()
}

fn number(conn: &mut Conn, name: &str) -> f64 {
    let value = text(conn, name);
    value
        .parse()
        .unwrap_or_else(|_| panic!("{name} is no number: {value}"))
}

#[test]
fn what_happens_each_second_is_told() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let (asked, said) = ("PING\r\n".repeat(500), "+PONG\r\n".len() * 500);
    for name in [
        "instantaneous_ops_per_sec",
        "instantaneous_input_kbps",
        "instantaneous_output_kbps",
    ] {
        eventually(name, || {
            conn.write(asked.as_bytes());
            (0..500).for_each(|_| assert_eq!(conn.reply(), "+PONG\r\n"));
            number(&mut conn, name) > 0.0
        });
    }
    let moved = number(&mut conn, "total_net_output_bytes");
    assert!(moved >= said as f64, "{moved}");
    let mut reads = || number(&mut conn, "total_reads_processed");
    assert!(reads() < reads(), "each question is read");
    let mut writes = || number(&mut conn, "total_writes_processed");
    assert!(writes() < writes(), "each answer is written");
    assert_eq!(text(&mut conn, "hz"), "10");
    assert_eq!(conn.call("CONFIG SET hz 50"), "+OK\r\n");
    assert_eq!(text(&mut conn, "hz"), "50");
}

#[test]
fn the_peak_of_memory_outlives_what_was_held() {
    let server = Server::start(&[("hz", "500")]);
    let mut conn = server.connect();
    let most = 4_000_000.0;
    // Nobody asks while it is there: a round of the background sees it.
    eventually("the peak is seen", || {
        conn.call("SETRANGE big 3999999 x");
        (0..20).for_each(|_| assert_eq!(conn.call("PING"), "+PONG\r\n"));
        conn.call("DEL big");
        number(&mut conn, "used_memory_peak") >= most
    });
    assert!(number(&mut conn, "used_memory") < most);
    assert!(text(&mut conn, "used_memory_peak_human").ends_with('M'));
    assert!(number(&mut conn, "mem_fragmentation_ratio") > 0.0);
}

#[test]
fn clients_are_weighed_as_their_limit_weighs_them() {
    let server = Server::start(&[]);
    let mut conns: Vec<_> = (0..10).map(|_| server.connect()).collect();
    conns.iter_mut().for_each(|conn| {
        conn.call("PING");
    });
    // All of one moment.
    let info = conns[0].call("INFO");
    let figure = |name: &str| -> u64 {
        let mut values = info.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = values.find(|(known, _)| *known == name).expect(name);
        value.parse().expect("a number")
    };
    assert_eq!(figure("connected_clients"), 10);
    assert_eq!(
        figure("mem_clients_normal"),
        10 * 2048 + figure("client_buffer_bytes")
    );
    assert_eq!(
        figure("used_memory"),
        figure("used_memory_dataset") + figure("mem_clients_normal")
    );
    let own = conns[1].call("CLIENT INFO");
    let field = |name: &str| -> u64 {
        let mut fields = own.split(' ').filter_map(|field| field.split_once('='));
        let (_, value) = fields.find(|(known, _)| *known == name).expect(name);
        value.parse().expect("a number")
    };
    assert_eq!(field("tot-mem"), 2048 + field("qbuf") + field("omem"));
}

/// While partitions move, what shards have told each other counts some of them twice.
#[test]
fn a_resize_is_no_peak() {
    let server = Server::start(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "1"),
        ("max-shards", "4"),
        ("hz", "500"),
    ]);
    let mut conn = server.connect();
    for n in 0..40 {
        let reply = conn.call(&format!("SETRANGE key:{n} 999999 x"));
        assert_eq!(reply, ":1000000\r\n");
    }
    for shards in [4, 1, 2, 4, 1] {
        let reply = conn.call(&format!("CONFIG SET shards {shards}"));
        assert_eq!(reply, "+OK\r\n");
    }
    let held = number(&mut conn, "used_memory_dataset");
    let peak = number(&mut conn, "used_memory_peak");
    assert!(
        held >= 40e6 && peak >= held && peak < held * 1.1,
        "{held} {peak}"
    );
}
