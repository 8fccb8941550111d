//! `corelane resize`: lets more or fewer shards of a running server serve, and shows how far it has come.

use std::io::{IsTerminal, Read, Write, stderr};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::{Arg, ArgMatches, value_parser};
use corelane_wire::{Decoder, Value, encode_command};
use indicatif::{ProgressBar, ProgressStyle};

use super::Subcommand;
use crate::failure::Failure;
use crate::output;

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "resize",
    about: "Let more or fewer shards of a running server serve, while its clients run",
    define,
    run,
};

/// How often the server is asked how far it has come.
const LOOK: Duration = Duration::from_millis(50);

/// How long it may be silent before that counts as an end.
const PATIENCE: Duration = Duration::from_secs(60);

fn define(command: clap::Command) -> clap::Command {
    let shards = Arg::new("shards")
        .required(true)
        .value_name("N")
        .help("How many shards are to serve, or auto");
    let host = Arg::new("host")
        .long("host")
        .default_value("127.0.0.1")
        .help("Name or address of the server");
    let port = Arg::new("port")
        .long("port")
        .short('p')
        .value_parser(value_parser!(u16))
        .default_value("6379")
        .help("Port of the server");
    let socket = Arg::new("socket")
        .long("socket")
        .short('s')
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .conflicts_with_all(["host", "port"])
        .help("Path of the server's Unix socket, instead of host and port");
    let password = Arg::new("password")
        .long("password")
        .short('a')
        .env("CORELANE_BENCH_PASSWORD")
        .hide_env_values(true)
        .help("Password to log in with");
    command.args([shards, host, port, socket, password])
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let shards = text("shards").unwrap_or_default();
    let mut asking = Client::connect(matches)?;
    let mut watching = Client::connect(matches)?;
    let (say, answer) = channel();
    std::thread::spawn(move || {
        // Nobody listens any more only if the program ends.
        let _ = say.send(asking.call(&["CONFIG", "SET", "shards", &shards]));
    });
    let bar = bar();
    let answer = wait(&answer, || {
        if let Some((moved, planned)) = watching.progress() {
            bar.set_length(planned);
            bar.set_position(moved);
        }
    });
    bar.finish_and_clear();
    match answer? {
        Value::Error(text) => Err(Failure::Ran(text)),
        _ => {
            let serving = watching.figure("shards_serving").unwrap_or_default();
            output::print(&match serving {
                1 => "1 shard serves\n".to_owned(),
                _ => format!("{serving} shards serve\n"),
            })
        }
    }
}

/// The answer; `meanwhile` is called until it is there.
fn wait(
    answer: &Receiver<Result<Value, Failure>>,
    mut meanwhile: impl FnMut(),
) -> Result<Value, Failure> {
    loop {
        match answer.recv_timeout(LOOK) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => meanwhile(),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Ran("the server was not asked".to_owned()));
            }
        }
    }
}

/// For a person who watches; nothing in a pipe.
fn bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} partitions moved");
    ProgressBar::new(0).with_style(style.expect("the template is a constant and well formed"))
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A connection that asks one thing after the other.
struct Client {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

impl Client {
    fn connect(matches: &ArgMatches) -> Result<Self, Failure> {
        let (name, connected) = match matches.get_one::<PathBuf>("socket") {
            Some(path) => (path.display().to_string(), unix(path)),
            None => {
                let host = matches.get_one::<String>("host").cloned();
                let host = host.unwrap_or_default();
                let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
                (format!("{host}:{port}"), tcp(&host, port))
            }
        };
        let stream = connected
            .map_err(|error| Failure::Ran(format!("no server answers at {name}: {error}")))?;
        let unread = Vec::new();
        let mut client = Self { stream, unread };
        if let Some(password) = matches.get_one::<String>("password")
            && let Value::Error(text) = client.call(&["AUTH", password])?
        {
            return Err(Failure::Ran(text));
        }
        Ok(client)
    }

    fn call(&mut self, words: &[&str]) -> Result<Value, Failure> {
        let failed = |what: String| Failure::Ran(format!("the server did not answer: {what}"));
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().map(|word| word.as_bytes()));
        let sent = self.stream.write_all(&request);
        sent.map_err(|error| failed(error.to_string()))?;
        loop {
            match Decoder::new().decode(&self.unread) {
                Ok(Some((value, used))) => {
                    self.unread.drain(..used);
                    return Ok(value);
                }
                Ok(None) => {}
                Err(error) => return Err(failed(error.to_string())),
            }
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(failed("it closed the connection".to_owned())),
                Ok(bytes) => self.unread.extend_from_slice(&chunk[..bytes]),
                Err(error) => return Err(failed(error.to_string())),
            }
        }
    }

    /// Partitions moved, and how many are to move, while a resize goes on.
    fn progress(&mut self) -> Option<(u64, u64)> {
        let moved = self.figure("resize_partitions_moved")?;
        Some((moved, self.figure("resize_partitions")?))
    }

    /// A number of the section `shards` of `INFO`.
    fn figure(&mut self, name: &str) -> Option<u64> {
        let info = self.call(&["INFO", "shards"]).ok()?;
        let text = String::from_utf8_lossy(info.as_bytes()?).into_owned();
        let mut values = text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = values.find(|(line, _)| *line == name)?;
        value.trim_end().parse().ok()
    }
}

fn tcp(host: &str, port: u16) -> std::io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((host, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(Box::new(stream))
}

fn unix(path: &PathBuf) -> std::io::Result<Box<dyn Stream>> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(Box::new(stream))
}
