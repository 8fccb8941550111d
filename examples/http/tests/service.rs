//! The service as its clients see it, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use corelane::{LaunchOptions, Running};
use corelane_example_http::node;
use corelane_example_http::store::{Store, VALUE_BYTES_MAX};

/// Starts a node of three shards.
fn start() -> (Running<Store>, SocketAddr) {
    let addr = free_port();
    let node = node::start(&LaunchOptions::unpinned(3), addr).expect("the node starts");
    (node, addr)
}

/// A port that nothing listens on. Shards share their port, so that they cannot let the system pick one each.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// A connection of its own for each; the shard is chosen by the kernel.
fn ask(addr: SocketAddr, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).expect("the node listens");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("set");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // A body that is refused is not read to its end.
    let _ = stream.write_all(body);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1);
    let status = status.and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.expect("a status"), body.to_owned())
}

fn check(addr: SocketAddr, method: &str, path: &str, body: &str, status: u16, answer: &str) {
    let (got, said) = ask(addr, method, path, body.as_bytes());
    assert!(
        got == status && said.starts_with(answer) && (said.is_empty() == answer.is_empty()),
        "{method} {path} {body:?}: {got} {said:?}"
    );
}

#[test]
fn keys_are_there_whatever_shard_is_asked() {
    let (node, addr) = start();
    // Several times each, over connections that end up on different shards.
    for round in 0..20 {
        let key = format!("/kv/key:{round}");
        for (method, body, status, answer) in [
            ("GET", "", 404, "no such key"),
            ("PUT", "one", 201, ""),
            ("GET", "", 200, "one"),
            ("PUT", "", 204, ""),
            ("GET", "", 200, ""),
            ("POST", "1", 409, "the value is no whole number"),
            ("DELETE", "", 204, ""),
            ("DELETE", "", 404, "no such key"),
            ("POST", "5", 200, "5"),
            ("POST", " -12\n", 200, "-7"),
            ("POST", "9223372036854775807", 200, "9223372036854775800"),
            ("POST", "9223372036854775807", 409, "the value is no whole"),
            ("POST", "five", 400, "the body must be a whole number"),
        ] {
            check(addr, method, &key, body, status, answer);
        }
    }
    node.stop();
    node.join().expect("it ends well");
}

#[test]
fn what_is_wrong_is_refused() {
    let (node, addr) = start();
    check(addr, "GET", "/healthz", "", 200, "ok\n");
    check(addr, "GET", "/elsewhere", "", 404, "");
    check(addr, "PATCH", "/kv/a", "", 405, "");
    check(addr, "GET", "/kv/%ff", "", 400, "Invalid URL");
    let value = vec![b'x'; VALUE_BYTES_MAX];
    assert_eq!(ask(addr, "PUT", "/kv/large", &value).0, 201);
    assert_eq!(ask(addr, "GET", "/kv/large", b"").1.len(), VALUE_BYTES_MAX);
    let value = vec![b'x'; VALUE_BYTES_MAX + 1];
    assert_eq!(ask(addr, "PUT", "/kv/larger", &value).0, 413);
    assert_eq!(ask(addr, "GET", "/kv/larger", b"").0, 404);
    node.stop();
    node.join().expect("it ends well");
}

/// Everybody adds to the same keys: no addition is lost, and the shards' counts add up.
#[test]
fn additions_of_all_clients_add_up() {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 50;
    const KEYS: usize = 5;
    let (node, addr) = start();
    let client = || {
        for round in 0..ROUNDS {
            let key = format!("/kv/counter:{}", round % KEYS);
            assert_eq!(ask(addr, "POST", &key, b"1").0, 200);
        }
    };
    thread::scope(|scope| (0..CLIENTS).for_each(|_| drop(scope.spawn(client))));
    let each = (CLIENTS * ROUNDS / KEYS).to_string();
    for key in 0..KEYS {
        let key = format!("/kv/counter:{key}");
        assert_eq!(ask(addr, "GET", &key, b""), (200, each.clone()));
    }
    let (status, stats) = ask(addr, "GET", "/stats", b"");
    let asked = CLIENTS * ROUNDS + KEYS;
    let begins = format!(
        r#"{{"shards":3,"keys":{KEYS},"asked":{asked},"refused_full":0,"requests":{asked},"service_us":{{"p50":"#
    );
    assert!(
        status == 200 && stats.starts_with(&begins),
        "{status} {stats}"
    );
    node.stop();
    node.join().expect("it ends well");
}

#[test]
fn a_taken_port_is_said_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("an address");
    let error = node::start(&LaunchOptions::unpinned(2), addr).expect_err("it is taken");
    let error = error.to_string();
    assert!(
        error.contains(&format!("cannot listen on {addr}")),
        "{error}"
    );
}
