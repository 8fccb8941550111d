//! The run: builds, starts the servers, goes round them, reports.

use std::path::Path;
use std::process::ExitCode;

use super::calls::Perf;
use super::child::Server;
use super::generator::Load;
use super::outcome::{Cell, Row, rows};
use super::plan::{Generator, Options};
use super::server::{Contender, Kind};
use super::table;
use super::target::{Held, held};
use crate::place::{cargo, has_program, target};

/// Compares the servers.
pub(crate) fn run(options: &Options) -> ExitCode {
    match compare(options) {
        Ok(rows) => report(options, &rows),
        Err(problem) => {
            eprintln!("compare: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn report(options: &Options, rows: &[Row]) -> ExitCode {
    if options.json {
        let json = serde_json::to_string_pretty(rows).expect("rows are plain data");
        println!("{json}");
    } else {
        println!("{}", setup(options));
        print!("{}", table::render(rows));
    }
    let missed = rows.iter().flat_map(held).filter(Held::missed).count();
    if options.hold && missed > 0 {
        eprintln!("compare: {missed} targets missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn setup(options: &Options) -> String {
    let Options {
        rounds,
        seconds,
        connections,
        value_size,
        keys,
        ..
    } = options;
    format!(
        "medians of {rounds} interleaved rounds of {seconds} s; {connections} connections, \
         {keys} keys, values of {value_size} bytes\n"
    )
}

fn compare(options: &Options) -> Result<Vec<Row>, String> {
    if options.rounds == 0 {
        return Err("--rounds must be at least 1".into());
    }
    if options.generator == Generator::RedisBenchmark && !has_program("redis-benchmark") {
        return Err("no redis-benchmark: install it with `apt-get install redis-tools`".into());
    }
    let release = target().join("release");
    if !options.no_build {
        build()?;
    }
    let corelane = Kind::Corelane.find(options, &release)?;
    let load = Load {
        corelane,
        options: options.clone(),
    };
    let servers = start(options, &release)?;
    for server in &servers {
        load.fill(server)?;
    }
    let mut cells = cells(options, &servers);
    for round in 0..options.rounds {
        eprintln!("compare: round {} of {}", round + 1, options.rounds);
        measure_round(round, &servers, &load, &mut cells)?;
    }
    if options.calls {
        count_calls(&servers, &load, &mut cells)?;
    }
    Ok(rows(&cells))
}

/// Starts every server that is installed; says of the others how to get them.
fn start(options: &Options, release: &Path) -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    for contender in Contender::all(options) {
        match contender.server.find(options, release) {
            Ok(program) => servers.push(Server::start(contender, &program)?),
            Err(missing) => eprintln!("compare: left out: {missing}"),
        }
    }
    if servers.is_empty() {
        Err("no server to compare".into())
    } else {
        Ok(servers)
    }
}

fn cells(options: &Options, servers: &[Server]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &command in &options.commands {
        for &pipeline in &options.pipelines {
            for server in servers {
                cells.push(Cell {
                    contender: server.contender,
                    command,
                    pipeline,
                    samples: Vec::new(),
                    calls: None,
                });
            }
        }
    }
    cells
}

/// Measures every cell once. The servers take turns within each command and depth, and another one
/// begins each round, so that none always comes first.
fn measure_round(
    round: usize,
    servers: &[Server],
    load: &Load,
    cells: &mut [Cell],
) -> Result<(), String> {
    for group in cells.chunks_mut(servers.len()) {
        for turn in 0..servers.len() {
            let turn = (turn + round) % servers.len();
            let (server, cell) = (&servers[turn], &mut group[turn]);
            cell.samples
                .push(load.measure(server, cell.command, cell.pipeline)?);
        }
    }
    Ok(())
}

fn count_calls(servers: &[Server], load: &Load, cells: &mut [Cell]) -> Result<(), String> {
    let perf = match Perf::find() {
        Ok(perf) => perf,
        Err(missing) => {
            eprintln!("compare: {missing}");
            return Ok(());
        }
    };
    for group in cells.chunks_mut(servers.len()) {
        for (server, cell) in servers.iter().zip(group) {
            cell.calls = Some(perf.count(load, server, cell.command, cell.pipeline)?);
        }
    }
    Ok(())
}

fn build() -> Result<(), String> {
    let words = [
        "build",
        "--release",
        "-p",
        "corelane-cli",
        "-p",
        "corelane-bare-loop",
    ];
    match cargo(words).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the release build failed".into()),
    }
}
