//! Loads one server for one measurement, by `corelane bench` or by redis-benchmark.

use std::path::PathBuf;
use std::process::{Command as Process, Output};

use serde::Deserialize;

use super::child::Server;
use super::info::Counters;
use super::outcome::Sample;
use super::plan::{Command, Generator, Options};
use crate::server::{redis_benchmark_rate, succeed};

/// Seconds that `corelane bench` loads a server before it measures.
const WARM_UP_S: &str = "0.2";

/// Requests that redis-benchmark sends to find out how many make a measurement, per pipeline depth.
const TRIAL_REQUESTS: u64 = 20_000;

/// What loads the servers.
pub(crate) struct Load {
    /// The `corelane` program.
    pub(crate) corelane: PathBuf,
    pub(crate) options: Options,
}

/// The part of the report of `corelane bench` that matters here.
#[derive(Deserialize)]
struct Report {
    all: All,
    server: Used,
}

#[derive(Deserialize)]
struct All {
    per_second: f64,
    misses: u64,
}

#[derive(Deserialize)]
struct Used {
    cpu_us_per_request: f64,
    voluntary_switches_per_request: f64,
}

impl Load {
    /// Writes all keys, so that every GET finds one.
    pub(crate) fn fill(&self, server: &Server) -> Result<(), String> {
        let mut bench = self.bench(server, Command::Set, 64);
        bench.args(["--fill", "--requests", "1"]);
        run(server, bench).map(drop)
    }

    /// One measurement.
    pub(crate) fn measure(
        &self,
        server: &Server,
        command: Command,
        pipeline: u32,
    ) -> Result<Sample, String> {
        match self.options.generator {
            Generator::Corelane => self.measure_with_bench(server, command, pipeline),
            Generator::RedisBenchmark => self.measure_with_redis(server, command, pipeline),
        }
    }

    /// The load alone, with the number of its requests, for counting system calls beside it.
    pub(crate) fn plain(
        &self,
        server: &Server,
        command: Command,
        pipeline: u32,
        requests: u64,
    ) -> Process {
        let mut bench = self.bench(server, command, pipeline);
        bench.args(["--requests", &requests.to_string()]);
        bench
    }

    fn measure_with_bench(
        &self,
        server: &Server,
        command: Command,
        pipeline: u32,
    ) -> Result<Sample, String> {
        let mut bench = self.bench(server, command, pipeline);
        bench.args(["--seconds", &self.options.seconds.to_string()]);
        bench.args([
            "--warm-up",
            WARM_UP_S,
            "--watch-pid",
            &server.process().0.to_string(),
        ]);
        let before = Counters::read(server);
        let output = run(server, bench)?;
        let mesh = Counters::read(server)
            .zip(before)
            .and_then(|(after, before)| after.since(before));
        let report: Report = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the report of corelane bench is unreadable: {error}"))?;
        if report.all.misses > 0 {
            return Err(format!(
                "{} has lost {} keys",
                server.contender, report.all.misses
            ));
        }
        Ok(Sample {
            per_second: report.all.per_second,
            cpu_us: report.server.cpu_us_per_request,
            sleeps: Some(report.server.voluntary_switches_per_request),
            mesh,
        })
    }

    fn bench(&self, server: &Server, command: Command, pipeline: u32) -> Process {
        let ratio = if command == Command::Get {
            "1:0"
        } else {
            "0:1"
        };
        let options = &self.options;
        let mut bench = Process::new("taskset");
        bench
            .args(["-c", &server.generator])
            .arg(&self.corelane)
            .args(["bench", "--json"]);
        bench.args(["--port", &server.port.to_string(), "--ratio", ratio]);
        bench.args(["--pipeline", &pipeline.to_string()]);
        bench.args(["--connections", &options.connections.to_string()]);
        bench.args(["--value-size", &options.value_size.to_string()]);
        bench.args(["--keys", &options.keys.to_string()]);
        bench
    }

    /// redis-benchmark runs for a number of requests and has no warm-up, so a short trial finds the
    /// number, and the whole measurement is the process's life.
    fn measure_with_redis(
        &self,
        server: &Server,
        command: Command,
        pipeline: u32,
    ) -> Result<Sample, String> {
        let trial = TRIAL_REQUESTS * u64::from(pipeline);
        let per_second = self.redis_benchmark(server, command, pipeline, trial)?;
        let requests = (per_second * self.options.seconds) as u64 + 1;
        let before = server.process().used()?;
        let per_second = self.redis_benchmark(server, command, pipeline, requests)?;
        let used = server.process().used()? - before;
        Ok(Sample {
            per_second,
            cpu_us: used.cpu_ns as f64 / 1e3 / requests as f64,
            sleeps: None,
            mesh: None,
        })
    }

    fn redis_benchmark(
        &self,
        server: &Server,
        command: Command,
        pipeline: u32,
        requests: u64,
    ) -> Result<f64, String> {
        let options = &self.options;
        let mut bench = Process::new("taskset");
        bench.args(["-c", &server.generator, "redis-benchmark", "--csv"]);
        bench.args(["-p", &server.port.to_string(), "-t", &command.to_string()]);
        bench.args(["-P", &pipeline.to_string(), "-n", &requests.to_string()]);
        bench.args(["-c", &options.connections.to_string()]);
        bench.args([
            "-d",
            &options.value_size.to_string(),
            "-r",
            &options.keys.to_string(),
        ]);
        let output = run(server, bench)?;
        redis_benchmark_rate(&output, command.name())
    }
}

/// Runs a generator to its end.
pub(super) fn run(server: &Server, mut generator: Process) -> Result<Output, String> {
    succeed(&mut generator).map_err(|problem| format!("{}: {problem}", server.contender))
}
