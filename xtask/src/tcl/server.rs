//! The server under judgement: started on a free port, asked to end, its exit looked at.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked at while it ends.
const POLL: Duration = Duration::from_millis(10);

/// How a server is started.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) shards: usize,
    pub(crate) io: &'a str,
    /// What it logs goes here.
    pub(crate) log: &'a Path,
}

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// `host:port`
    address: String,
    dir: PathBuf,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    ///
    /// # Errors
    /// If it cannot be started, ends, or does not get ready in time.
    pub(crate) fn start(start: &Start<'_>) -> Result<Self, String> {
        let failed =
            |error: io::Error| format!("cannot start {}: {error}", start.program.display());
        let dir = start.log.with_extension("dir");
        fs::create_dir_all(&dir).map_err(failed)?;
        let mut child = Command::new(start.program)
            .args(["serve", "--port", "0", "--enable-debug-command", "yes"])
            // Two shards on one processor must do as well as on two.
            .args(["--overprovisioned", "yes", "--io", start.io])
            .args(["--cpu-allocation", &start.shards.to_string()])
            .arg("--dir")
            .arg(&dir)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(start.log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let ready = first_line(&mut child);
        let mut server = Self {
            child,
            address: String::new(),
            dir,
        };
        let address = ready
            .strip_prefix("ready: ")
            .and_then(|rest| rest.split(',').next());
        match address {
            Some(address) => server.address = address.to_owned(),
            None => {
                return Err(format!(
                    "the server did not get ready, see {}",
                    start.log.display()
                ));
            }
        }
        Ok(server)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> (&str, &str) {
        self.address.rsplit_once(':').unwrap_or((&self.address, ""))
    }

    /// Asks it to end, and looks how it did.
    ///
    /// # Errors
    /// If it had ended before, does not end, or ends with an error.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(format!("the server ended during the tests: {status}"));
        }
        let mut stream = TcpStream::connect(&self.address)
            .map_err(|error| format!("the server is not reached after the tests: {error}"))?;
        stream.write_all(b"SHUTDOWN NOSAVE\r\n").map_err(|error| {
            format!("the server does not take commands after the tests: {error}")
        })?;
        match wait(&mut self.child) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the server ended badly: {status}")),
            None => Err(format!("the server did not end within {PATIENCE:?}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the server has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What is left over lies in the build folder.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The first line that a child prints; empty if it prints none in time.
fn first_line(child: &mut Child) -> String {
    let Some(stdout) = child.stdout.take() else {
        return String::new();
    };
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok() {
            // Nobody listens any more when it came too late.
            let _ = say.send(line.trim_end().to_owned());
        }
        // Whatever else it prints must not block it.
        let _ = io::copy(&mut reader.by_ref(), &mut io::sink());
    });
    said.recv_timeout(PATIENCE).unwrap_or_default()
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(POLL);
    }
    None
}
