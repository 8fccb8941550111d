//! A server under measurement: started for it alone, ended with us.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::place::{has_program, target};
use crate::server::{Child, Client, Launch, Process, free_port};

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) corelane: PathBuf,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
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
        self.start(program, words, |child| {
            let address = child.announced()?;
            let port = address
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok());
            port.ok_or(address)
        })
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
        let port = free_port()?;
        let text = port.to_string();
        let mut words = vec!["--port", &text, "--bind", "127.0.0.1", "--save", ""];
        words.extend(flags);
        let server = self.start(Path::new("redis-server"), &words, |child| {
            child.answers(port).map(|()| port)
        });
        server.map(Some)
    }

    fn start(
        &self,
        program: &Path,
        words: &[&str],
        ready: impl FnOnce(&mut Child) -> Result<u16, String>,
    ) -> Result<Server, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        // Several may run side by side.
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let logs = target().join("measure");
        fs::create_dir_all(&logs).map_err(|error| format!("no place for logs: {error}"))?;
        let log = logs.join(format!("{name}-{number}.log"));
        let folder = format!("measure-{name}-{}-{number}", std::process::id());
        let launch = Launch {
            program,
            processors: self.processors,
            dir: std::env::temp_dir().join(folder),
            log: Some(&log),
        };
        let mut child = launch.start(words)?;
        let ready = ready(&mut child);
        let mut server = Server {
            port: 0,
            child,
            log,
        };
        server.port = ready.map_err(|problem| {
            let said = server.log_from(0);
            format!("{name} did not get ready: {problem} {}", said.trim())
        })?;
        Ok(server)
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
        let ended = self.child.shut_down(self.port);
        ended.map_err(|problem| format!("{problem} {}", self.log_from(0).trim()))
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.ended().is_none()
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
