//! Shard-aware ports: clients of Redis Cluster on a shard's own port, beside the server's port, which goes on as before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use corelane_wire::{Value, slot_of};

use crate::conn::{Conn, encode};
use crate::server::{self, Server};
use crate::tools;

const AUTO: &[(&str, &str)] = &[("shard-ports", "auto")];

/// The first shard that has data, and so a port of its own: in the split layout others come before it.
fn first_shard() -> u16 {
    let given = std::env::var("CORELANE_TEST_IO_SHARDS");
    given.map_or(0, |number| number.parse().expect("a number of shards"))
}

/// The shards' own ports, by shard, as `INFO` on the server's port has them.
fn doors(server: &Server) -> Vec<SocketAddr> {
    let info = server.connect().call("INFO shards");
    let ports = info.lines().filter(|line| line.starts_with("shard"));
    let ports = ports.filter_map(|line| line.trim_end().split(",port=").nth(1));
    ports
        .map(|port| SocketAddr::new(server.address.ip(), port.parse().expect("a port")))
        .collect()
}

/// A counter of `INFO` over all shards.
fn counter(server: &Server, name: &str) -> u64 {
    let info = server.connect().call("INFO everything");
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.and_then(|rest| rest.trim_end().strip_prefix(':'));
    digits
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("no {name}: {info}"))
}

#[track_caller]
fn items(value: &Value) -> &[Value] {
    value.as_elements().expect("an array")
}

#[track_caller]
fn text(value: &Value) -> String {
    let bytes = value.as_bytes().expect("a string");
    String::from_utf8_lossy(bytes).into_owned()
}

fn texts(value: &Value) -> Vec<String> {
    items(value).iter().map(text).collect()
}

/// `CLUSTER SLOTS` as slots → port.
fn owners(conn: &mut Conn) -> BTreeMap<u16, u16> {
    let mut owners = BTreeMap::new();
    for run in items(&conn.value("CLUSTER SLOTS")) {
        let number = |value: &Value| value.as_int().expect("a number") as u16;
        let (run, node) = (items(run), items(&items(run)[2]));
        for slot in number(&run[0])..=number(&run[1]) {
            assert_eq!(owners.insert(slot, number(&node[1])), None, "slot {slot}");
        }
    }
    owners
}

#[test]
fn every_door_tells_the_same_cluster() {
    let server = Server::start(AUTO);
    let doors = doors(&server);
    let mut all = vec![server.connect()];
    all.extend(doors.iter().map(|door| Conn::open(*door)));
    let first = owners(&mut all[0]);
    assert_eq!(first.len(), 16_384);
    let ports: BTreeSet<u16> = first.values().copied().collect();
    assert_eq!(ports, doors.iter().map(SocketAddr::port).collect());
    for conn in &mut all {
        for hello in ["HELLO 2", "HELLO 3"] {
            conn.call(hello);
            assert_eq!(owners(conn), first, "{hello}");
        }
        conn.call("HELLO 2");
        let shards = conn.value("CLUSTER SHARDS");
        assert_eq!(items(&shards).len(), doors.len());
        let info = conn.call("CLUSTER INFO");
        assert!(info.contains("cluster_state:ok\r\n"), "{info}");
        assert!(
            info.contains(&format!("cluster_known_nodes:{}\r\n", doors.len())),
            "{info}"
        );
        assert_eq!(conn.call("CLUSTER LINKS"), "*0\r\n");
        assert_eq!(conn.call("CLUSTER KEYSLOT {foo}bar"), ":12182\r\n");
    }
    let mut ids = BTreeSet::new();
    for door in &doors {
        let mut conn = Conn::open(*door);
        let id = text(&conn.value("CLUSTER MYID"));
        assert_eq!(id.len(), 40);
        let nodes = text(&conn.value("CLUSTER NODES"));
        let mine = format!("{id} {door}@0 myself,master - 0 0 ");
        let lines = nodes.lines().filter(|line| line.contains("myself"));
        assert!(lines.clone().all(|line| line.starts_with(&mine)), "{nodes}");
        assert_eq!(lines.count(), 1, "{nodes}");
        assert_eq!(conn.call(&format!("CLUSTER REPLICAS {id}")), "*0\r\n");
        assert_eq!(conn.call("CLUSTER REPLICAS me"), "-ERR Unknown node me\r\n");
        ids.insert(id);
    }
    assert_eq!(ids.len(), doors.len());
}

#[test]
fn a_wrong_key_is_moved_to_the_shard_that_has_it() {
    let server = Server::start(AUTO);
    let doors = doors(&server);
    let mut conns: Vec<Conn> = doors.iter().map(|door| Conn::open(*door)).collect();
    let owners = owners(&mut conns[0]);
    for n in 0..500 {
        let key = format!("key:{n}");
        let slot = slot_of(key.as_bytes());
        let owner = SocketAddr::new(server.address.ip(), owners[&slot]);
        for (conn, door) in conns.iter_mut().zip(&doors) {
            let expected = match *door == owner {
                true => "+OK\r\n".to_owned(),
                false => format!("-MOVED {slot} {owner}\r\n"),
            };
            assert_eq!(conn.call(&format!("SET {key} {n}")), expected, "on {door}");
        }
    }
    assert_eq!(counter(&server, "hops"), 0);
    let moved = 500 * (doors.len() as u64 - 1);
    if moved > 0 {
        let info = server.connect().call("INFO errorstats");
        assert!(
            info.contains(&format!("errorstat_MOVED:count={moved}\r\n")),
            "{info}"
        );
    }
    // All of them are there for the server's port.
    let mut main = server.connect();
    assert!((0..500).all(|n| {
        main.call(&format!("GET key:{n}"))
            .ends_with(&format!("{n}\r\n"))
    }));
}

#[test]
fn replies_stay_in_order_in_a_pipeline() {
    let server = Server::start(AUTO);
    for door in doors(&server) {
        let mut conn = Conn::open(door);
        let owners = owners(&mut conn);
        let mut bytes = Vec::new();
        for n in 0..2000 {
            bytes.extend(crate::conn::encode(&format!("SET k{n} {n}")));
            bytes.extend(crate::conn::encode(&format!("GET k{n}")));
        }
        conn.write(&bytes);
        for n in 0..2000 {
            let slot = slot_of(format!("k{n}").as_bytes());
            let (set, get) = (conn.reply(), conn.reply());
            if owners[&slot] == door.port() {
                assert_eq!(
                    (set.as_str(), get.as_str()),
                    (
                        "+OK\r\n",
                        format!("${}\r\n{n}\r\n", n.to_string().len()).as_str()
                    )
                );
            } else {
                assert!(set.starts_with(&format!("-MOVED {slot} ")), "{set}");
                assert_eq!(set, get);
            }
        }
    }
}

/// Rows of a command and its reply on the port of the shard that has `b`, `{b}1`, ….
#[test]
fn a_shards_port_answers_as_a_cluster_node() {
    let server = Server::start(AUTO);
    let owner = owners(&mut server.connect())[&slot_of(b"b")];
    let mut conn = Conn::open(SocketAddr::new(server.address.ip(), owner));
    let rows = [
        ("MSET {b}1 1 {b}2 2", "+OK\r\n"),
        ("MGET {b}1 {b}2", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
        ("RENAME {b}1 {b}3", "+OK\r\n"),
        ("COPY {b}3 {b}4 DB 0", ":1\r\n"),
        ("LCS {b}3 {b}4", "$1\r\n1\r\n"),
        ("DEL {b}2 {b}3 {b}4", ":3\r\n"),
        (
            "MGET a b",
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        ),
        (
            "MSET b 1 c 2",
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        ),
        (
            "RENAME b c",
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        ),
        (
            "LCS b c",
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        ),
        ("SELECT 0", "+OK\r\n"),
        ("SELECT 1", "-ERR SELECT is not allowed in cluster mode\r\n"),
        (
            "SELECT x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SWAPDB 0 1",
            "-ERR SWAPDB is not allowed in cluster mode\r\n",
        ),
        ("MOVE b 1", "-ERR MOVE is not allowed in cluster mode\r\n"),
        (
            "COPY {b}1 {b}2 DB 1",
            "-ERR Copying to another database is not allowed in cluster mode\r\n",
        ),
        ("READONLY", "+OK\r\n"),
        ("READWRITE", "+OK\r\n"),
        ("ASKING", "+OK\r\n"),
        ("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot\r\n"),
        (
            "CLUSTER COUNTKEYSINSLOT x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "CLUSTER GETKEYSINSLOT 1 -1",
            "-ERR Invalid slot or number of keys\r\n",
        ),
        (
            "CLUSTER GETKEYSINSLOT 16384 1",
            "-ERR Invalid slot or number of keys\r\n",
        ),
        ("SCAN 0 FOO", "-ERR syntax error\r\n"),
        ("SCAN x", "-ERR invalid cursor\r\n"),
        ("KEYS *", "*0\r\n"),
    ];
    for (line, expected) in rows {
        assert_eq!(conn.call(line), expected, "{line}");
    }
    for line in [
        "CLUSTER MEET 127.0.0.1 1",
        "CLUSTER RESET",
        "CLUSTER ADDSLOTS 1",
        "CLUSTER SETSLOT 1 STABLE",
    ] {
        assert!(conn.call(line).contains(" is not possible: "), "{line}");
    }
    assert!(
        conn.call("CLIENT MIGRATE 0")
            .starts_with("-ERR this connection came by its shard's own port")
    );
    let info = conn.call("INFO");
    for line in [
        "redis_mode:cluster",
        "cluster_enabled:1",
        &format!("tcp_port:{owner}"),
    ] {
        assert!(
            info.lines().any(|told| told == line),
            "{line} is not in {info}"
        );
    }
    assert!(
        conn.call("HELLO")
            .contains("$4\r\nmode\r\n$7\r\ncluster\r\n")
    );
}

#[test]
fn the_servers_port_goes_on_as_before() {
    let server = Server::start(AUTO);
    let mut conn = server.connect();
    let rows = [
        ("MSET a 1 b 2 c 3 d 4", "+OK\r\n"),
        (
            "MGET a b c d",
            "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n",
        ),
        ("RENAME a e", "+OK\r\n"),
        ("DBSIZE", ":4\r\n"),
        ("SWAPDB 0 1", "+OK\r\n"),
        ("SELECT 1", "+OK\r\n"),
        ("DBSIZE", ":4\r\n"),
        ("MOVE b 0", ":1\r\n"),
        ("CLUSTER COUNTKEYSINSLOT 3300", ":0\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("CLUSTER COUNTKEYSINSLOT 3300", ":1\r\n"),
        ("CLUSTER GETKEYSINSLOT 3300 10", "*1\r\n$1\r\nb\r\n"),
        ("CLUSTER GETKEYSINSLOT 3300 0", "*0\r\n"),
        ("READONLY", "+OK\r\n"),
    ];
    for (line, expected) in rows {
        assert_eq!(conn.call(line), expected, "{line}");
    }
    let info = conn.call("INFO");
    for line in ["redis_mode:standalone", "cluster_enabled:0"] {
        assert!(
            info.lines().any(|told| told == line),
            "{line} is not in {info}"
        );
    }
}

#[test]
fn without_shard_ports_there_is_no_cluster() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for line in [
        "CLUSTER SLOTS",
        "CLUSTER SHARDS",
        "CLUSTER NODES",
        "CLUSTER INFO",
        "CLUSTER MYID",
        "CLUSTER KEYSLOT a",
        "CLUSTER COUNTKEYSINSLOT x",
        "CLUSTER GETKEYSINSLOT 1 1",
        "CLUSTER HELP",
        "CLUSTER MEET a 1",
        "READONLY",
        "READWRITE",
        "ASKING",
    ] {
        assert_eq!(
            conn.call(line),
            "-ERR This instance has cluster support disabled\r\n",
            "{line}"
        );
    }
    assert_eq!(
        conn.call("CLUSTER FOO"),
        "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP.\r\n"
    );
    assert!(!server.ready_line.contains("shard ports"));
}

/// All keys that a walk finds, and how often it asked.
fn scanned(conn: &mut Conn, count: usize) -> (Vec<String>, usize) {
    let (mut keys, mut cursor, mut calls) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let reply = conn.value(&format!("SCAN {cursor} COUNT {count}"));
        let parts = items(&reply);
        cursor = text(&parts[0]);
        keys.extend(texts(&parts[1]));
        calls += 1;
        assert!(calls < 100_000, "the walk does not end");
        if cursor == "0" {
            return (keys, calls);
        }
    }
}

#[test]
fn the_shards_ports_add_up_to_the_server() {
    let server = Server::start(AUTO);
    let doors = doors(&server);
    let mut main = server.connect();
    for n in 0..3000 {
        main.call(&format!("SET key:{n} {n}"));
    }
    for count in [3, 10, 100_000] {
        let (mut sum, mut names, mut walked) = (0, Vec::new(), Vec::new());
        for door in &doors {
            let mut conn = Conn::open(*door);
            sum += conn.value("DBSIZE").as_int().expect("a number");
            names.extend(texts(&conn.value("KEYS *")));
            walked.extend(scanned(&mut conn, count).0);
        }
        let mut all = texts(&main.value("KEYS *"));
        all.sort();
        names.sort();
        walked.sort();
        walked.dedup();
        assert_eq!(sum, 3000);
        assert_eq!(names, all);
        assert_eq!(walked, all);
    }
    // What is random comes from the shard itself, and flushing it leaves the others.
    let mut conn = Conn::open(doors[0]);
    let mine: BTreeSet<String> = texts(&conn.value("KEYS *")).into_iter().collect();
    assert!((0..50).all(|_| mine.contains(&text(&conn.value("RANDOMKEY")))));
    let keyspace = conn.call("INFO keyspace");
    assert!(
        keyspace.contains(&format!("db0:keys={},", mine.len())),
        "{keyspace}"
    );
    assert_eq!(conn.call("FLUSHALL"), "+OK\r\n");
    assert_eq!(conn.call("DBSIZE"), ":0\r\n");
    assert_eq!(
        main.value("DBSIZE").as_int(),
        Some(3000 - mine.len() as i64)
    );
}

#[test]
fn keys_of_a_slot_are_found_on_their_shard() {
    let server = Server::start(AUTO);
    let mut main = server.connect();
    for n in 0..1200 {
        main.call(&format!("SET {{b}}:{n} {n}"));
    }
    let owner = owners(&mut main)[&3300];
    for door in doors(&server) {
        let mut conn = Conn::open(door);
        let here = door.port() == owner;
        let expected = if here { ":1200\r\n" } else { ":0\r\n" };
        assert_eq!(conn.call("CLUSTER COUNTKEYSINSLOT 3300"), expected);
        let mut keys = texts(&conn.value("CLUSTER GETKEYSINSLOT 3300 5000"));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), if here { 1200 } else { 0 });
        let some = texts(&conn.value("CLUSTER GETKEYSINSLOT 3300 700"));
        assert_eq!(some.len(), if here { 700 } else { 0 });
    }
}

#[test]
fn a_client_stays_on_the_shard_of_its_port() {
    let server = Server::start(AUTO);
    let doors = doors(&server);
    let mut pinned = Conn::open(doors[0]);
    let id = pinned.value("CLIENT ID").as_int().expect("a number");
    let home = first_shard();
    // In the split layout connections go to the first shards, in the other to any.
    let other = if home > 0 { 0 } else { doors.len() - 1 };
    let sent = server
        .connect()
        .call(&format!("CLIENT MIGRATE {other} ID {id}"));
    assert_eq!(sent, ":0\r\n");
    let line = text(&pinned.value("CLIENT INFO"));
    assert!(line.contains(&format!(" shard={home} moves=0")), "{line}");
}

#[test]
fn what_is_announced_can_be_set() {
    let server = Server::start(AUTO);
    let doors = doors(&server);
    let mut main = server.connect();
    assert_eq!(main.call("CONFIG SET cluster-announce-ip 192.0.2.7 cluster-announce-port 7000 cluster-announce-hostname a.b"), "+OK\r\n");
    let mut conn = Conn::open(doors[0]);
    let nodes = text(&conn.value("CLUSTER NODES"));
    for (shard, line) in (first_shard()..).zip(nodes.lines()) {
        let address = format!(" 192.0.2.7:{}@0,a.b ", 7000 + shard);
        assert!(line.contains(&address), "{line}");
    }
    assert_eq!(
        main.call("CONFIG SET cluster-preferred-endpoint-type hostname"),
        "+OK\r\n"
    );
    let key = (0..100).map(|n| format!("k{n}")).find(|key| {
        let reply = conn.call(&format!("GET {key}"));
        reply.starts_with("-MOVED") && reply.contains(" a.b:700")
    });
    assert_eq!(key.is_some(), doors.len() > 1);
    assert!(
        main.call("CONFIG SET cluster-announce-hostname two,words")
            .starts_with("-ERR")
    );
}

#[test]
fn a_client_is_told_the_address_it_came_by() {
    let server = Server::start(&[
        ("shard-ports", "auto"),
        ("bind", "0.0.0.0"),
        ("protected-mode", "no"),
    ]);
    for ip in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let address = SocketAddr::new(IpAddr::from(ip), server.address.port());
        let nodes = text(&Conn::open(address).value("CLUSTER NODES"));
        let host = format!(" {}:", IpAddr::from(ip));
        assert!(nodes.lines().all(|line| line.contains(&host)), "{nodes}");
    }
}

#[test]
fn a_port_in_use_is_named_before_anything_starts() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its address").port();
    let dir = tempfile::tempdir().expect("a directory");
    let mut command: Command = server::command(dir.path());
    let base = port - first_shard();
    command.args(["serve", "--shard-ports", &base.to_string()]);
    let output = command.output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let wanted = format!(
        "cannot listen on 127.0.0.1:{port}: shard-ports gives this port to shard {}: it is in use",
        first_shard()
    );
    assert!(said.contains(&wanted), "{said}");
}

#[test]
fn the_ready_line_names_the_ports() {
    let server = Server::start(AUTO);
    let shown = server
        .ready_line
        .split(", shard ports ")
        .nth(1)
        .expect("the ports");
    let mut ports = Vec::new();
    for run in shown.split(' ') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let number = |text: &str| text.parse::<u16>().expect("a port");
        ports.extend(number(first)..=number(last));
    }
    let doors: Vec<u16> = doors(&server).iter().map(SocketAddr::port).collect();
    assert_eq!(ports, doors);
}

#[test]
fn redis_cli_follows_redirections() {
    let server = Server::start(AUTO);
    for door in doors(&server) {
        let port = door.port().to_string();
        for n in 0..20 {
            let (key, value) = (format!("{port}:{n}"), n.to_string());
            let Some(output) =
                tools::run("redis-cli", &["-c", "-p", &port, "SET", &key, &value], b"")
            else {
                return;
            };
            assert_eq!(String::from_utf8_lossy(&output.stdout), "OK\n");
            assert_eq!(text(&server.connect().value(&format!("GET {key}"))), value);
        }
        let Some(output) = tools::run("redis-cli", &["--cluster", "check", &door.to_string()], b"")
        else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("All 16384 slots covered"),
            "{said}"
        );
    }
}

#[test]
fn redis_benchmark_reaches_every_core_without_a_hop() {
    // It takes one node for no cluster.
    let server = Server::start(&[("shard-ports", "auto"), ("cpu-allocation", "2")]);
    let port = doors(&server)[0].port().to_string();
    let args = [
        "--cluster",
        "-p",
        &port,
        "-n",
        "20000",
        "-c",
        "10",
        "-r",
        "5000",
        "-P",
        "4",
        "--csv",
        "-t",
        "set,get,incr",
    ];
    if let Some(output) = tools::run("redis-benchmark", &args, b"") {
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !said.contains("rror"),
            "{said}{errors}"
        );
        assert!(
            counter(&server, "total_commands_processed") >= 60_000,
            "{said}"
        );
        assert_eq!(counter(&server, "hops"), 0);
        assert_eq!(counter(&server, "total_error_replies"), 0);
    }
}

/// A server that begins with one shard, and has room for three.
fn one_of_three() -> Server {
    Server::start(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "1"),
        ("max-shards", "3"),
        ("shard-ports", "auto"),
    ])
}

fn epoch(conn: &mut Conn) -> u64 {
    let info = text(&conn.value("CLUSTER INFO"));
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cluster_current_epoch:"));
    line.and_then(|epoch| epoch.parse().ok()).expect("an epoch")
}

#[test]
fn ports_come_and_go_with_their_shards() {
    let server = one_of_three();
    let mut main = server.connect();
    let first = doors(&server)[0];
    let mut pinned = Conn::open(first);
    for n in 0..500 {
        assert_eq!(pinned.call(&format!("SET key:{n} v{n}")), "+OK\r\n");
    }
    let before = epoch(&mut main);
    assert_eq!(main.call("CONFIG SET shards 3"), "+OK\r\n");
    let three = doors(&server);
    assert_eq!(three.len(), 3);
    assert!(epoch(&mut main) > before);
    let mut conns: BTreeMap<u16, Conn> = three
        .iter()
        .map(|door| (door.port(), Conn::open(*door)))
        .collect();
    let owners = owners(&mut pinned);
    assert!(owners.values().all(|port| conns.contains_key(port)));
    for n in 0..500 {
        let (get, slot) = (
            format!("GET key:{n}"),
            slot_of(format!("key:{n}").as_bytes()),
        );
        let owner = owners[&slot];
        let moved = format!("-MOVED {slot} {}:{owner}\r\n", first.ip());
        let value = format!("$_\r\nv{n}\r\n").replace('_', &format!("v{n}").len().to_string());
        let expected = if owner == first.port() {
            &value
        } else {
            &moved
        };
        assert_eq!(pinned.call(&get), *expected, "{get}");
        let conn = conns.get_mut(&owner).expect("a connection to each");
        assert_eq!(conn.call(&get), value, "{get} on {owner}");
    }
    assert_eq!(main.call("CONFIG SET shards 1"), "+OK\r\n");
    for leaving in &three[1..] {
        assert!(
            std::net::TcpStream::connect(leaving).is_err(),
            "{leaving} still listens"
        );
    }
    for n in 0..500 {
        assert!(
            pinned
                .call(&format!("GET key:{n}"))
                .ends_with(&format!("\r\nv{n}\r\n"))
        );
    }
    assert_eq!(main.call("DBSIZE"), ":500\r\n");
}

/// Commands whose keys lie in one slot, and which a shard's own port runs as a whole, on partitions that leave.
#[test]
fn commands_with_several_keys_meet_moves() {
    let server = one_of_three();
    let first = doors(&server)[0];
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..4 {
            let done = &done;
            scope.spawn(move || {
                let mut conn = Conn::open(first);
                let mut round = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let tags: Vec<String> = (0..32)
                        .map(|n| format!("{{{client}:{round}:{n}}}"))
                        .collect();
                    let lines = tags.iter().flat_map(|tag| {
                        let set = format!("MSETNX {tag}a 1 {tag}b 2");
                        [
                            set,
                            format!("RENAME {tag}a {tag}c"),
                            format!("COPY {tag}b {tag}d"),
                        ]
                    });
                    let lines: Vec<String> = lines.collect();
                    let all: Vec<u8> = lines.iter().flat_map(|line| encode(line)).collect();
                    conn.write(&all);
                    for commands in lines.chunks(3) {
                        // What was set is there. Between two of them the slot may leave, or come back without.
                        let mut whole = true;
                        for (command, reply) in commands.iter().zip([":1", "+OK", ":1"]) {
                            let got = conn.reply();
                            whole &= !got.starts_with("-MOVED ");
                            assert!(!whole || got.trim_end() == reply, "{command}: {got}");
                        }
                    }
                    round += 1;
                }
            });
        }
        let mut main = server.connect();
        for shards in [2, 3, 1, 3, 2, 1] {
            assert_eq!(main.call(&format!("CONFIG SET shards {shards}")), "+OK\r\n");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

fn keys(conn: &mut Conn) -> Vec<String> {
    match conn.value("KEYS *") {
        Value::Array(keys) => keys.iter().map(text).collect(),
        other => panic!("no list of keys: {other:?}"),
    }
}

/// A client that is not told is not cut off: what it has is a node without slots, until the shard is back.
#[test]
fn a_connection_outlives_the_shard_of_its_port() {
    outlives(&one_of_three(), 0);
    let split = Server::start(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("io-shards", "1"),
        ("shards", "2"),
        ("max-shards", "4"),
        ("shard-ports", "auto"),
    ]);
    outlives(&split, 1);
}

fn outlives(server: &Server, io_shards: usize) {
    let mut main = server.connect();
    let first = doors(server)[0];
    let (one, three) = (
        format!("CONFIG SET shards {}", io_shards + 1),
        format!("CONFIG SET shards {}", io_shards + 3),
    );
    assert_eq!(main.call(&three), "+OK\r\n");
    let last = doors(server)[2];
    for n in 0..500 {
        assert_eq!(main.call(&format!("SET key:{n} v{n}")), "+OK\r\n");
    }
    let mut conn = Conn::open(last);
    let begun = conn.call("SCAN 0 COUNT 20");
    let cursor = begun.lines().nth(2).expect("a cursor").to_owned();
    assert_ne!(cursor, "0");
    let (id, own) = (conn.call("CLUSTER MYID"), keys(&mut conn));
    let number = conn.call("CLIENT ID");
    let key = &own[0];
    let slot = slot_of(key.as_bytes());
    let get = format!("GET {key}");
    let here = conn.call(&get);
    assert!(here.starts_with('$'), "{here}");

    assert_eq!(main.call(&one), "+OK\r\n");
    let moved = |address: SocketAddr| format!("-MOVED {slot} {address}\r\n");
    assert_eq!(conn.call(&get), moved(first));
    assert_eq!(conn.call(&format!("RENAME {key} {key}")), moved(first));
    for (line, reply) in [
        ("DBSIZE", ":0\r\n"),
        ("KEYS *", "*0\r\n"),
        ("RANDOMKEY", "$-1\r\n"),
        ("SCAN 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
        (&format!("SCAN {cursor}"), "*2\r\n$1\r\n0\r\n*0\r\n"),
        ("FLUSHALL", "+OK\r\n"),
        ("READONLY", "+OK\r\n"),
        ("CLUSTER MYID", id.as_str()),
        ("CLIENT ID", number.as_str()),
        ("SELECT 1", "-ERR SELECT is not allowed in cluster mode\r\n"),
    ] {
        assert_eq!(conn.call(line), reply, "{line}");
    }
    assert_eq!(
        conn.call(&format!("CLUSTER COUNTKEYSINSLOT {slot}")),
        ":0\r\n"
    );
    assert!(text(&conn.value("INFO server")).contains(&format!("tcp_port:{}\r\n", last.port())));
    let nodes = text(&conn.value("CLUSTER NODES"));
    assert_eq!(nodes.lines().count(), 2, "{nodes}");
    assert!(
        nodes.contains(&format!(":{}@0 myself,master - 0 0", last.port())),
        "{nodes}"
    );
    assert_eq!(main.call("DBSIZE"), ":500\r\n");
    assert_eq!(text(&main.value("CLUSTER NODES")).lines().count(), 1);

    // Back again: what is its business runs there, and it goes there itself.
    assert_eq!(main.call(&three), "+OK\r\n");
    let mine = keys(&mut conn);
    assert!(!mine.is_empty());
    assert_eq!(conn.call("DBSIZE"), format!(":{}\r\n", mine.len()));
    for key in &mine {
        assert!(conn.call(&format!("GET {key}")).starts_with('$'));
    }
    let list = text(&main.value("CLIENT LIST"));
    let own = format!("laddr={last} ");
    let line = list.lines().find(|line| line.contains(&own));
    let shard = format!(" shard={} ", io_shards + 2);
    assert!(line.is_some_and(|line| line.contains(&shard)), "{list}");
}

#[test]
fn a_cluster_client_goes_on_while_shards_come_and_go() {
    use redis::Commands;
    let server = one_of_three();
    let first = doors(&server)[0];
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| -> redis::RedisResult<u64> {
            let client = redis::cluster::ClusterClient::new(vec![format!("redis://{first}/")])?;
            let mut conn = client.get_connection()?;
            let mut rounds = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for n in 0..100 {
                    let () = conn.set(format!("key:{n}"), rounds)?;
                    assert_eq!(conn.get::<_, u64>(format!("key:{n}"))?, rounds);
                }
                rounds += 1;
            }
            Ok(rounds)
        });
        let mut main = server.connect();
        for shards in [3, 2, 3, 1, 2, 1] {
            assert_eq!(main.call(&format!("CONFIG SET shards {shards}")), "+OK\r\n");
            let before = counter(&server, "total_commands_processed");
            server::eventually("the client goes on", || {
                client.is_finished() || counter(&server, "total_commands_processed") > before + 500
            });
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let rounds = client
            .join()
            .expect("every reply is right")
            .expect("no error");
        assert!(rounds > 0);
    });
    assert_eq!(counter(&server, "hops"), 0);
}

/// The cluster mode of the `redis` crate, pointed at a shard's port and at the server's.
#[test]
fn the_rust_library_in_cluster_mode() -> redis::RedisResult<()> {
    use redis::Commands;
    let server = Server::start(AUTO);
    let mut addresses = doors(&server);
    addresses.push(server.address);
    for address in addresses {
        for protocol in ["resp2", "resp3"] {
            let url = format!("redis://{address}/?protocol={protocol}");
            let mut conn = redis::cluster::ClusterClient::new(vec![url])?.get_connection()?;
            for n in 0..300 {
                let () = conn.set(format!("key:{n}"), n)?;
            }
            for n in 0..300 {
                assert_eq!(conn.get::<_, usize>(format!("key:{n}"))?, n);
            }
            assert_eq!(conn.incr::<_, _, usize>("{c}ount", 2)?, 2);
            assert_eq!(conn.del::<_, usize>(&["{c}ount", "{c}other"])?, 1);
            let mut pipeline = redis::cluster::cluster_pipe();
            for n in 0..300 {
                pipeline.get(format!("key:{n}"));
            }
            let got: Vec<usize> = pipeline.query(&mut conn)?;
            assert_eq!(got, (0..300).collect::<Vec<_>>(), "{address} {protocol}");
        }
    }
    assert_eq!(counter(&server, "hops"), 0);
    Ok(())
}

/// Python's `RedisCluster`, where `CORELANE_TEST_PYTHON` names an interpreter that has it.
#[test]
fn the_python_library_in_cluster_mode() {
    let Ok(interpreter) = std::env::var("CORELANE_TEST_PYTHON") else {
        tools::missing("Python's redis (CORELANE_TEST_PYTHON names an interpreter that has it)");
        return;
    };
    let server = Server::start(AUTO);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/judges/python_redis_cluster.py"
    );
    for door in doors(&server) {
        if let Some(output) = tools::run(&interpreter, &[script, &door.port().to_string()], b"") {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        }
    }
    assert_eq!(counter(&server, "hops"), 0);
}
