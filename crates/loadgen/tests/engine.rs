//! Whole runs against a small server of our own, whose faults can be chosen: what a real server
//! does seldom must be reported rightly too.

mod server;

use corelane_loadgen::{Error, Options, Phase, Progress, Report, run};
use server::{Behaviour, Server};

/// Runs a workload against a fresh server; gives the report and all progress.
fn bench(behaviour: Behaviour, line: &str) -> (Result<Report, Error>, Vec<Progress>, Server) {
    let server = Server::start(behaviour);
    let port = server.port().to_string();
    let mut args = vec!["--port", &port];
    args.extend(line.split_ascii_whitespace());
    let options = Options::parse(args).unwrap();
    let mut told = Vec::new();
    let result = run(&options, &mut |progress| told.push(progress));
    (result, told, server)
}

fn report(behaviour: Behaviour, line: &str) -> Report {
    bench(behaviour, line).0.unwrap()
}

/// Each line must come out with so many GET and SET replies, and nothing wrong.
#[test]
fn every_way_of_loading_sends_what_was_asked_for() {
    for (line, get, set) in [
        ("-n 1000 --ratio 1:0 --keys 10", 1000, 0),
        ("-n 1000 --ratio 0:1 -c 7 -P 16 --keys 10", 0, 1000),
        ("-n 1001 --ratio 0:1 -c 5 --threads 3 --keys 10", 0, 1001),
        ("-n 3 --ratio 1:0 -c 20 -P 8 --keys 10", 3, 0),
        (
            "-n 500 --ratio 1:0 --rate 50000 -c 3 -P 4 --keys 10",
            500,
            0,
        ),
        (
            "-n 400 --ratio 1:0 --resp3 --keys 10 --distribution zipf",
            400,
            0,
        ),
        (
            "-n 400 --ratio 0:1 --value-size 1..100000 -P 4 -c 3 --keys 10",
            0,
            400,
        ),
    ] {
        let report = report(Behaviour::Good, line);
        let count = |name: &str| {
            let row = report.commands.iter().find(|c| c.command == name);
            row.map_or(0, |row| row.requests)
        };
        assert_eq!((count("GET"), count("SET")), (get, set), "{line}");
        assert_eq!(report.all.requests, get + set, "{line}");
        assert!(report.clean(), "{line}: {:?}", report.failures);
        assert!(
            report.elapsed_s > 0.0 && report.all.latency_us.p50 > 0.0,
            "{line}"
        );
    }
}

#[test]
fn a_filled_key_space_has_no_misses_and_verifies() {
    let line = "--fill --keys 1000 -n 5000 --ratio 3:1 --verify --value-size 20..3000 -P 4 -c 8 --threads 2";
    let (report, told, _server) = bench(Behaviour::Good, line);
    let report = report.unwrap();
    assert!(report.clean(), "{:?}", report.failures);
    assert_eq!(report.all.misses, 0);
    let verified = report.verified.unwrap();
    assert_eq!(
        (verified.checked, verified.wrong),
        (report.commands[0].requests, 0)
    );
    let ends: Vec<_> = told
        .iter()
        .filter(|p| p.fraction == 1.0)
        .map(|p| (p.phase, p.replies))
        .collect();
    assert_eq!(ends, [(Phase::Fill, 1000), (Phase::Measure, 5000)]);
}

#[test]
fn keys_that_are_missing_count_as_misses() {
    for resp in ["", "--resp3"] {
        let report = report(
            Behaviour::Good,
            &format!("-n 100 --ratio 1:0 --keys 10 {resp}"),
        );
        assert_eq!((report.all.misses, report.all.errors), (100, 0));
        assert!(report.clean());
    }
}

#[test]
fn wrong_values_are_found() {
    let line = "--fill --keys 100 -n 1000 --ratio 1:0 --verify --value-size 32 -P 4";
    let report = report(Behaviour::MixedUpValues, line);
    let verified = report.verified.unwrap();
    assert!(
        verified.wrong > 900 && verified.checked == 1000,
        "{verified:?}"
    );
    assert_eq!(
        report.failures.errors["the value belongs to another key"],
        verified.wrong
    );
    assert!(!report.clean());
}

#[test]
fn error_replies_are_counted_by_text() {
    let report = report(Behaviour::Errors, "-n 100 --ratio 1:1 --keys 10 -P 4");
    assert_eq!(report.all.errors, 100);
    let total: u64 = report.failures.errors.values().sum();
    assert_eq!(total, 100);
    assert!(
        report
            .failures
            .errors
            .contains_key("OOM command not allowed")
    );
}

#[test]
fn a_lost_connection_is_reported_and_the_others_go_on() {
    let report = report(
        Behaviour::ClosesFirstAfter(50),
        "-n 2000 --ratio 1:0 -c 4 -P 2 --keys 10",
    );
    assert_eq!(report.failures.lost_connections, 1);
    assert!(
        report.all.requests + report.failures.unanswered == 2000,
        "{report:?}"
    );
    assert!(
        report
            .failures
            .errors
            .contains_key("connection lost: the server closed it")
    );
}

#[test]
fn a_silent_server_is_given_up() {
    let line = "-n 1000 --ratio 1:0 -c 2 -P 3 --keys 10 --patience 0.05";
    let report = report(Behaviour::SilentAfter(30), line);
    assert!(
        report.failures.unanswered > 0 && report.all.requests < 1000,
        "{report:?}"
    );
    let (result, ..) = bench(
        Behaviour::SilentAfter(30),
        &line.replace("--keys 10", "--keys 100 --fill"),
    );
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("failed during fill: 2 of 2 connections ended"),
        "{error}"
    );
}

#[test]
fn garbage_ends_the_connection_with_its_reason() {
    let report = report(Behaviour::Garbage, "-n 10 --ratio 1:0 -c 1 --keys 10");
    assert_eq!(report.failures.lost_connections, 1);
    let text = report.failures.errors.keys().next().unwrap();
    assert!(text.contains("no RESP type begins with"), "{text}");
}

#[test]
fn refused_greetings_and_absent_servers_are_errors() {
    let (result, ..) = bench(Behaviour::Errors, "-n 10 --db 3");
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("refused SELECT: OOM command not allowed"),
        "{error}"
    );

    let options = Options::parse(["--port", "1", "-n", "1"]).unwrap();
    let error = run(&options, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("cannot connect to 127.0.0.1:1"), "{error}");

    let options = Options::parse(["--watch-pid", "4294967295"]).unwrap();
    assert!(matches!(
        run(&options, &mut |_| {}),
        Err(Error::Watch { .. })
    ));
}

#[test]
fn an_open_loop_counts_from_the_intended_time() {
    // One connection, one request at a time, each held up for 10 ms, but 1000 are due per second:
    // the queue grows, and so do the latencies, up to nearly the whole run.
    let report = report(
        Behaviour::Slow(std::time::Duration::from_millis(10)),
        "--seconds 0.3 --ratio 1:0 --rate 1000 -c 1 --keys 10",
    );
    let latency = report.all.latency_us;
    assert!(latency.max > 200_000.0, "{latency:?}");
    assert!(report.failures.unsent > 200, "{:?}", report.failures);
    assert_eq!(report.failures.unanswered, 0);
}

#[test]
fn templates_are_sent() {
    let server = Server::start(Behaviour::Good);
    let port = server.port().to_string();
    let args = [
        "-p",
        &port,
        "-n",
        "100",
        "--command",
        "SET x__key__ __data__",
        "--command",
        "PING",
    ];
    let report = run(&Options::parse(args).unwrap(), &mut |_| {}).unwrap();
    assert!(report.clean());
    assert_eq!(
        report
            .commands
            .iter()
            .map(|c| &*c.command)
            .collect::<Vec<_>>(),
        ["SET", "PING"]
    );
    assert!(server.keys().iter().all(|key| key.starts_with(b"xkey:")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_watched_process_is_reported() {
    let pid = std::process::id();
    let report = report(
        Behaviour::Good,
        &format!("-n 500 --keys 10 --watch-pid {pid}"),
    );
    assert!(report.server.unwrap().cpu_us_per_request > 0.0);
    assert!(report.generator.unwrap().cpu_s > 0.0);
}
