//! Loads a server by redis-benchmark, where time is measured.

use std::process::Command as Process;

use super::contest::Options;
use super::way::Way;
use crate::measure::server::Server;
use crate::server::{redis_benchmark_rate, succeed};

/// Keys of the processor time; all are written first, as far as chance goes.
const KEYS: &str = "100000";

/// Loads a server; requests per second.
pub(super) fn load(
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
    redis_benchmark_rate(&succeed(&mut bench)?, command)
}
