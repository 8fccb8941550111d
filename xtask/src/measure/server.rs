//! A server under measurement: started for it alone, ended with us.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;
use super::process::Process;
use crate::place::{has_program, target};

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) corelane: PathBuf,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
    dir: PathBuf,
    log: PathBuf,
}

/// Which server, and on which processors.
pub(crate) struct Start<'a> {
    pub(crate) programs: &'a Programs,
    /// Processors as `taskset` takes them; all if there are none.
    pub(crate) processors: Option<&'a str>,
}

impl Start<'_> {
    /// Starts Corelane with so many shards and these flags.
    ///
    /// # Errors
    /// If it does not get ready.
    pub(crate) fn corelane(&self, shards: usize, flags: &[&str]) -> Result<Server, String> {
        let shards = shards.to_string();
        let mut words = vec!["serve", "--port", "0", "--cpu-allocation", &shards];
        words.extend(flags);
        self.announced(&self.programs.corelane, &words)
    }

    /// Starts Corelane under valgrind's tool.
    ///
    /// # Errors
    /// As for [`corelane`](Self::corelane).
    pub(crate) fn corelane_under(
        &self,
        tool: &[&str],
        shards: usize,
        flags: &[&str],
    ) -> Result<Server, String> {
        let shards = shards.to_string();
        let program = self.programs.corelane.to_string_lossy();
        let mut words = tool.to_vec();
        words.extend([
            program.as_ref(),
            "serve",
            "--port",
            "0",
            "--cpu-allocation",
            &shards,
        ]);
        words.extend(flags);
        self.announced(Path::new("valgrind"), &words)
    }

    /// Starts what says where it listens.
    fn announced(&self, program: &Path, words: &[&str]) -> Result<Server, String> {
        let (mut server, line) = self.start(program, words, ready_line)?;
        server.port = line
            .strip_prefix("ready: ")
            .and_then(|rest| rest.split(',').next()?.rsplit(':').next()?.parse().ok())
            .ok_or_else(|| format!("corelane said {line:?} instead of its address"))?;
        Ok(server)
    }

    /// Starts redis-server with these flags; nothing where it is not installed.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn redis(&self, flags: &[&str]) -> Result<Option<Server>, String> {
        if !has_program("redis-server") {
            eprintln!("measure: no redis-server beside it: `apt-get install redis-server`");
            return Ok(None);
        }
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let text = port.to_string();
        let mut words = vec!["--port", &text, "--bind", "127.0.0.1", "--save", ""];
        words.extend(flags);
        let (mut server, ()) = self.start(Path::new("redis-server"), &words, |_| {
            until_it_answers(port)
        })?;
        server.port = port;
        Ok(Some(server))
    }

    fn start<T>(
        &self,
        program: &Path,
        words: &[&str],
        ready: impl FnOnce(&mut Child) -> Result<T, String>,
    ) -> Result<(Server, T), String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let failed = |error: io::Error| format!("cannot start {name}: {error}");
        // Several may run side by side.
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = format!("measure-{name}-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(folder);
        let logs = target().join("measure");
        let log = logs.join(format!("{name}-{number}.log"));
        fs::create_dir_all(&dir).map_err(failed)?;
        fs::create_dir_all(&logs).map_err(failed)?;
        let mut command = match self.processors {
            // taskset becomes the server, so the child's id is the server's.
            Some(processors) => {
                let mut command = Command::new("taskset");
                command.args(["-c", processors]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .args(words)
            .current_dir(&dir)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let answered = ready(&mut child);
        let server = Server {
            port: 0,
            child,
            dir,
            log,
        };
        match answered {
            Ok(answer) => Ok((server, answer)),
            Err(problem) => Err(format!(
                "{name} did not get ready: {problem} {}",
                server.log_from(0).trim()
            )),
        }
    }
}

impl Server {
    /// The process.
    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// A connection to it.
    ///
    /// # Errors
    /// If it does not listen any more.
    pub(crate) fn client(&self) -> Result<Client, String> {
        Client::connect(self.port)
    }

    /// Lets it end, and waits for that.
    ///
    /// # Errors
    /// If it cannot be told, or does not end well.
    pub(crate) fn shut_down(&mut self) -> Result<(), String> {
        // It says nothing: the connection ends.
        let _ = self.client()?.call("SHUTDOWN NOSAVE");
        let ended = self.child.wait().map_err(|error| error.to_string())?;
        match ended.success() {
            true => Ok(()),
            false => Err(format!(
                "it ended with {ended}: {}",
                self.log_from(0).trim()
            )),
        }
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has said on standard error, from that byte on.
    pub(crate) fn log_from(&self, start: u64) -> String {
        let mut text = Vec::new();
        // A log that cannot be read says nothing.
        let _ = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_to_end(&mut text)
        });
        String::from_utf8_lossy(&text).into_owned()
    }

    /// How much it has said.
    pub(crate) fn log_bytes(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |log| log.len())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the server has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Left-over files lie in the system's folder for such.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The first line of the child's output; the pipe stays open until it ends.
fn ready_line(child: &mut Child) -> Result<String, String> {
    let stdout = child.stdout.as_mut().ok_or("it has no output")?;
    let mut line = String::new();
    match BufReader::new(stdout).read_line(&mut line) {
        Ok(bytes) if bytes > 0 => Ok(line.trim_end().to_owned()),
        Ok(_) => Err("it ended".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn until_it_answers(port: u16) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match Client::connect(port).and_then(|mut client| client.call("PING")) {
            Ok(_) => return Ok(()),
            Err(problem) if started.elapsed() > START_PATIENCE => return Err(problem),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
