//! Replies that would be too long: they are stopped while they are built, their clients ended, and the memory is not
//! taken.

use crate::conn::Conn;
use crate::server::{Server, count, eventually, logged};

const MIB: usize = 1 << 20;

/// The most memory that the server ever had.
fn peak_bytes(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("the server runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kibibytes.expect("the system says so") * 1024
}

/// `MGET` of these keys, so many times each.
fn mget(keys: &str, times: usize) -> String {
    format!("MGET {}", format!("{keys} ").repeat(times))
}

/// 40 MiB of names.
fn fill_with_names(conn: &mut Conn) {
    let long = "n".repeat(1_000);
    for chunk in 0..40 {
        let pairs: Vec<String> = (0..1000).map(|n| format!("{long}:{chunk}:{n} v")).collect();
        assert_eq!(conn.call(&format!("MSET {}", pairs.join(" "))), "+OK\r\n");
    }
}

#[test]
fn a_reply_over_the_hard_limit_is_stopped_while_it_is_built() {
    let server = Server::start(&[("client-output-buffer-limit", "normal 4mb 0 0")]);
    let mut other = server.connect();
    let value = "v".repeat(MIB);
    for key in ["a", "b"] {
        assert_eq!(other.call(&format!("SET {key} {value}")), "+OK\r\n");
    }
    let five = "v".repeat(5 * MIB);
    assert_eq!(other.call(&format!("SET five {five}")), "+OK\r\n");
    fill_with_names(&mut other);
    let before = peak_bytes(&server);
    let commands = [
        // Gigabytes, of one key and of keys on several shards.
        mget("a", 3_000),
        mget("a b", 1_500),
        // One value, forty megabytes of names, and those of one shard.
        "GET five".to_owned(),
        "KEYS *".to_owned(),
        "SCAN 0 COUNT 1000000".to_owned(),
    ];
    let counter = "client_output_buffer_limit_disconnections";
    for (command, cut) in commands.iter().zip(1..) {
        let name = &command[..command.len().min(20)];
        let mut conn = server.connect();
        conn.send(command);
        assert!(conn.is_closed(), "{name}");
        eventually("the cut is counted", || count(&server, counter) == cut);
        assert_eq!(
            other.call("STRLEN a"),
            format!(":{MIB}\r\n"),
            "after {name}"
        );
    }
    let grown = peak_bytes(&server).saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes were taken");
    // What is short enough passes, also behind and before what is not.
    assert!(other.call("MGET a b a").len() > 3 * MIB);
    let mut conn = server.connect();
    conn.send("GET a");
    assert!(conn.reply().len() > MIB);
    conn.send(&mget("a", 3_000));
    conn.send("SET {a}late 1");
    assert!(conn.is_closed());
    assert_eq!(
        other.call("EXISTS {a}late"),
        ":0\r\n",
        "nothing runs behind it on that shard"
    );
    logged(
        server,
        &["closed: one reply would be over the hard limit of client-output-buffer-limit"],
    );
}

/// Two keys on two shards: the reply may be as long as the limit, to the byte.
#[test]
fn parts_of_a_reply_count_together_to_the_byte() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let value = "v".repeat(50_000);
    assert_eq!(conn.call(&format!("MSET a {value} b {value}")), "+OK\r\n");
    let bytes = conn.call("MGET a b").len();
    for (limit, passes) in [(bytes, true), (bytes - 1, false)] {
        let limit = format!("normal {limit} 0 0");
        let words = ["CONFIG", "SET", "client-output-buffer-limit", &limit];
        let mut set = Vec::new();
        corelane_wire::encode_command(&mut set, words.map(str::as_bytes));
        let mut other = server.connect();
        other.write(&set);
        assert_eq!(other.reply(), "+OK\r\n");
        let mut conn = server.connect();
        conn.send("MGET a b");
        match passes {
            true => assert_eq!(conn.reply().len(), bytes),
            false => assert!(conn.is_closed()),
        }
    }
    let counter = "client_output_buffer_limit_disconnections";
    eventually("the cut is counted", || count(&server, counter) == 1);
}

/// Without a hard limit a reply may take a part of `maxmemory`, and every value can be read.
#[test]
fn a_reply_without_a_limit_takes_a_part_of_the_memory() {
    let server = Server::start(&[("maxmemory", "64mb"), ("proto-max-bulk-len", "5mb")]);
    let mut other = server.connect();
    let value = "v".repeat(5 * MIB - 1000);
    assert_eq!(other.call(&format!("SET a {value}")), "+OK\r\n");
    assert!(other.call("GET a").len() > 5 * MIB - 1000);
    let before = peak_bytes(&server);
    let mut conn = server.connect();
    conn.send(&mget("a", 500));
    assert!(conn.is_closed());
    let grown = peak_bytes(&server).saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes were taken");
    let counter = "client_output_buffer_limit_disconnections";
    eventually("the cut is counted", || count(&server, counter) == 1);
    assert!(other.call("GET a").len() > 5 * MIB - 1000);
    logged(server, &["closed: one reply would be over"]);
}
