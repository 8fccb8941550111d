//! The server under judgement: started on a free port, asked to end, its exit looked at.

use std::path::Path;

use crate::server::{Child, Launch};

/// How a server is started.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) shards: usize,
    pub(crate) io: &'a str,
    /// What it logs goes here.
    pub(crate) log: &'a Path,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// `host:port`
    address: String,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    ///
    /// # Errors
    /// If it cannot be started, ends, or does not get ready in time.
    pub(crate) fn start(start: &Start<'_>) -> Result<Self, String> {
        let shards = start.shards.to_string();
        let launch = Launch {
            program: start.program,
            processors: None,
            dir: start.log.with_extension("dir"),
            log: Some(start.log),
        };
        let mut words = vec!["serve", "--port", "0", "--enable-debug-command", "yes"];
        // Two shards on one processor must do as well as on two.
        words.extend(["--overprovisioned", "yes", "--io", start.io]);
        words.extend(["--cpu-allocation", &shards, "--dir", "."]);
        let mut child = launch.start(words)?;
        let address = child.announced().map_err(|problem| {
            let log = start.log.display();
            format!("the server did not get ready, see {log}: {problem}")
        })?;
        Ok(Self { child, address })
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
        let (_, port) = self.address();
        let port = port
            .parse()
            .map_err(|_| format!("no port: {}", self.address))?;
        self.child.shut_down(port)
    }
}
