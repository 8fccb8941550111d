//! Live migrations under load: every reply is right, and no descriptor is lost.
//!
//! The long version: `cargo test --release -p corelane-example-affinity --test soak -- --ignored --nocapture`.

mod support;

use std::time::{Duration, Instant};

use corelane::LaunchOptions;
use corelane_example_affinity::client::{LoadOptions, load};
use support::Server;

/// Loads a server with connections that move at nearly every request, until so many moves are done. The client
/// checks every reply.
fn migrations(target: u64, depth: usize, args: &[&str]) {
    let server = Server::start(&[&["--shards", "3", "--routing", "migrate"], args].concat());
    let began = Instant::now();
    let mut replies = 0;
    while server.stat("moved") < target {
        let options = LoadOptions {
            connect: server.addr.into(),
            connections: 50,
            depth,
            run_length: 1,
            warm_up: Duration::ZERO,
            time: Duration::from_millis(500),
        };
        let report =
            load(&LaunchOptions::unpinned(1), options).unwrap_or_else(|error| panic!("{error}"));
        replies += report.replies;
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "only {} moves",
            server.stat("moved")
        );
    }
    let (moved, stayed) = (server.stat("moved"), server.stat("stayed"));
    println!(
        "{moved} live migrations, {replies} replies, all right, in {:?}; {stayed} stayed",
        began.elapsed()
    );
    server.has_lost_no_file();
    assert!(server.stop().success());
}

#[test]
fn two_thousand_migrations() {
    migrations(2_000, 1, &[]);
    migrations(2_000, 8, &["--polling"]);
}

#[test]
#[ignore = "long; see the head of the file"]
fn a_hundred_thousand_migrations() {
    migrations(100_000, 1, &[]);
    migrations(100_000, 16, &[]);
    migrations(100_000, 4, &["--polling"]);
}
