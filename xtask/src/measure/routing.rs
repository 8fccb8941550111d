//! Whether connections that choose their shards do so well: the same server under `routing` hop, migrate
//! and adaptive in turns, over workloads that ask for one, the other, or neither.
//!
//! The policy alone, over more shards and prices, is held to the same by the simulation in
//! `crates/node/src/routing/simulation.rs`.

use std::process::{Command as Process, Output};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;
use crate::server::{Client, median, succeed, succeed_beside};

/// What `cargo xtask measure routing` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Interleaved rounds; medians are shown
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Seconds before it: time for a thousand requests of each connection
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Connections, where the workload does not say how many
    #[arg(long, default_value_t = 50)]
    connections: u32,
    /// Only the workloads with this in their names
    #[arg(long)]
    only: Option<String>,
}

/// Keys and hash tags; there are more tags than connections, and a tag lies on one shard.
const KEYS: &str = "100000";
const TAGS: [&str; 2] = ["--hash-tags", "1024"];

/// Seconds until connections have left a hot shard, and how long that is looked at, at least: the measured part of
/// them, for what a shard gives away depends on what it measured in the second before.
const RELIEF_SECONDS: f64 = 10.0;

/// How much dearer than the better fixed way the adaptive one may be.
const BESIDE_BEST_MAX: f64 = 1.10;

/// How much dearer hopping must be where each connection has keys of its own, at depth 1.
const HOP_BESIDE_ADAPTIVE_MIN: f64 = 1.3;

/// The least share of local commands there, the first ones included.
const LOCAL_MIN: f64 = 0.99;

/// From here on the server takes a shard for hot; below, nobody leaves it.
const HOT_US_PER_SECOND: f64 = 800_000.0;

/// The ways, adaptive last.
const WAYS: [&str; 3] = ["hop", "migrate", "adaptive"];

struct Workload {
    name: &'static str,
    /// Whether each connection can be where all its keys are, and hops one by one where it is not.
    placeable: bool,
    /// Whether all keys are on one shard: once that is hot, the busiest shard's share of a request is what counts, for it
    /// bounds the requests of a machine with processors to spare; and the shards' loads take their time to tell.
    one_hot_shard: bool,
    /// The more there are, the more trips share a message and a wake.
    connections: Option<u32>,
    flags: &'static [&'static str],
}

const WORKLOADS: &[Workload] = &[
    Workload {
        name: "keys of its own, 2 connections",
        placeable: true,
        one_hot_shard: false,
        connections: Some(2),
        flags: &["--own-tag", "100"],
    },
    Workload {
        name: "keys of its own, 8 connections",
        placeable: false,
        one_hot_shard: false,
        connections: Some(8),
        flags: &["--own-tag", "100"],
    },
    Workload {
        name: "keys of its own",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--own-tag", "100"],
    },
    Workload {
        name: "10% strays",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--own-tag", "90"],
    },
    Workload {
        name: "uniform",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &[],
    },
    Workload {
        name: "hot shard shifts",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--own-tag", "90", "--own-tag-shift", "1000"],
    },
    Workload {
        name: "Zipf",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--distribution", "zipf"],
    },
    Workload {
        name: "uniform, depth 16",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--pipeline", "16"],
    },
    Workload {
        name: "keys of its own, depth 16",
        placeable: false,
        one_hot_shard: false,
        connections: None,
        flags: &["--own-tag", "100", "--pipeline", "16"],
    },
    Workload {
        name: "one hot shard",
        placeable: false,
        one_hot_shard: true,
        connections: None,
        flags: &["--hash-tags", "1"],
    },
    Workload {
        name: "one hot shard, depth 16",
        placeable: false,
        one_hot_shard: true,
        connections: None,
        flags: &["--hash-tags", "1", "--pipeline", "16"],
    },
];

/// One workload under one way.
#[derive(Clone, Copy, Default, Serialize)]
struct Figures {
    cpu_us: f64,
    /// The busiest thread's part of it.
    busiest_us: f64,
    requests_per_second: f64,
    /// Share of commands that ran where their connection was, the warm-up included. Under hop: by luck.
    local: f64,
    /// Per thousand commands, the warm-up included.
    moves: f64,
}

#[derive(Serialize)]
struct Row {
    workload: &'static str,
    placeable: bool,
    one_hot_shard: bool,
    /// By [`WAYS`].
    ways: [Figures; WAYS.len()],
}

impl Figures {
    /// Whether the busiest shard had hardly time for more.
    fn is_hot(&self) -> bool {
        self.busiest_us * self.requests_per_second >= HOT_US_PER_SECOND
    }
}

impl Row {
    fn adaptive(&self) -> &Figures {
        &self.ways[2]
    }

    fn beside_best(&self) -> f64 {
        let by_busiest = self.one_hot_shard && self.adaptive().is_hot();
        let [hop, migrate, adaptive] = self.ways.map(|way| match by_busiest {
            true => way.busiest_us,
            false => way.cpu_us,
        });
        adaptive / hop.min(migrate)
    }

    fn hop_beside_adaptive(&self) -> f64 {
        self.ways[0].cpu_us / self.adaptive().cpu_us
    }
}

/// Measures.
///
/// # Errors
/// If the server or the generator fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    let start = Start {
        programs,
        processors: Some("0,1"),
    };
    let server = start.corelane(2, &[])?;
    let mut operator = server.client()?;
    let mut fill = bench(options.connections, programs, &server);
    run(fill.args(TAGS).args(["--fill", "--requests", "1"]))?;
    let mut fill = bench(options.connections, programs, &server);
    run(fill.args(["--hash-tags", "1", "--fill", "--requests", "1"]))?;
    let chosen = |workload: &&Workload| {
        let only = options.only.as_deref();
        only.is_none_or(|only| workload.name.contains(only))
    };
    let mut rows = Vec::new();
    for workload in WORKLOADS.iter().filter(chosen) {
        let mut rounds: [Vec<Figures>; WAYS.len()] = Default::default();
        for _ in 0..options.rounds {
            for (way, rounds) in WAYS.iter().zip(&mut rounds) {
                operator.call(&format!("CONFIG SET routing {way}"))?;
                let connections = workload.connections.unwrap_or(options.connections);
                let load = bench(connections, programs, &server);
                rounds.push(round(options, load, workload, &server, &mut operator)?);
            }
        }
        rows.push(Row {
            workload: workload.name,
            placeable: workload.placeable,
            one_hot_shard: workload.one_hot_shard,
            ways: rounds.each_ref().map(|rounds| middle(rounds)),
        });
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

fn bench(connections: u32, programs: &Programs, server: &Server) -> Process {
    let mut bench = Process::new("taskset");
    bench
        .args(["-c", &generator_processors()])
        .arg(&programs.corelane);
    bench.args(["bench", "--json", "--keys", KEYS]);
    bench.args(["--port", &server.port.to_string()]);
    bench.args(["--connections", &connections.to_string()]);
    bench.args(["--watch-pid", &server.process().0.to_string()]);
    bench
}

/// Those that the server leaves free, if there are any.
fn generator_processors() -> String {
    match thread::available_parallelism().map_or(2, usize::from) {
        processors @ 3.. => format!("2-{}", processors - 1),
        _ => "0,1".to_owned(),
    }
}

fn run(load: &mut Process) -> Result<serde_json::Value, String> {
    report(&succeed(load)?)
}

fn report(output: &Output) -> Result<serde_json::Value, String> {
    serde_json::from_slice(&output.stdout).map_err(|error| format!("no report: {error}"))
}

fn round(
    options: &Options,
    mut load: Process,
    workload: &Workload,
    server: &Server,
    operator: &mut Client,
) -> Result<Figures, String> {
    let before = operator.info("shards")?;
    let warm_up = match workload.one_hot_shard {
        true => options.warm_up.max(RELIEF_SECONDS),
        false => options.warm_up,
    };
    if !workload.flags.contains(&TAGS[0]) {
        load.args(TAGS);
    }
    load.args(workload.flags);
    load.args(["--warm-up", &warm_up.to_string()]);
    load.args(["--seconds", &options.seconds.to_string()]);
    let (output, busiest_us) = succeed_beside(&mut load, || {
        thread::sleep(Duration::from_secs_f64(warm_up));
        busiest_us(server, operator, options.seconds)
    })?;
    let report = report(&output)?;
    let after = operator.info("shards")?;
    let grown = |name: &str| after.get(name) - before.get(name);
    let commands = (grown("local_commands") + grown("hops")).max(1.0);
    let figure = |pointer: &str| {
        let figure = report.pointer(pointer).and_then(serde_json::Value::as_f64);
        figure.ok_or_else(|| format!("the report has no {pointer}"))
    };
    Ok(Figures {
        cpu_us: figure("/server/cpu_us_per_request")?,
        busiest_us: busiest_us?,
        requests_per_second: figure("/all/per_second")?,
        local: grown("local_commands") / commands,
        moves: grown("connections_moved") * 1e3 / commands,
    })
}

/// What the busiest thread of the server spends on a request, in so many seconds.
fn busiest_us(server: &Server, operator: &mut Client, seconds: f64) -> Result<f64, String> {
    let mut now = || Ok::<_, String>((operator.info("stats")?, server.process().threads_ns()?));
    let (info, before) = now()?;
    thread::sleep(Duration::from_secs_f64(seconds));
    let (later, after) = now()?;
    let name = "total_commands_processed";
    let commands = (later.get(name) - info.get(name)).max(1.0);
    let used = after.iter().map(|(thread, ns)| {
        let before = before.get(thread).copied().unwrap_or(0);
        ns.saturating_sub(before) as f64 / 1e3 / commands
    });
    Ok(used.fold(0.0, f64::max))
}

fn middle(rounds: &[Figures]) -> Figures {
    let of = |read: &dyn Fn(&Figures) -> f64| median(rounds.iter().map(read));
    Figures {
        cpu_us: of(&|round| round.cpu_us),
        busiest_us: of(&|round| round.busiest_us),
        requests_per_second: of(&|round| round.requests_per_second),
        local: of(&|round| round.local),
        moves: of(&|round| round.moves),
    }
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "CPU µs per request",
        "hop",
        "migrate",
        "adaptive",
        "busiest hop",
        "migrate",
        "adaptive",
        "beside best",
        "hop beside it",
        "local hop",
        "adaptive",
        "moves/1000",
        "1000/s hop",
        "migrate",
        "adaptive",
    ]);
    for row in rows {
        let mut cells = vec![row.workload.to_owned()];
        cells.extend(row.ways.iter().map(|way| format!("{:.2}", way.cpu_us)));
        cells.extend(row.ways.iter().map(|way| format!("{:.2}", way.busiest_us)));
        cells.push(format!("{:.2}", row.beside_best()));
        cells.push(format!("{:.2}", row.hop_beside_adaptive()));
        for way in [&row.ways[0], row.adaptive()] {
            cells.push(format!("{:.1}%", way.local * 100.0));
        }
        cells.push(format!("{:.3}", row.adaptive().moves));
        let speeds = row.ways.iter().map(|way| way.requests_per_second / 1e3);
        cells.extend(speeds.map(|speed| format!("{speed:.0}")));
        table.row(cells);
    }
    format!(
        "{}busiest: the busiest thread's part, which is what counts where one shard is hot; shares of local commands, and moves \
         under adaptive, the warm-up included\n",
        table.render()
    )
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows {
        let name = row.workload;
        let beside = row.beside_best();
        if beside > BESIDE_BEST_MAX {
            missed.push(format!(
                "{name}: adaptive costs {beside:.2} times the better fixed way, at most {BESIDE_BEST_MAX}"
            ));
        }
        let (gain, local) = (row.hop_beside_adaptive(), row.adaptive().local);
        if row.placeable && gain < HOP_BESIDE_ADAPTIVE_MIN {
            missed.push(format!(
                "{name}: hop costs {gain:.2} times adaptive, at least {HOP_BESIDE_ADAPTIVE_MIN}"
            ));
        }
        if row.placeable && local < LOCAL_MIN {
            missed.push(format!(
                "{name}: {:.1}% of commands are local, at least {:.0}%",
                local * 100.0,
                LOCAL_MIN * 100.0
            ));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cpu_us: [f64; 3], local: f64) -> Row {
        let ways = cpu_us.map(|cpu_us| Figures {
            cpu_us,
            local,
            ..Figures::default()
        });
        Row {
            workload: "w",
            placeable: true,
            one_hot_shard: false,
            ways,
        }
    }

    #[test]
    fn medians_and_targets() {
        assert!(missed(&[row([2.0, 1.0, 1.05], 0.995)]).is_empty());
        assert_eq!(missed(&[row([2.0, 1.0, 1.2], 0.995)]).len(), 1);
        assert_eq!(missed(&[row([1.2, 1.0, 1.0], 0.98)]).len(), 2);
        let hot = |busiest: [f64; 3]| {
            let mut row = row([2.0, 1.0, 2.0], 1.0);
            row.one_hot_shard = true;
            row.placeable = false;
            for (way, busiest_us) in row.ways.iter_mut().zip(busiest) {
                way.busiest_us = busiest_us;
                way.requests_per_second = 800_000.0;
            }
            row
        };
        assert!(missed(&[hot([1.0, 2.0, 1.05])]).is_empty());
        assert_eq!(missed(&[hot([1.0, 2.0, 2.0])]).len(), 1);
        // A shard with time to spare: what counts is the cost of all.
        assert_eq!(missed(&[hot([0.1, 0.9, 0.9])]).len(), 1);
        let rounds = [3.0, 1.0, 2.0].map(|cpu_us| Figures {
            cpu_us,
            ..Figures::default()
        });
        assert_eq!(middle(&rounds).cpu_us, 2.0);
    }
}
