//! The PROXY protocol: a load balancer says whose connection it hands through, and nobody else is let in.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use crate::server::{Server, eventually};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2: command and family as they are sent.
fn header(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("a short header");
    let fixed = [&[version_command, family], &length.to_be_bytes()[..]].concat();
    [SIGNATURE, &fixed, rest].concat()
}

/// `10.1.2.3:12345` connected to `10.9.9.9:6379`.
fn from_afar() -> Vec<u8> {
    header(
        0x21,
        0x11,
        &[10, 1, 2, 3, 10, 9, 9, 9, 0x30, 0x39, 0x18, 0xeb],
    )
}

fn behind_a_balancer() -> Server {
    Server::start(&[("proxy-protocol", "yes")])
}

/// What `CLIENT INFO` says after a header.
fn info(server: &Server, header: &[u8]) -> String {
    let mut conn = server.connect();
    conn.write(&[header, b"CLIENT INFO\r\n"].concat());
    conn.reply()
}

/// A figure of `INFO`.
fn figure(server: &Server, name: &str) -> u64 {
    let mut conn = server.connect();
    conn.write(&from_afar());
    let info = conn.call("INFO");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect(&info).trim().parse().expect("a number")
}

fn refusals(server: &Server) -> u64 {
    figure(server, "proxy_protocol_refusals")
}

#[test]
fn the_client_is_who_the_balancer_says_wherever_it_lives() {
    let server = behind_a_balancer();
    // Several, so that some begin on a shard that did not read their header.
    for _ in 0..8 {
        let info = info(&server, &from_afar());
        assert!(
            info.contains(" addr=10.1.2.3:12345 laddr=10.9.9.9:6379 "),
            "{info}"
        );
    }
    let mut v6 = Ipv6Addr::LOCALHOST.octets().to_vec();
    v6.extend(Ipv6Addr::LOCALHOST.octets());
    v6.extend([0, 7, 0, 8]);
    // With an addition that means nothing here.
    v6.extend([0xee, 0, 2, 1, 2]);
    let said = info(&server, &header(0x21, 0x21, &v6));
    assert!(said.contains(" addr=[::1]:7 laddr=[::1]:8 "), "{said}");
}

#[test]
fn a_balancer_that_speaks_for_itself_is_taken_for_what_it_is() {
    let server = behind_a_balancer();
    for header in [
        header(0x20, 0x00, &[]),
        header(0x21, 0x00, &[]),
        header(0x21, 0x31, &[1; 216]),
    ] {
        let info = info(&server, &header);
        let address = format!(" laddr={} ", server.address);
        assert!(info.contains(" addr=127.0.0.1:"), "{info}");
        assert!(info.contains(&address), "{info}");
    }
}

#[test]
fn a_header_may_come_in_pieces() {
    let server = behind_a_balancer();
    let mut conn = server.connect();
    for byte in from_afar() {
        conn.write(&[byte]);
    }
    assert_eq!(conn.call("PING"), "+PONG\r\n");
}

#[test]
fn whoever_brings_no_header_is_closed_logged_and_counted() {
    let server = behind_a_balancer();
    let long = header(0x21, 0x11, &[0; 5000]);
    let garbage: [&[u8]; 4] = [
        b"PING\r\n",
        b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
        &header(0x31, 0x11, &[0; 12]),
        &long,
    ];
    for bytes in garbage {
        let mut conn = server.connect();
        // It may be closed before all is written.
        conn.try_write(bytes);
        assert!(conn.is_closed(), "{bytes:?}");
    }
    eventually("all are counted", || refusals(&server) == 4);
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(said.contains("balancer's header"), "{said}");
    assert!(said.contains("no PROXY protocol header"), "{said}");
}

/// A shard that goes to sleep waits for those that it has accepted and whose header is still to come.
#[test]
fn who_has_not_said_whose_it_is_outlives_its_shard() {
    let server = Server::start(&[
        ("proxy-protocol", "yes"),
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "3"),
        ("max-shards", "3"),
    ]);
    let mut admin = server.connect();
    admin.write(&from_afar());
    let mut looks = server.connect();
    looks.write(&from_afar());
    let mut waiting: Vec<_> = (0..24).map(|_| server.connect()).collect();
    assert_eq!(looks.call("PING"), "+PONG\r\n");
    admin.send("CONFIG SET shards 1");
    eventually("the data has moved", || {
        looks
            .call("INFO shards")
            .contains("resize_partitions:170\r\nresize_partitions_moved:170\r\n")
            || admin.has_bytes()
    });
    for conn in &mut waiting {
        assert!(conn.try_write(&[&from_afar()[..], b"PING\r\n"].concat()));
    }
    for conn in &mut waiting {
        assert_eq!(conn.reply(), "+PONG\r\n");
    }
    assert_eq!(admin.reply(), "+OK\r\n");
}

/// A load balancer's health checks, which never end, and strangers.
#[test]
fn of_those_who_only_look_the_log_is_silent_and_of_others_it_has_a_line_a_second() {
    let server = behind_a_balancer();
    for _ in 0..300 {
        drop(server.connect());
    }
    eventually("all are counted", || refusals(&server) == 300);
    let started = Instant::now();
    for _ in 0..300 {
        server.connect().try_write(b"PING\r\n");
    }
    eventually("all are counted", || refusals(&server) == 600);
    // One when it begins, and one for each second, on each shard.
    let lines_max = (started.elapsed().as_secs() + 2) * figure(&server, "shards");
    server.signal("TERM");
    let (_, said) = server.wait();
    let lines = said.matches("without its load balancer's header").count() as u64;
    assert!((1..=lines_max).contains(&lines), "{lines} lines: {said}");
    assert!(!said.contains("nothing sent"), "{said}");
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    let server = behind_a_balancer();
    let mut conn = server.connect();
    conn.write(&SIGNATURE[..5]);
    let started = Instant::now();
    assert!(conn.is_closed());
    assert!(started.elapsed() >= Duration::from_secs(4), "too soon");
    assert_eq!(refusals(&server), 1);
}

#[test]
fn only_balancers_that_are_named_are_believed() {
    let server = Server::start(&[
        ("proxy-protocol", "yes"),
        ("proxy-protocol-from", "10.0.0.1"),
    ]);
    let mut conn = server.connect();
    conn.try_write(&from_afar());
    assert!(conn.is_closed());
    let server = Server::start(&[
        ("proxy-protocol", "yes"),
        ("proxy-protocol-from", "10.0.0.1 127.0.0.1"),
    ]);
    assert!(info(&server, &from_afar()).contains(" addr=10.1.2.3:12345 "));
}

#[test]
fn without_the_setting_a_header_is_no_command() {
    let server = Server::start(&[]);
    let said = info(&server, &from_afar());
    assert!(!said.contains("10.1.2.3"), "{said}");
}
