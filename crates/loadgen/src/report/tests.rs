//! A report made by hand: its sums, its table, its JSON.

use super::*;

fn report(verify: bool) -> Report {
    let mut recorder = Recorder::new(2);
    for n in 1..=1000 {
        recorder.reply(0, n * 1000);
    }
    for _ in 0..500 {
        recorder.reply(1, 10_000);
    }
    recorder.miss(0);
    recorder.error(1, b"OOM command not allowed");
    recorder.totals.sent_bytes = 123_456;
    recorder.totals.unanswered = 2;
    let setup = Setup {
        target: "127.0.0.1:6379".into(),
        connections: 50,
        threads: 1,
        pipeline: 16,
        rate: None,
        keys: 1_000_000,
        distribution: "uniform".into(),
        value_size: "64".into(),
        seed: 1,
    };
    let usage = Usage {
        cpu_ns: 3_000_000,
        voluntary_switches: 150,
        involuntary_switches: 15,
    };
    let measured = Measured {
        setup,
        elapsed_s: 0.5,
        verify,
        server: Some(usage),
        generator: None,
    };
    Report::new(measured, ["GET", "SET"].into_iter(), recorder)
}

#[test]
fn figures_are_worked_out() {
    let report = report(true);
    assert_eq!((report.all.requests, report.all.per_second), (1500, 3000.0));
    assert_eq!((report.all.misses, report.all.errors), (1, 1));
    let get = &report.commands[0].latency_us;
    assert!((499.0..502.0).contains(&get.p50), "{get:?}");
    assert!((989.0..992.0).contains(&get.p99), "{get:?}");
    assert!((999.0..1002.0).contains(&get.max), "{get:?}");
    let server = report.server.unwrap();
    assert_eq!(
        (
            server.cpu_us_per_request,
            server.voluntary_switches_per_request
        ),
        (2.0, 0.1)
    );
    assert_eq!(
        report.verified,
        Some(Verified {
            checked: 0,
            wrong: 0
        })
    );
    assert!(!report.clean());
}

#[test]
fn the_table_names_what_matters() {
    let table = report(false).table();
    for part in [
        "50 connections, 1 thread, pipeline 16, closed loop; 1,000,000 keys uniform",
        "GET         1,000       2,000",
        "SET           500       1,000",
        "all         1,500       3,000",
        "1,500 requests in 0.50 s: 3,000/s, 123 KB sent",
        "server     2.000 µs CPU per request, 1% of a core, 0.100 sleeps and 0.010 preemptions",
        "2 requests were never answered",
        "1 × OOM command not allowed",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    assert!(!table.contains("generator") && !table.contains("checked"));
}

#[test]
fn json_reads_back() {
    let report = report(true);
    let json = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}
