//! What a user can ask of a run: the one list of options, with their help and defaults.

use std::num::{NonZeroU32, NonZeroU64};

use clap::{Args, Parser};

use crate::keys::KeyDistribution;
use crate::size::ValueSize;
use crate::target::ConnectionOptions;
use crate::workload::Ratio;

/// What to run, against which server.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where the server is and how to log in.
    #[command(flatten)]
    pub connection: ConnectionOptions,
    /// How to speak with it, and what to watch of it.
    #[command(flatten)]
    pub target: TargetOptions,
    /// How hard and how long to load it.
    #[command(flatten)]
    pub load: LoadOptions,
    /// Which commands, keys and values to send.
    #[command(flatten)]
    pub data: DataOptions,
}

/// How to speak with the server, and what to watch of it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct TargetOptions {
    /// Database to select
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub db: u32,
    /// Speak RESP3 instead of RESP2
    #[arg(long)]
    pub resp3: bool,
    /// Process id of the server on this machine: adds its CPU time per request to the report
    #[arg(long, value_name = "PID")]
    pub watch_pid: Option<u32>,
}

/// How hard and how long to load the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct LoadOptions {
    /// Connections, spread evenly over the threads
    #[arg(long, short = 'c', default_value_t = 50, value_name = "N")]
    pub connections: u32,
    /// Generator threads
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub threads: u16,
    /// Most unanswered requests per connection; a closed loop sends so many at once
    #[arg(long, short = 'P', default_value_t = 1, value_name = "N")]
    pub pipeline: u32,
    /// Stop after so many requests instead of after a time
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "seconds")]
    pub requests: Option<u64>,
    /// How long to measure
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub seconds: f64,
    /// How long to run before measuring
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub warm_up: f64,
    /// Open loop: requests per second over all connections, sent by the clock and not by the
    /// server's replies; latency counts from the time each request ought to have been sent
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<u64>,
    /// Give up when the server owes replies and sends none for so long
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub patience: f64,
    /// Write every key once before anything else
    #[arg(long)]
    pub fill: bool,
}

/// Which commands, keys and values to send.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Workload")]
pub struct DataOptions {
    /// Reads to writes, GET:SET
    #[arg(long, default_value = "1:1", value_name = "GET:SET")]
    pub ratio: Ratio,
    /// Commands to send instead of GET and SET, each equally often; __key__ and __data__ stand for
    /// a key and a value. May be given several times
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["ratio", "verify"])]
    pub command: Vec<String>,
    /// Size of values in bytes: 64, a range 64..1k, or sizes with weights 64:90,4k:10
    #[arg(long, short = 'd', default_value = "64", value_name = "BYTES")]
    pub value_size: ValueSize,
    /// Number of different keys
    #[arg(long, short = 'r', default_value_t = 1_000_000, value_name = "N")]
    pub keys: u64,
    /// How keys are chosen: uniform, zipf, zipf:THETA or sequential
    #[arg(long, default_value = "uniform", value_name = "HOW")]
    pub distribution: KeyDistribution,
    /// What keys begin with
    #[arg(long, default_value = "key:", value_name = "TEXT")]
    pub key_prefix: String,
    /// Put a hash tag before each key, one of so many
    #[arg(long, value_name = "N")]
    pub hash_tags: Option<NonZeroU32>,
    /// Give each connection a hash tag of its own, which so many of a hundred of its keys bear
    #[arg(long, value_name = "PERCENT", requires = "hash_tags")]
    pub own_tag: Option<u8>,
    /// Have each connection go on with the next tag after so many of its requests
    #[arg(long, value_name = "REQUESTS", requires = "own_tag")]
    pub own_tag_shift: Option<NonZeroU64>,
    /// Write values that carry their key, and check what GET brings back
    #[arg(long)]
    pub verify: bool,
    /// Seed of all random choices; the same seed sends the same requests
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// A command line that is nothing but these options.
#[derive(Parser)]
#[command(name = "bench")]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

impl Options {
    /// Parses options as a command line has them, without a program's name in front.
    ///
    /// # Errors
    /// If an option is unknown or its value is; the error's text is clap's.
    pub fn parse<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Self, clap::Error> {
        let args = std::iter::once("bench").chain(args);
        CommandLine::try_parse_from(args).map(|line| line.options)
    }
}

impl Default for Options {
    /// The options of an empty command line.
    fn default() -> Self {
        Self::parse([]).expect("every option has a default or may be left out")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_command_line_gives_the_defaults() {
        let options = Options::default();
        assert_eq!(options.connection.server.port, 6379);
        assert_eq!(options.load.connections, 50);
        assert_eq!(options.data.ratio, Ratio { get: 1, set: 1 });
    }

    #[test]
    fn options_that_exclude_each_other_are_refused() {
        for line in [
            "--socket x --port 1",
            "--requests 1 --seconds 1",
            "--command PING --verify",
            "--command PING --ratio 1:1",
            "--user me",
            "--ratio 0:0",
            "--value-size x",
            "--distribution x",
            "--hash-tags 0",
            "--own-tag 100",
            "--hash-tags 2 --own-tag-shift 5",
            "--hash-tags 2 --own-tag 100 --own-tag-shift 0",
            "--insecure",
            "--cacert a.pem",
            "--tls --cert a.pem",
            "--tls --cacert a.pem --insecure",
        ] {
            assert!(Options::parse(line.split(' ')).is_err(), "{line}");
        }
    }
}
