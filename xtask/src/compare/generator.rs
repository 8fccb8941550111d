//! Loads one server for one measurement, by `corelane bench` or by redis-benchmark.

use std::fs;
use std::path::PathBuf;
use std::process::{Command as Process, Output};

use serde::Deserialize;

use super::child::Server;
use super::info::Counters;
use super::outcome::Sample;
use super::plan::{Command, Generator, Options};

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
        succeed(server, bench).map(drop)
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
            &server.pid().to_string(),
        ]);
        let before = Counters::read(server);
        let output = succeed(server, bench)?;
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
        let before = cpu_us(server)?;
        let per_second = self.redis_benchmark(server, command, pipeline, requests)?;
        let used = cpu_us(server)? - before;
        Ok(Sample {
            per_second,
            cpu_us: used / requests as f64,
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
        let output = succeed(server, bench)?;
        parse_csv(&String::from_utf8_lossy(&output.stdout), command)
            .ok_or_else(|| "the output of redis-benchmark is unreadable".into())
    }
}

/// Requests per second from the line `"GET","123456.78",…`.
fn parse_csv(output: &str, command: Command) -> Option<f64> {
    let start = format!("\"{}\",\"", command.name());
    let line = output
        .lines()
        .find_map(|line| line.trim().strip_prefix(&start))?;
    line.split('"').next()?.parse().ok()
}

/// Processor time of all threads of the server, in microseconds.
fn cpu_us(server: &Server) -> Result<f64, String> {
    let failed = |error| format!("cannot read what {} uses: {error}", server.contender);
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{}/task", server.pid())).map_err(failed)? {
        let text = fs::read_to_string(task.map_err(failed)?.path().join("schedstat"));
        let text = text.map_err(failed)?;
        let first = text
            .split_ascii_whitespace()
            .next()
            .and_then(|n| n.parse::<f64>().ok());
        sum += first.unwrap_or(0.0) / 1e3;
    }
    Ok(sum)
}

/// Runs a generator to its end.
pub(crate) fn succeed(server: &Server, mut process: Process) -> Result<Output, String> {
    let output = process
        .output()
        .map_err(|error| format!("cannot start the generator: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "the load on {} failed: {}",
        server.contender,
        words.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_benchmark_is_read() {
        let output = "\"test\",\"rps\",\"avg_latency_ms\"\n\"GET\",\"101234.50\",\"0.25\"\n";
        assert_eq!(parse_csv(output, Command::Get), Some(101_234.5));
        assert_eq!(parse_csv(output, Command::Set), None);
    }
}
