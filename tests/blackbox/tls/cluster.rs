//! Shards' own ports with TLS: cluster clients that speak it are sent to ports where it is spoken, others to the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};

use corelane_wire::{Value, slot_of};

use super::conn::TlsConn;
use super::pki::Pki;
use crate::conn::Conn;
use crate::server::{Server, eventually};
use crate::tools;

const BOTH: &[(&str, &str)] = &[("shard-ports", "auto"), ("tls-shard-ports", "auto")];

/// The shards' own ports by shard, of that name in `INFO`.
fn ports(info: &str, name: &str) -> Vec<u16> {
    let lines = info.lines().filter(|line| line.starts_with("shard"));
    let fields = lines.flat_map(|line| line.trim_end().split([',', ':']));
    let ports = fields.filter_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    ports.map(|port| port.parse().expect("a port")).collect()
}

fn at(server: &Server, port: u16) -> SocketAddr {
    SocketAddr::new(server.address.ip(), port)
}

/// Opens a shard's own port by TLS.
#[track_caller]
fn enter(pki: &Pki, server: &Server, port: u16) -> TlsConn {
    TlsConn::open(at(server, port), pki.config(Some("client"))).expect("let in")
}

#[track_caller]
fn items(value: &Value) -> &[Value] {
    value.as_elements().expect("an array")
}

/// `CLUSTER SLOTS` as slots → port.
#[track_caller]
fn owners(slots: &Value) -> BTreeMap<u16, u16> {
    let number = |value: &Value| value.as_int().expect("a number") as u16;
    let runs = items(slots).iter().map(|run| {
        let (run, node) = (items(run), items(&items(run)[2]));
        (number(&run[0])..=number(&run[1]), number(&node[1]))
    });
    runs.flat_map(|(run, port)| run.map(move |slot| (slot, port)))
        .collect()
}

fn told(slots: &Value) -> BTreeSet<u16> {
    owners(slots).into_values().collect()
}

#[test]
fn each_client_is_sent_to_ports_of_its_kind() {
    let pki = Pki::new();
    let server = pki.serve(BOTH);
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    let info = main.call("INFO shards");
    let (plain, tls) = (ports(&info, "port"), ports(&info, "tls_port"));
    assert_eq!(plain.len(), tls.len());
    assert!(!plain.is_empty(), "{info}");
    assert!(server.ready_line.contains(", shard ports "));
    assert!(server.ready_line.contains(", tls shard ports "));
    let mut by_plain = Conn::open(at(&server, plain[0]));
    let mut by_tls = enter(&pki, &server, tls[0]);
    let set = |ports: &[u16]| ports.iter().copied().collect::<BTreeSet<u16>>();
    assert_eq!(told(&main.value("CLUSTER SLOTS")), set(&tls));
    assert_eq!(told(&by_tls.value("CLUSTER SLOTS")), set(&tls));
    assert_eq!(told(&by_plain.value("CLUSTER SLOTS")), set(&plain));
    // `CLUSTER SHARDS` tells both to both, in the words of Redis.
    for shards in [
        by_tls.call("CLUSTER SHARDS"),
        by_plain.call("CLUSTER SHARDS"),
    ] {
        for (plain, tls) in plain.iter().zip(&tls) {
            let both = format!("$4\r\nport\r\n:{plain}\r\n$8\r\ntls-port\r\n:{tls}\r\n");
            assert!(shards.contains(&both), "{both}: {shards}");
        }
    }
    // Redirections go to the kind of port that they come from.
    let (tls_owners, plain_owners) = (
        owners(&by_tls.value("CLUSTER SLOTS")),
        owners(&by_plain.value("CLUSTER SLOTS")),
    );
    for n in 0..200 {
        let key = format!("key:{n}");
        let slot = slot_of(key.as_bytes());
        for (owner, here, reply) in [
            (
                tls_owners[&slot],
                tls[0],
                by_tls.call(&format!("SET {key} {n}")),
            ),
            (
                plain_owners[&slot],
                plain[0],
                by_plain.call(&format!("SET {key} {n}")),
            ),
        ] {
            let expected = match owner == here {
                true => "+OK\r\n".to_owned(),
                false => format!("-MOVED {slot} {}\r\n", at(&server, owner)),
            };
            assert_eq!(reply, expected);
        }
    }
}

#[test]
fn where_only_tls_is_spoken_everybody_is_told_so() {
    let pki = Pki::new();
    let files = ["server.pem", "server.key", "ca.pem"].map(|name| pki.text(name));
    let server = Server::start(&[
        ("tls-shard-ports", "auto"),
        ("tls-cert-file", &files[0]),
        ("tls-key-file", &files[1]),
        ("tls-ca-cert-file", &files[2]),
    ]);
    let mut main = server.connect();
    let tls = ports(&main.call("INFO shards"), "tls_port");
    assert!(ports(&main.call("INFO shards"), "port").is_empty());
    let slots = main.value("CLUSTER SLOTS");
    assert_eq!(told(&slots), tls.iter().copied().collect());
    let shards = main.call("CLUSTER SHARDS");
    assert!(!shards.contains("$4\r\nport\r\n"), "{shards}");
    assert!(shards.contains("$8\r\ntls-port\r\n"), "{shards}");
    for port in tls {
        assert_eq!(enter(&pki, &server, port).call("DBSIZE"), ":0\r\n");
        let mut plain = Conn::open(at(&server, port));
        plain.send("PING");
        assert!(plain.is_closed(), "a plain client is closed");
    }
    main.call("CONFIG SET cluster-announce-tls-port 7000 cluster-announce-port 9000");
    let announced = told(&main.value("CLUSTER SLOTS"));
    assert!(announced.iter().all(|port| (7000..7100).contains(port)));
}

#[test]
fn ports_for_tls_come_and_go_with_their_shards() {
    let pki = Pki::new();
    let server = pki.serve(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "1"),
        ("max-shards", "3"),
        ("tls-shard-ports", "auto"),
    ]);
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    // What changes while a shard sleeps holds for it too.
    pki.issue("server", &pki.root);
    let anew = format!(
        "CONFIG SET tls-cert-file {0}.pem tls-key-file {0}.key",
        pki.text("server")
    );
    assert_eq!(main.call(&anew), "+OK\r\n");
    let certificate = pki.connect(&server, Some("client")).expect("let in");
    assert_eq!(main.call("CONFIG SET shards 3"), "+OK\r\n");
    let three = ports(&main.call("INFO shards"), "tls_port");
    assert_eq!(three.len(), 3);
    let mut conns: Vec<TlsConn> = three
        .iter()
        .map(|port| enter(&pki, &server, *port))
        .collect();
    for conn in &conns {
        assert_eq!(conn.shown_certificate(), certificate.shown_certificate());
    }
    let owners = owners(&conns[0].value("CLUSTER SLOTS"));
    for n in 0..300 {
        let key = format!("key:{n}");
        let owner = owners[&slot_of(key.as_bytes())];
        let at = three.iter().position(|port| *port == owner).expect("known");
        assert_eq!(conns[at].call(&format!("SET {key} {n}")), "+OK\r\n");
    }
    assert_eq!(main.call("CONFIG SET shards 1"), "+OK\r\n");
    for gone in &three[1..] {
        eventually("nobody listens there", || {
            TcpStream::connect(at(&server, *gone)).is_err()
        });
    }
    assert_eq!(conns[0].call("DBSIZE"), ":300\r\n");
}

#[test]
fn redis_cli_follows_redirections() {
    let pki = Pki::new();
    let server = pki.serve(BOTH);
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    let tls = pki.tool_args();
    for port in ports(&main.call("INFO shards"), "tls_port") {
        let port = port.to_string();
        let speaks = |more: &[&str]| {
            let mut args: Vec<&str> = tls.iter().map(String::as_str).collect();
            args.extend_from_slice(more);
            tools::run("redis-cli", &args, b"")
        };
        for n in 0..10 {
            let (key, value) = (format!("{port}:{n}"), n.to_string());
            let Some(output) = speaks(&["-c", "-p", &port, "SET", &key, &value]) else {
                return;
            };
            assert_eq!(String::from_utf8_lossy(&output.stdout), "OK\n");
            assert_eq!(
                main.call(&format!("GET {key}")),
                format!("$1\r\n{value}\r\n")
            );
        }
        let checked = speaks(&["--cluster", "check", &format!("127.0.0.1:{port}")]);
        let output = checked.expect("it is there");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("All 16384 slots covered"),
            "{said}"
        );
    }
}

#[test]
fn redis_benchmark_reaches_every_core_without_a_hop() {
    let pki = Pki::new();
    // It takes one node for no cluster.
    let server = pki.serve(&[&[("cpu-allocation", "2")], BOTH].concat());
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    let port = ports(&main.call("INFO shards"), "tls_port")[0].to_string();
    let tls = pki.tool_args();
    let load = "--cluster -n 10000 -c 10 -r 5000 -P 4 --csv -t set,get -p";
    let mut args: Vec<&str> = load.split(' ').chain([&port[..]]).collect();
    args.extend(tls.iter().map(String::as_str));
    let Some(output) = tools::run("redis-benchmark", &args, b"") else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !said.contains("rror"),
        "{said}{errors}"
    );
    assert!(main.counter("total_commands_processed") >= 20_000, "{said}");
    assert_eq!(main.counter("total_error_replies"), 0);
    let info = main.call("INFO shards");
    assert!(info.contains("\nhops:0\r"), "{info}");
}

/// Python's `RedisCluster`, where `CORELANE_TEST_PYTHON` names an interpreter that has it.
#[test]
fn the_python_library_in_cluster_mode() {
    let Ok(interpreter) = std::env::var("CORELANE_TEST_PYTHON") else {
        tools::missing("Python's redis (CORELANE_TEST_PYTHON names an interpreter that has it)");
        return;
    };
    let pki = Pki::new();
    let server = pki.serve(BOTH);
    let mut main = pki.connect(&server, Some("client")).expect("let in");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/judges/python_redis_cluster.py"
    );
    let files = ["ca.pem", "client.pem", "client.key"].map(|name| pki.text(name));
    let port = ports(&main.call("INFO shards"), "tls_port")[0].to_string();
    let args = [script, &port, &files[0], &files[1], &files[2]];
    if let Some(output) = tools::run(&interpreter, &args, b"") {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
    let info = main.call("INFO shards");
    assert!(info.contains("\nhops:0\r"), "{info}");
}
