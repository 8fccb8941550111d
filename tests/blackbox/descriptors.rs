//! The system's limit of open files: what the server does before it is reached, and what it lives through where it is.

use std::net::TcpListener;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::conn::Conn;
use crate::server::{Server, eventually, logged};

/// One shard of two serves.
const ONE_OF_TWO: [(&str, &str); 4] = [
    ("cpu-allocation", "1"),
    ("overprovisioned", "yes"),
    ("shards", "1"),
    ("max-shards", "2"),
];

/// Sets how many files the server may have open, and gives back what it was.
fn limit(server: &Server, open_files: Rlimit) -> Rlimit {
    let pid = Pid::from_raw(server.pid() as i32);
    prlimit(pid, Resource::Nofile, open_files).expect("a limit for one's own child")
}

/// From here on it can open nothing; what the limit was before.
fn exhaust(server: &Server) -> Rlimit {
    let none = Rlimit {
        current: Some(1),
        // Could not be raised again if it were lowered.
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    limit(server, none)
}

fn serving(conn: &mut Conn) -> String {
    let info = conn.call("INFO");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("shards_serving:"));
    line.expect("a field").to_owned()
}

#[test]
fn a_resize_without_descriptors_is_refused_and_the_node_serves_on() {
    let server = Server::start(&ONE_OF_TWO);
    let mut conn = server.connect();
    assert_eq!(conn.call("SET kept yes"), "+OK\r\n");
    let before = exhaust(&server);
    for _ in 0..3 {
        let refused = conn.call("CONFIG SET shards 2");
        let named = [
            "-ERR ",
            "shard 1 did not start: cannot listen on 127.0.0.1:",
            "Too many open files",
        ];
        assert!(named.iter().all(|name| refused.contains(name)), "{refused}");
        assert_eq!(serving(&mut conn), "1");
        assert_eq!(conn.call("GET kept"), "$3\r\nyes\r\n");
    }
    limit(&server, before);
    let mut newcomer = server.connect();
    assert_eq!(newcomer.call("PING"), "+PONG\r\n");
    assert_eq!(conn.call("CONFIG SET shards 2"), "+OK\r\n");
    assert_eq!(serving(&mut conn), "2");
    assert_eq!(conn.call("GET kept"), "$3\r\nyes\r\n");
    assert_eq!(conn.call("CONFIG SET shards 1"), "+OK\r\n");
    assert_eq!(conn.call("CONFIG SET shards 2"), "+OK\r\n");
}

#[test]
fn maxclients_is_what_the_system_can_give() {
    const LIMIT: usize = 256;
    let server = Server::start_within(LIMIT as u32, &ONE_OF_TWO);
    let mut conn = server.connect();
    let get = conn.call("CONFIG GET maxclients");
    let most = get.trim_end().rsplit("\r\n").next();
    let most: usize = most.and_then(|number| number.parse().ok()).expect(&get);
    assert!((LIMIT / 2..LIMIT - 32).contains(&most), "{most}");
    let refused = conn.call("CONFIG SET maxclients 10000");
    let hint = format!("try with {most}\r\n");
    assert!(refused.ends_with(&hint), "{refused}");
    let mut others: Vec<Conn> = (1..most).map(|_| server.connect()).collect();
    for other in &mut others {
        assert_eq!(other.call("PING"), "+PONG\r\n");
    }
    let mut one_more = server.connect();
    assert_eq!(
        one_more.reply(),
        "-ERR max number of clients reached\r\n",
        "it hears why"
    );
    // With all clients that there can be, there is enough left for what a shard opens that comes.
    assert_eq!(conn.call("CONFIG SET shards 2"), "+OK\r\n");
    assert_eq!(serving(&mut conn), "2");
    eventually("all clients are served", || {
        others
            .iter_mut()
            .all(|other| other.call("PING") == "+PONG\r\n")
    });
    let lowered = format!("maxclients is lowered from 10000 to {most}");
    let allowed = format!("the system allows {LIMIT} open files");
    logged(server, &[&lowered, &allowed]);
}

#[test]
fn a_resize_whose_port_somebody_has_is_refused_and_the_node_serves_on() {
    let mut settings = ONE_OF_TWO.to_vec();
    settings.push(("shard-ports", "auto"));
    let server = Server::start(&settings);
    let mut conn = server.connect();
    assert_eq!(conn.call("SET kept yes"), "+OK\r\n");
    // Until a shard has begun, a connection of anybody may have its port for a moment.
    eventually("the shard has its port", || {
        conn.call("CONFIG SET shards 2") == "+OK\r\n"
    });
    let nodes = conn.call("CLUSTER NODES");
    let ports = nodes.lines().filter_map(|line| {
        let address = line.split(' ').nth(1)?;
        let port = address.split(['@', ',']).next()?.rsplit(':').next()?;
        port.parse::<u16>().ok()
    });
    let ports: Vec<u16> = ports.collect();
    assert_eq!(ports.len(), 2, "{nodes}");
    assert_eq!(conn.call("CONFIG SET shards 1"), "+OK\r\n");
    let mut taken = None;
    eventually("one of the two ports is free", || {
        let mut tried = ports
            .iter()
            .filter_map(|port| TcpListener::bind(("127.0.0.1", *port)).ok());
        taken = tried.next();
        taken.is_some()
    });
    let port = taken.as_ref().and_then(|taken| taken.local_addr().ok());
    let port = port.expect("its address").port();
    let wanted =
        format!("cannot listen on 127.0.0.1:{port}: shard-ports gives this port to shard 1");
    for _ in 0..3 {
        let refused = conn.call("CONFIG SET shards 2");
        assert!(
            refused.starts_with("-ERR ") && refused.contains(&wanted),
            "{refused}"
        );
        assert_eq!(serving(&mut conn), "1");
        assert_eq!(conn.call("GET kept"), "$3\r\nyes\r\n");
    }
    drop(taken);
    eventually("the shard has its port again", || {
        conn.call("CONFIG SET shards 2") == "+OK\r\n"
    });
    assert_eq!(conn.call("GET kept"), "$3\r\nyes\r\n");
}
