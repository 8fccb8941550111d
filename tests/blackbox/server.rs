//! A server under test: started on a free port, killed when dropped.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::conn::Conn;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Takes all that the server says on standard error: a full pipe would stop it in the middle of a line.
    listener: Option<JoinHandle<String>>,
    /// Where it listens; port 0 where that is a Unix socket alone.
    pub(crate) address: SocketAddr,
    pub(crate) ready_line: String,
    _dir: tempfile::TempDir,
}

/// The binary with what every test wants: its own directory, two shards, the backend under test.
pub(crate) fn command(dir: &std::path::Path) -> Command {
    prepared(Command::new(env!("CARGO_BIN_EXE_corelane")), dir)
}

/// The same where no more than so many files may be open.
fn command_within(open_files: u32, dir: &std::path::Path) -> Command {
    let mut shell = Command::new("sh");
    // Sets the hard limit as well, which nobody can raise again.
    let run = format!("ulimit -n {open_files} && exec \"$0\" \"$@\"");
    shell.args(["-c", &run, env!("CARGO_BIN_EXE_corelane")]);
    prepared(shell, dir)
}

fn prepared(mut command: Command, dir: &std::path::Path) -> Command {
    command
        .env_remove("RUST_LOG")
        .env("CORELANE_DIR", dir)
        .env("CORELANE_PORT", "0");
    let shards = std::env::var("CORELANE_TEST_SHARDS").unwrap_or_else(|_| "2".to_owned());
    command
        .env("CORELANE_CPU_ALLOCATION", shards)
        .env("CORELANE_OVERPROVISIONED", "yes");
    for (given, setting) in [
        ("CORELANE_TEST_IO", "CORELANE_IO"),
        ("CORELANE_TEST_IO_SHARDS", "CORELANE_IO_SHARDS"),
    ] {
        if let Ok(value) = std::env::var(given) {
            command.env(setting, value);
        }
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Server {
    /// Starts a server with settings given as `name value` pairs.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_by(settings, |_| {})
    }

    /// The same, with its command changed before the settings are added.
    pub(crate) fn start_by(settings: &[(&str, &str)], change: impl FnOnce(&mut Command)) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the server");
        let mut command = command(dir.path());
        change(&mut command);
        Self::run(command, dir, settings)
    }

    /// Starts one that can have so many files open and no more.
    pub(crate) fn start_within(open_files: u32, settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the server");
        let command = command_within(open_files, dir.path());
        Self::run(command, dir, settings)
    }

    fn run(mut command: Command, dir: tempfile::TempDir, settings: &[(&str, &str)]) -> Self {
        command.arg("serve");
        if settings.iter().any(|(name, _)| *name == "cpu-allocation") {
            // Who asks for so many shards means shards that own both.
            command.env_remove("CORELANE_IO_SHARDS");
        }
        for (name, value) in settings {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut child = command.spawn().expect("the binary starts");
        let listener = child.stderr.take().map(listen);
        let ready_line = match first_line(&mut child) {
            Some(line) => line,
            None => {
                let _ = child.kill();
                panic!("the server did not get ready: {}", heard(listener));
            }
        };
        let address = ready_line
            .strip_prefix("ready: ")
            .and_then(|l| l.split(',').next())
            .map(|a| a.trim_start_matches("tls "));
        let address = match address {
            Some(path) if path.starts_with('/') => SocketAddr::from(([0, 0, 0, 0], 0)),
            address => address
                .and_then(|a| a.parse().ok())
                .expect("an address in the ready line"),
        };
        Self {
            child,
            listener,
            address,
            ready_line,
            _dir: dir,
        }
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Conn {
        Conn::open(self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Open descriptors of the server.
    pub(crate) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        std::fs::read_dir(path).map_or(0, Iterator::count)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: a small system has no other.
        let kill = format!("kill -s {name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{kill}");
    }

    /// Waits for the end; gives its status and all it said on standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        (status, heard(self.listener.take()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a child with a bound.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status;
        }
        assert!(started.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until `holds`, with a bound.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What `INFO` counts under this name.
#[track_caller]
pub(crate) fn count(server: &Server, name: &str) -> u64 {
    let info = server.connect().call("INFO");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|number| number.trim().parse().ok())
        .unwrap_or_else(|| panic!("INFO has no number {name}"))
}

/// Ends the server and looks into what it has said on standard error.
#[track_caller]
pub(crate) fn logged(server: Server, words: &[&str]) {
    server.signal("TERM");
    let (status, said) = server.wait();
    assert!(status.success(), "{status}: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

/// Reads to the end, beside the test.
fn listen(mut stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = stderr.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// All that was said, once the server has ended.
fn heard(listener: Option<JoinHandle<String>>) -> String {
    let said = listener.map(JoinHandle::join);
    said.and_then(Result::ok).unwrap_or_default()
}

fn first_line(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (say, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(stdout)
            .read_line(&mut line)
            .is_ok_and(|bytes| bytes > 0)
        {
            let _ = say.send(line.trim_end().to_owned());
        }
    });
    said.recv_timeout(PATIENCE).ok()
}
