//! Idle connections: what they hold once they have been silent for a while. `cargo xtask measure idle` measures it
//! exactly; this notices when it grows out of hand, in an unoptimized build too.

use crate::conn::encode;
use crate::server::{Server, eventually};

/// Connections of each history.
const CONNECTIONS: usize = 600;

/// Memory by which the process may grow for each: no connection keeps a receive buffer or more. An optimized build is
/// held to 2 KiB by the measurement, with so many connections that pages of the allocator which are half full do not
/// count.
const CONNECTION_BYTES_MAX: u64 = 16 * 1024;

fn resident_bytes(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("the server runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a figure");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib * 1024
}

#[test]
fn silent_connections_hold_little() {
    let server = Server::start(&[("maxclients", "5000")]);
    let pipeline: Vec<u8> = (0..200)
        .flat_map(|n| encode(&format!("SET key:{n} value")))
        .collect();
    let open = |requests: &[u8], replies: usize| {
        let mut conn = server.connect();
        conn.write(requests);
        (0..replies).for_each(|_| assert!(!conn.reply().is_empty()));
        conn
    };
    let histories: [(&[u8], usize); 3] = [(b"", 0), (b"PING\r\n", 1), (&pipeline, 200)];
    // What all share is there before the first one is counted: each shard has 512 receive buffers, for one.
    drop((0..1_100).map(|_| open(&pipeline, 200)).collect::<Vec<_>>());
    let before = resident_bytes(&server);
    let mut conns = Vec::new();
    for (requests, replies) in histories {
        conns.extend((0..CONNECTIONS).map(|_| open(requests, replies)));
    }
    let bound = before + conns.len() as u64 * CONNECTION_BYTES_MAX;
    eventually("they have given back what they held", || {
        resident_bytes(&server) <= bound
    });
    // They go on where they were.
    for conn in conns.iter_mut().step_by(50) {
        assert_eq!(conn.call("GET key:7"), "$5\r\nvalue\r\n");
    }
}
