//! A server as a child process: started on its processors in a folder of its own, ended with us.
//!
//! All run throughout: an idle one takes about a thousandth of a processor. (Stopping them with
//! SIGSTOP ends kevy 2.1.0: it takes the interrupted wait for an error.)

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;

/// How long a server may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked at meanwhile.
const POLL: Duration = Duration::from_millis(10);

/// How a server is started.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a Path,
    /// Processors as `taskset` takes them; all if there are none.
    pub(crate) processors: Option<&'a str>,
    /// Its working directory: made, and removed at the end.
    pub(crate) dir: PathBuf,
    /// What it says on standard error goes here.
    pub(crate) log: Option<&'a Path>,
}

/// A running server, killed when dropped.
pub(crate) struct Child {
    process: process::Child,
    /// Locked by nobody: a receiver alone could not be lent to the threads of a load.
    first_line: Mutex<mpsc::Receiver<String>>,
    dir: PathBuf,
}

impl Launch<'_> {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no such program, or no place for its files.
    pub(crate) fn start(
        self,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Child, String> {
        let name = self.program.display().to_string();
        let failed = |error: io::Error| format!("cannot start {name}: {error}");
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let said = match self.log {
            Some(log) => File::create(log).map_err(failed)?.into(),
            None => Stdio::null(),
        };
        let mut command = match self.processors {
            // taskset becomes the server, so the child's id is the server's.
            Some(processors) => {
                let mut command = Command::new("taskset");
                command.args(["-c", processors]).arg(self.program);
                command
            }
            None => Command::new(self.program),
        };
        let mut process = command
            .args(words)
            .current_dir(&self.dir)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .map_err(failed)?;
        Ok(Child {
            first_line: Mutex::new(first_line(&mut process)),
            process,
            dir: self.dir,
        })
    }
}

impl Child {
    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Waits until it says where it listens: `host:port`.
    ///
    /// # Errors
    /// What it said instead, or that it said nothing in time.
    pub(crate) fn announced(&mut self) -> Result<String, String> {
        let said = self.first_line.get_mut().ok();
        let line = said.and_then(|said| said.recv_timeout(PATIENCE).ok());
        let line = line.unwrap_or_default();
        let address = line
            .strip_prefix("ready: ")
            .and_then(|rest| rest.split(',').next());
        let address = address.filter(|address| address.contains(':'));
        address.map(str::to_owned).ok_or_else(|| match &line[..] {
            "" => "it said nothing".to_owned(),
            line => format!("it said {line:?} instead of its address"),
        })
    }

    /// Waits until it answers on a port of the loopback.
    ///
    /// # Errors
    /// If it ends, or does not answer in time.
    pub(crate) fn answers(&mut self, port: u16) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let asked = Client::connect(port).and_then(|mut client| client.call("PING"));
            match (asked, self.ended()) {
                (Ok(_), _) => return Ok(()),
                (_, Some(status)) => return Err(format!("it ended at once: {status}")),
                (Err(problem), None) if started.elapsed() > PATIENCE => return Err(problem),
                (Err(_), None) => thread::sleep(POLL),
            }
        }
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// If it had ended before, cannot be told, ends badly, or not in time.
    pub(crate) fn shut_down(&mut self, port: u16) -> Result<(), String> {
        if let Some(status) = self.ended() {
            return Err(format!("the server had ended before: {status}"));
        }
        // It says nothing: the connection ends.
        let _ = Client::connect(port)?.call("SHUTDOWN NOSAVE");
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            match self.ended() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server ended badly: {status}")),
                None => thread::sleep(POLL),
            }
        }
        Err(format!("the server did not end within {PATIENCE:?}"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only if the server has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Left-over files lie in the system's folder for such, or in the build folder.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The first line that a child will print. Whatever else it prints must not block it.
fn first_line(child: &mut process::Child) -> mpsc::Receiver<String> {
    let (say, said) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            if reader.read_line(&mut line).is_ok() {
                // Not everybody listens.
                let _ = say.send(line.trim_end().to_owned());
            }
            let _ = io::copy(&mut reader, &mut io::sink());
        });
    }
    said
}

/// A port that is free now.
///
/// # Errors
/// If there is none.
pub(crate) fn free_port() -> Result<u16, String> {
    let port = || Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    port().map_err(|error: io::Error| format!("no free port: {error}"))
}
