//! Who is let in, who is not and why, and who comes back.

use super::conn::TlsConn;
use super::pki::Pki;
use crate::conn::Conn;
use crate::server::eventually;

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
