//! A server under comparison: started on its processors.

use std::path::Path;

use super::plan::Processors;
use super::server::Contender;
use crate::server::{Child, Launch, Process, free_port};

/// A running server.
pub(crate) struct Server {
    pub(crate) contender: Contender,
    pub(crate) port: u16,
    /// The processors that are left for the generator.
    pub(crate) generator: String,
    child: Child,
}

impl Server {
    /// Starts `program` on its processors and waits until it answers.
    ///
    /// # Errors
    /// If it does not start or does not answer in time.
    pub(crate) fn start(contender: Contender, program: &Path) -> Result<Self, String> {
        let Contender {
            server: kind,
            shards,
        } = contender;
        let processors = Processors::share(shards)?;
        let port = free_port()?;
        let folder = format!("compare-{kind}-{shards}-{}", std::process::id());
        let launch = Launch {
            program,
            processors: Some(&processors.server),
            dir: std::env::temp_dir().join(folder),
            log: None,
        };
        let words = kind.arguments(port, shards, &launch.dir);
        let mut child = launch.start(words)?;
        child
            .answers(port)
            .map_err(|problem| format!("{contender}, port {port}: {problem}"))?;
        Ok(Self {
            contender,
            port,
            generator: processors.generator,
            child,
        })
    }

    /// The process.
    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }
}
