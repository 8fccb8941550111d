//! Who is let in, who is not and why, and who comes back.

use super::conn::TlsConn;
use super::pki::Pki;
use crate::conn::Conn;
use crate::server::{eventually, logged};

#[test]
fn who_is_let_in() {
    let pki = Pki::new();
    for (asked, none, good, bad) in [
        ("yes", false, true, false),
        ("optional", true, true, false),
        ("no", true, true, true),
    ] {
        let server = pki.serve(&[("tls-auth-clients", asked)]);
        for (identity, let_in) in [
            (None, none),
            (Some("client"), good),
            (Some("stranger"), bad),
        ] {
            let opened = pki.connect(&server, identity);
            assert_eq!(
                opened.is_ok(),
                let_in,
                "{asked} {identity:?}: {:?}",
                opened.err()
            );
        }
    }
}

#[test]
fn other_protocols_are_logged_and_counted() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    let mut plain = Conn::open(server.address);
    plain.send("PING");
    assert!(plain.is_closed(), "a plain client is closed");
    let mut garbage = Conn::open(server.address);
    garbage.write(b"\x16\x03\x01\x00\x05hello");
    assert!(garbage.is_closed(), "so is bad TLS");
    drop(Conn::open(server.address));
    let mut operator = pki.connect(&server, None).expect("let in");
    eventually("all three are counted", || {
        operator.counter("tls_handshakes_failed") == 3
    });
    for name in [
        "tls_failed_not_tls",
        "tls_failed_protocol",
        "tls_failed_left",
    ] {
        assert_eq!(operator.counter(name), 1, "{name}");
    }
    assert_eq!(operator.counter("tls_handshakes"), 1);
    drop(operator);
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(
        said.contains(
            "TLS handshake failed: this is not TLS: it begins with \"*1\\r\\n$4\\r\\nPING\\r\\n\""
        ),
        "{said}"
    );
}

#[test]
fn sessions_are_taken_up_again() {
    let pki = Pki::new();
    for (caching, resumed) in [("yes", 3), ("no", 0)] {
        let server = pki.serve(&[("tls-session-caching", caching)]);
        let config = pki.config(Some("client"));
        for _ in 0..4 {
            TlsConn::open(server.address, config.clone()).expect("let in");
        }
        let mut operator = pki.connect(&server, Some("client")).expect("let in");
        assert_eq!(
            operator.counter("tls_handshakes_resumed"),
            resumed,
            "{caching}"
        );
        assert_eq!(operator.counter("tls_handshakes"), 5, "{caching}");
    }
}

/// A whole record of a ClientHello that is as long as one can be, and part of the next one.
fn half_a_hello() -> Vec<u8> {
    let mut bytes = vec![22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff];
    bytes.resize(5 + 16 * 1024, 0);
    bytes.extend([22, 3, 1, 0x40, 0]);
    bytes.resize(bytes.len() + 5000, 0);
    bytes
}

#[test]
fn what_a_handshake_holds_is_weighed() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no"), ("maxmemory-clients", "1mb")]);
    let mut operator = pki.connect(&server, None).expect("let in");
    let half = || {
        let mut conn = Conn::open(server.address);
        conn.try_write(&half_a_hello());
        conn
    };
    let mut first = half();
    eventually("it is seen", || {
        let list = operator.call("CLIENT LIST");
        let weights = list
            .split(" tot-mem=")
            .skip(1)
            .filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        weights.max() >= Some(half_a_hello().len())
    });
    assert_eq!(operator.call("CLIENT KILL TYPE normal"), ":1\r\n");
    assert!(first.is_closed(), "a handshake can be killed");
    let _crowd: Vec<Conn> = (0..100).map(|_| half()).collect();
    eventually("the largest are evicted", || {
        operator.counter("evicted_clients") > 0
    });
    assert_eq!(operator.call("PING"), "+PONG\r\n");
    drop(operator);
    logged(
        server,
        &["closed: the clients held more than maxmemory-clients, and this one most"],
    );
}

#[test]
fn an_endless_handshake_is_cut_off() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    let mut endless = Conn::open(server.address);
    endless.try_write(&half_a_hello());
    // The rest of its second record: the message has 65,535 bytes, and the most are 32 KiB.
    endless.try_write(&[0; 16 * 1024 - 5000]);
    assert!(endless.is_closed());
    let mut operator = pki.connect(&server, None).expect("let in");
    assert_eq!(operator.counter("tls_failed_protocol"), 1);
    drop(operator);
    logged(
        server,
        &["TLS handshake failed: more than 32 KiB came without a whole TLS message"],
    );
}
