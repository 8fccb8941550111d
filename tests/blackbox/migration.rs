//! Connections that are sent from shard to shard thousands of times under pipelines, by themselves and by an operator,
//! with every reply checked.
//!
//! `CORELANE_MIGRATIONS=1000000` makes it long; `cargo xtask measure migrations` does the same with figures. What is sent
//! follows from a seed, which a failure names; `CORELANE_MIGRATIONS_SEED` sets it.

use std::io;
use std::net::{SocketAddr, TcpStream};

use corelane_wanderers::{Options, Report, Wire, wander};

use crate::server::{PATIENCE, Server, eventually};

/// Moves when nobody says.
const MOVES: u64 = 20_000;

#[test]
fn connections_move_under_pipelines_and_every_reply_is_right() {
    check("2", &[]);
}

#[test]
fn the_same_on_four_shards_that_each_choose_for_themselves() {
    check("4", &[("routing", "migrate")]);
}

#[track_caller]
fn check(shards: &str, settings: &[(&str, &str)]) {
    let layout = [("cpu-allocation", shards), ("overprovisioned", "yes")];
    let server = Server::start(&[&layout, settings].concat());
    let seed = number("CORELANE_MIGRATIONS_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("CORELANE_MIGRATIONS_SEED={seed}");
    let before = server.descriptors();
    let report = wander(
        &Options {
            moves: number("CORELANE_MIGRATIONS").unwrap_or(MOVES),
            clients: 8,
            shards: shards.parse().expect("a number"),
            seed,
        },
        &[&|| plain(server.address)],
    );
    judge(&report);
    eventually("all descriptors are back", || {
        server.descriptors() <= before
    });
    let info = server.connect().call("INFO clients");
    assert!(info.contains("connected_clients:1\r\n"), "{info}");
}

#[track_caller]
fn judge(report: &Report) {
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
    assert!(report.moved() > 0 && report.checked() > report.moved());
    let asked = report.commands.keys().map(String::as_str);
    assert!(
        asked.clone().any(|name| name == "MGET"),
        "{:?}",
        report.commands
    );
}

fn plain(address: SocketAddr) -> io::Result<Box<dyn Wire>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(Box::new(stream))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
