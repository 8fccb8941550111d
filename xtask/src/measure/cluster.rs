//! What a request costs that comes by a shard's own port: hops, instructions and processor time beside a request to one
//! shard. Two shards are loaded by `redis-benchmark --cluster`, one by `redis-benchmark` (which takes one node for no
//! cluster), with keys of the same length. Instructions are counted under a load of our own, the same commands each time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command as Process;

use corelane_wire::slot::{SLOTS, slot_of};
use corelane_wire::{Value, encode_command, skip};
use serde::Serialize;

use super::client::Client;
use super::server::{Programs, Server, Start};
use super::table::Table;
use super::task::Findings;
use crate::place::has_program;

/// What `cargo xtask measure cluster` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Interleaved rounds of the processor time; medians are shown
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Requests of one measurement of the processor time
    #[arg(long, default_value_t = 400_000)]
    requests: u64,
    /// Connections for each shard
    #[arg(long, default_value_t = 25)]
    connections: usize,
    /// Pipeline depth
    #[arg(long, default_value_t = 16)]
    pipeline: u32,
    /// Requests whose instructions are counted
    #[arg(long, default_value_t = 40_000)]
    counted: u64,
    /// Leave the instructions out
    #[arg(long)]
    no_instructions: bool,
}

/// The most instructions of a request with two shards by their ports, in parts of one shard's by the server's port.
const INSTRUCTIONS_MAX: f64 = 1.03;

/// Keys of the processor time; all are written first, as far as chance goes.
const KEYS: &str = "100000";

/// Requests that write them.
const FILL_REQUESTS: u64 = 400_000;

/// Keys of the counted requests.
const COUNTED_KEYS: u64 = 5000;

/// What is counted of a server's life: from the bytes of a read to the replies. What shards do beside, such as the search for
/// expired keys, goes by the clock.
const COUNTED: &str = "--toggle-collect=corelane_front::resp::session::Session::feed_chunk";

/// How a server is set up and reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// One shard, by the server's port: what a request costs that is local.
    OneShard,
    /// One shard, by its own port.
    OneOwnPort,
    /// Two shards, each by its own port.
    TwoOwnPorts,
}

impl Way {
    const ALL: [Self; 3] = [Self::OneShard, Self::OneOwnPort, Self::TwoOwnPorts];

    fn shown(self) -> &'static str {
        match self {
            Self::OneShard => "1 shard, server's port",
            Self::OneOwnPort => "1 shard, its own port",
            Self::TwoOwnPorts => "2 shards, own ports",
        }
    }

    fn shards(self) -> usize {
        match self {
            Self::OneShard | Self::OneOwnPort => 1,
            Self::TwoOwnPorts => 2,
        }
    }

    /// Processors of the server, and of the generator.
    fn processors(self) -> (&'static str, &'static str) {
        match self {
            Self::OneShard | Self::OneOwnPort => ("0", "1"),
            Self::TwoOwnPorts => ("0,1", "0,1"),
        }
    }

    /// Where the owner of a slot is talked to: by slot.
    fn ports(self, server: &Server) -> Result<Vec<u16>, String> {
        let mut ports = vec![server.port; usize::from(SLOTS)];
        if self == Self::OneShard {
            return Ok(ports);
        }
        let told = server.client()?.call("CLUSTER SLOTS")?;
        for run in told.as_elements().unwrap_or_default() {
            let run = run.as_elements().unwrap_or_default();
            let node = run.get(2).and_then(Value::as_elements).unwrap_or_default();
            let number = |value: Option<&Value>| value.and_then(Value::as_int);
            match (number(run.first()), number(run.get(1)), number(node.get(1))) {
                (Some(first), Some(last), Some(port)) => {
                    ports[first as usize..=last as usize].fill(port as u16);
                }
                _ => return Err(format!("CLUSTER SLOTS says {told:?}")),
            }
        }
        Ok(ports)
    }
}

/// One way and command.
#[derive(Clone, Serialize)]
struct Row {
    command: &'static str,
    way: Way,
    requests_per_second: f64,
    cpu_us: f64,
    /// Commands that went to another shard, in all rounds.
    hops: f64,
    /// From bytes to reply, by callgrind; nothing where they were not counted.
    instructions: Option<f64>,
}

/// Measures.
///
/// # Errors
/// If a server or the generator fails.
pub(crate) fn measure(options: &Options, programs: &Programs) -> Result<Findings, String> {
    if !has_program("redis-benchmark") {
        return Err("no redis-benchmark: install it with `apt-get install redis-tools`".into());
    }
    let mut rows = Vec::new();
    for command in ["GET", "SET"] {
        rows.extend(rounds(options, programs, command)?);
    }
    if !options.no_instructions {
        if !has_program("valgrind") {
            return Err("no valgrind: install it with `apt-get install valgrind`, or give --no-instructions".into());
        }
        for way in Way::ALL {
            let counts = count(options, programs, way)?;
            for (command, instructions) in counts {
                let mut of_way = rows.iter_mut();
                if let Some(row) = of_way.find(|row| row.way == way && row.command == command) {
                    row.instructions = Some(instructions);
                }
            }
        }
    }
    Ok(Findings::new(&rows, render(&rows), missed(&rows)))
}

/// Processor time of one command by each way, round after round.
fn rounds(
    options: &Options,
    programs: &Programs,
    command: &'static str,
) -> Result<Vec<Row>, String> {
    let mut servers = Vec::new();
    for way in Way::ALL {
        let start = Start {
            programs,
            processors: Some(way.processors().0),
        };
        let server = start.corelane(way.shards(), &["--shard-ports", "auto"])?;
        load(options, way, &server, "SET", FILL_REQUESTS)?;
        servers.push((way, server));
    }
    let mut samples: Vec<Vec<Row>> = vec![Vec::new(); servers.len()];
    for _ in 0..options.rounds {
        for ((way, server), samples) in servers.iter().zip(&mut samples) {
            samples.push(round(options, *way, server, command)?);
        }
    }
    Ok(samples.iter().map(|rows| median(rows)).collect())
}

fn round(
    options: &Options,
    way: Way,
    server: &Server,
    command: &'static str,
) -> Result<Row, String> {
    let mut client = server.client()?;
    let (info, used) = (client.info("stats shards")?, server.process().used()?);
    let per_second = load(options, way, server, command, options.requests)?;
    let used = server.process().used()? - used;
    let now = client.info("stats shards")?;
    let grown = |name: &str| now.get(name) - info.get(name);
    Ok(Row {
        command,
        way,
        requests_per_second: per_second,
        cpu_us: used.cpu_ns as f64 / 1e3 / grown("total_commands_processed").max(1.0),
        hops: grown("hops"),
        instructions: None,
    })
}

/// Loads a server; requests per second.
fn load(
    options: &Options,
    way: Way,
    server: &Server,
    command: &str,
    requests: u64,
) -> Result<f64, String> {
    let mut bench = Process::new("taskset");
    bench.args([
        "-c",
        way.processors().1,
        "redis-benchmark",
        "--csv",
        "-r",
        KEYS,
    ]);
    bench.args(["-p", &way.ports(server)?[0].to_string()]);
    bench.args([
        "-n",
        &requests.to_string(),
        "-P",
        &options.pipeline.to_string(),
    ]);
    bench.args(["-c", &(options.connections * way.shards()).to_string()]);
    match way {
        Way::TwoOwnPorts => bench.args(["--cluster", "-t", &command.to_lowercase()]),
        // The keys of the cluster's mode, but for their tags: all over the slots.
        Way::OneShard | Way::OneOwnPort if command == "GET" => {
            bench.args(["GET", "key:012345__rand_int__"])
        }
        Way::OneShard | Way::OneOwnPort => bench.args(["SET", "key:012345__rand_int__", "xxx"]),
    };
    let output = bench
        .output()
        .map_err(|error| format!("cannot start redis-benchmark: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(&format!("\"{command}"))?;
        rest.split("\",\"").nth(1)?.split('"').next()?.parse().ok()
    });
    rate.filter(|_| output.status.success()).ok_or_else(|| {
        let words = String::from_utf8_lossy(&output.stderr);
        format!("redis-benchmark failed: {said}{words}")
    })
}

/// Instructions per request of each command: those of a server that was filled and then asked, less those of one that
/// was filled alone.
fn count(
    options: &Options,
    programs: &Programs,
    way: Way,
) -> Result<Vec<(&'static str, f64)>, String> {
    let filled = instructions(options, programs, way, None)?;
    let mut counts = Vec::new();
    for command in ["GET", "SET"] {
        let all = instructions(options, programs, way, Some(command))?;
        counts.push((command, (all - filled) / options.counted as f64));
    }
    Ok(counts)
}

/// Instructions of a server under callgrind, as far as they are counted.
fn instructions(
    options: &Options,
    programs: &Programs,
    way: Way,
    command: Option<&str>,
) -> Result<f64, String> {
    let file: PathBuf = std::env::temp_dir().join(format!("cluster-{}.out", std::process::id()));
    let start = Start {
        programs,
        processors: None,
    };
    let tool = [
        "--tool=callgrind",
        COUNTED,
        &format!("--callgrind-out-file={}", file.display()),
    ];
    // The watch over stalls uses signals, which callgrind does not bear; the ring is no matter of user space.
    let flags = [
        "--shard-ports",
        "auto",
        "--overprovisioned",
        "yes",
        "--io",
        "polling",
        "--stall-threshold-ms",
        "0",
    ];
    let mut server = start.corelane_under(&tool, way.shards(), &flags)?;
    ask(options, way, &server, "SET", COUNTED_KEYS)?;
    if let Some(command) = command {
        ask(options, way, &server, command, options.counted)?;
    }
    server.shut_down()?;
    let text = fs::read_to_string(&file);
    // A file left behind lies in the system's folder for such.
    let _ = fs::remove_file(&file);
    let text = text.map_err(|error| format!("callgrind wrote nothing: {error}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total
        .and_then(|total| total.trim().parse().ok())
        .ok_or_else(|| "callgrind counted nothing".to_owned())
}

/// Sends so many commands on keys in their order, full pipelines one after the other, each by the port of its owner.
fn ask(
    options: &Options,
    way: Way,
    server: &Server,
    command: &str,
    requests: u64,
) -> Result<(), String> {
    let ports = way.ports(server)?;
    let mut links: BTreeMap<u16, (TcpStream, Vec<u8>, u32)> = BTreeMap::new();
    for request in 0..requests {
        let key = format!("key:{:018}", request % COUNTED_KEYS);
        let port = ports[usize::from(slot_of(key.as_bytes()))];
        let link = match links.entry(port) {
            Entry::Occupied(link) => link.into_mut(),
            Entry::Vacant(place) => {
                place.insert((Client::connect(port)?.into_stream(), Vec::new(), 0))
            }
        };
        let words: &[&[u8]] = match command {
            "GET" => &[b"GET", key.as_bytes()],
            _ => &[b"SET", key.as_bytes(), b"xxx"],
        };
        encode_command(&mut link.1, words.iter().copied());
        link.2 += 1;
        if link.2 == options.pipeline {
            exchange(link)?;
        }
    }
    links.values_mut().try_for_each(exchange)
}

/// Sends what has collected and takes as many replies.
fn exchange((stream, out, commands): &mut (TcpStream, Vec<u8>, u32)) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the load failed: {error}");
    stream.write_all(out).map_err(failed)?;
    out.clear();
    let mut unread = Vec::new();
    while *commands > 0 {
        let mut chunk = [0; 16 * 1024];
        let bytes = stream.read(&mut chunk).map_err(failed)?;
        if bytes == 0 || chunk[0] == b'-' {
            return Err(format!(
                "a server answered {:?}",
                String::from_utf8_lossy(&chunk[..bytes])
            ));
        }
        unread.extend_from_slice(&chunk[..bytes]);
        while let Ok(Some(length)) = skip(&unread) {
            unread.drain(..length);
            *commands -= 1;
        }
    }
    Ok(())
}

fn median(rounds: &[Row]) -> Row {
    let of = |read: &dyn Fn(&Row) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(read).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Row {
        requests_per_second: of(&|row| row.requests_per_second),
        cpu_us: of(&|row| row.cpu_us),
        hops: rounds.iter().map(|row| row.hops).sum(),
        ..rounds[0].clone()
    }
}

/// The same figure of one shard by the server's port.
fn beside(rows: &[Row], row: &Row, read: impl Fn(&Row) -> Option<f64>) -> Option<f64> {
    let one = rows
        .iter()
        .find(|one| one.way == Way::OneShard && one.command == row.command)?;
    Some(read(row)? / read(one)?)
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "",
        "by",
        "1000/s",
        "CPU µs",
        "×1 shard",
        "instructions",
        "×1 shard",
        "hops",
    ]);
    let shown = |figure: Option<f64>, digits: usize| {
        figure.map_or_else(|| "–".into(), |figure| format!("{figure:.digits$}"))
    };
    for row in rows {
        table.row(vec![
            row.command.into(),
            row.way.shown().into(),
            format!("{:.0}", row.requests_per_second / 1e3),
            format!("{:.3}", row.cpu_us),
            shown(beside(rows, row, |row| Some(row.cpu_us)), 2),
            shown(row.instructions, 0),
            shown(beside(rows, row, |row| row.instructions), 3),
            format!("{:.0}", row.hops),
        ]);
    }
    table.render()
}

fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.way != Way::OneShard) {
        let (command, way) = (row.command, row.way.shown());
        if row.hops > 0.0 {
            missed.push(format!("{command}, {way}: {} hops, none are due", row.hops));
        }
        let ratio = beside(rows, row, |row| row.instructions);
        if let Some(ratio) = ratio.filter(|ratio| *ratio > INSTRUCTIONS_MAX) {
            missed.push(format!(
                "{command}, {way}: {ratio:.3} times one shard's instructions, at most {INSTRUCTIONS_MAX}"
            ));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, instructions: f64, hops: f64) -> Row {
        Row {
            command: "GET",
            way,
            requests_per_second: 1.0,
            cpu_us: 1.0,
            hops,
            instructions: Some(instructions),
        }
    }

    #[test]
    fn hops_and_instructions_are_held() {
        let one = row(Way::OneShard, 1000.0, 0.0);
        let two = |instructions, hops| {
            missed(&[one.clone(), row(Way::TwoOwnPorts, instructions, hops)]).len()
        };
        assert_eq!(two(1020.0, 0.0), 0);
        assert_eq!(two(1040.0, 0.0), 1);
        assert_eq!(two(1040.0, 5.0), 2);
        assert_eq!(
            median(&[one.clone(), one.clone(), row(Way::OneShard, 1.0, 2.0)]).hops,
            2.0
        );
    }
}
