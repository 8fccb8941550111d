//! Settings of a running server, and what `COMMAND` and `INFO` say.

use crate::server::Server;

#[test]
fn a_change_is_seen_on_every_connection() {
    let server = Server::start(&[]);
    let mut conns: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for (round, value) in ["100", "200", "300"].into_iter().enumerate() {
        assert_eq!(
            conns[round].call(&format!("CONFIG SET timeout {value}")),
            "+OK\r\n"
        );
        let row = format!("*2\r\n$7\r\ntimeout\r\n$3\r\n{value}\r\n");
        for conn in &mut conns {
            assert_eq!(conn.call("CONFIG GET timeout"), row);
        }
    }
}

#[test]
fn several_settings_change_together_or_not_at_all() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    assert_eq!(conn.call("CONFIG SET timeout 50 maxclients 900"), "+OK\r\n");
    let refused = conn.call("CONFIG SET timeout 60 maxclients lots");
    assert!(
        refused.starts_with("-ERR CONFIG SET failed (possibly related to argument 'maxclients')"),
        "{refused}"
    );
    assert_eq!(
        conn.call("CONFIG GET timeout"),
        "*2\r\n$7\r\ntimeout\r\n$2\r\n50\r\n"
    );
    assert!(
        conn.call("CONFIG SET no-such-thing 1")
            .starts_with("-ERR Unknown option")
    );
    assert!(
        conn.call("CONFIG SET port 7")
            .contains("can't set immutable config")
    );
    assert_eq!(
        conn.call("CONFIG SET timeout 1 maxclients"),
        "-ERR syntax error\r\n"
    );
}

#[test]
fn the_memory_limit_refuses_writes_and_lets_reads_through() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    assert_eq!(conn.call("CONFIG SET maxmemory 1mb"), "+OK\r\n");
    let value = "x".repeat(10_000);
    let mut refused = None;
    // Shards hear of each other's use a moment later, so many of them take more than the limit at first.
    for n in 0..4000 {
        let reply = conn.call(&format!("SET key:{n} {value}"));
        if reply != "+OK\r\n" {
            refused = Some((n, reply));
            break;
        }
    }
    let (n, reply) = refused.expect("40 MB do not fit 1 MB");
    assert_eq!(
        reply,
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    );
    assert!(n > 40, "refused after {n} keys of 10 kB");
    assert!(conn.call("GET key:1").starts_with("$10000\r\n"));
    assert_eq!(conn.call("FLUSHALL"), "+OK\r\n");
    assert_eq!(conn.call("CONFIG SET maxmemory 0"), "+OK\r\n");
    assert_eq!(conn.call("SET key x"), "+OK\r\n");
}

#[test]
fn info_adds_the_shards_up() {
    let server = Server::start(&[]);
    let mut conns: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for (n, conn) in conns.iter_mut().enumerate() {
        for key in 0..10 {
            assert_eq!(conn.call(&format!("SET k{n}:{key} v")), "+OK\r\n");
            assert_eq!(conn.call(&format!("GET k{n}:{key}")), "$1\r\nv\r\n");
        }
    }
    let info = conns[0].call("INFO everything");
    assert!(info.contains("cmdstat_set:calls=100,"), "{info}");
    assert!(info.contains("cmdstat_get:calls=100,"), "{info}");
    assert!(info.contains("db0:keys=100,expires=0"), "{info}");
    assert!(info.contains("keyspace_hits:100\r\n"), "{info}");
    assert!(info.contains("total_connections_received:10\r\n"), "{info}");
    let figure = |name: &str| -> u64 {
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect("a figure");
        line.parse().expect("a number")
    };
    let shards = figure("shards:");
    if shards > 1 {
        assert!(figure("hops:") > 0 && figure("mesh_calls:") > 0, "{info}");
        // INFO's own calls to the other shards may be counted as sent and not yet as handled.
        let under_way = figure("mesh_calls:").checked_sub(figure("mesh_handled:"));
        assert!(under_way.is_some_and(|calls| calls < shards), "{info}");
    }
    assert_eq!(conns[0].call("GET nothing"), "$-1\r\n");
    assert!(
        conns[1]
            .call("INFO stats")
            .contains("keyspace_misses:1\r\n")
    );
    assert_eq!(conns[0].call("CONFIG RESETSTAT"), "+OK\r\n");
    assert!(conns[1].call("INFO stats").contains("keyspace_hits:0\r\n"));
}

#[test]
fn commands_describe_themselves() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    let count: usize = conn
        .call("COMMAND COUNT")
        .trim_start_matches(':')
        .trim_end()
        .parse()
        .expect("a number");
    assert!(count > 60, "{count} commands");
    assert!(
        conn.call("COMMAND INFO get")
            .starts_with("*1\r\n*10\r\n$3\r\nget\r\n:2\r\n")
    );
    assert_eq!(conn.call("COMMAND INFO nope"), "*1\r\n*-1\r\n");
    assert!(conn.call("COMMAND DOCS set").contains("summary"));
    assert_eq!(
        conn.call("COMMAND GETKEYS MSET a 1 b 2"),
        "*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    );
    assert!(
        conn.call("COMMAND LIST FILTERBY PATTERN xx*")
            .starts_with("*0")
    );
    assert!(
        conn.call("NOSUCH a b")
            .starts_with("-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' ")
    );
    assert_eq!(
        conn.call("CONFIG NOPE"),
        "-ERR unknown subcommand 'NOPE'. Try CONFIG HELP.\r\n"
    );
    assert_eq!(
        conn.call("GET"),
        "-ERR wrong number of arguments for 'get' command\r\n"
    );
    assert_eq!(
        conn.call("CONFIG GET"),
        "-ERR wrong number of arguments for 'config|get' command\r\n"
    );
}
