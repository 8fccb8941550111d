//! Clients that are ended in the middle of a command: what they see, and that nobody works for them any more.

use std::time::{Duration, Instant};

use crate::conn::Conn;
use crate::server::{PATIENCE, Server, eventually, logged};

/// Waits until a client is in the middle of this command.
fn until_it_runs(observer: &mut Conn, command: &str) {
    eventually("it runs", || {
        let list = observer.call("CLIENT LIST");
        list.contains(&format!("cmd={command}"))
    });
}

/// Processor time of the server so far, in ticks of 10 ms.
fn used_ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid()));
    let stat = stat.expect("the server runs");
    let fields = stat.rsplit_once(')').expect("a name in brackets").1;
    let used = fields.split_ascii_whitespace().skip(11).take(2);
    used.map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
}

#[test]
fn a_stop_wakes_who_sleeps() {
    let server = Server::start(&[("enable-debug-command", "yes")]);
    let (mut observer, mut sleeper) = (server.connect(), server.connect());
    sleeper.send("DEBUG SLEEP 1000");
    until_it_runs(&mut observer, "debug");
    server.signal("TERM");
    assert_eq!(
        sleeper.reply(),
        "-ERR DEBUG SLEEP was cut short: the connection ends\r\n"
    );
    assert!(sleeper.is_closed());
    let (status, said) = server.wait();
    assert!(status.success(), "{status}: {said}");
    assert!(!said.contains("cut off"), "{said}");
}

#[test]
fn a_sleep_ends_with_its_client() {
    let server = Server::start(&[("enable-debug-command", "yes")]);
    let (mut observer, mut sleeper) = (server.connect(), server.connect());
    sleeper.send("DEBUG SLEEP 1000");
    until_it_runs(&mut observer, "debug");
    assert_eq!(observer.call("CLIENT KILL TYPE normal"), ":1\r\n");
    assert!(sleeper.is_closed());
    // It ended, and so it was counted.
    eventually("the command has ended", || {
        observer
            .call("INFO commandstats")
            .contains("cmdstat_debug:calls=1,")
    });
    logged(server, &[]);
}

/// Two strings whose comparison takes minutes: others are served meanwhile, in a pipeline too, and a kill ends it.
#[test]
fn a_long_comparison_holds_nobody_up_and_ends_with_its_client() {
    // The limit is on the whole table, though the length alone needs two rows.
    let server = Server::start(&[("cpu-allocation", "1"), ("proto-max-bulk-len", "1000gb")]);
    let (mut observer, mut reader) = (server.connect(), server.connect());
    let long = "ab".repeat(200_000);
    assert_eq!(
        observer.call(&format!("MSET {{t}}a {long} {{t}}b {long}x")),
        "+OK\r\n"
    );
    reader.write(b"PING\r\nLCS {t}a {t}b LEN\r\nLCS {t}a {t}b LEN\r\nPING\r\n");
    until_it_runs(&mut observer, "lcs");
    for _ in 0..100 {
        assert_eq!(observer.call("PING"), "+PONG\r\n");
    }
    assert_eq!(observer.call("CLIENT KILL TYPE normal"), ":1\r\n");
    assert!(reader.is_closed());
    let started = Instant::now();
    loop {
        let before = used_ticks(&server);
        std::thread::sleep(Duration::from_millis(200));
        if used_ticks(&server) - before <= 3 {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "somebody works on it still");
    }
}
