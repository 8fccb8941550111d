//! One server as a child process: started on its processors, ended with us.
//!
//! All run throughout: an idle one takes about a thousandth of a processor. (Stopping them with
//! SIGSTOP ends kevy 2.1.0: it takes the interrupted wait for an error.)

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::plan::Processors;
use super::server::Contender;

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked meanwhile.
const START_POLL: Duration = Duration::from_millis(20);

/// A running server.
pub(crate) struct Server {
    pub(crate) contender: Contender,
    pub(crate) port: u16,
    /// The processors that are left for the generator.
    pub(crate) generator: String,
    child: Child,
    dir: PathBuf,
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
        let failed = |error: io::Error| format!("cannot start {contender}: {error}");
        let processors = Processors::share(shards)?;
        let port = free_port().map_err(failed)?;
        let dir =
            std::env::temp_dir().join(format!("compare-{kind}-{shards}-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(failed)?;
        // taskset becomes the server, so the child's id is the server's.
        let child = Command::new("taskset")
            .args(["-c", &processors.server])
            .arg(program)
            .args(kind.arguments(port, shards, &dir))
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut server = Self {
            contender,
            port,
            generator: processors.generator,
            child,
            dir,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < START_PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended at once: {status}", self.contender));
            }
            if answers(self.port) {
                return Ok(());
            }
            thread::sleep(START_POLL);
        }
        Err(format!(
            "{} does not answer on port {}",
            self.contender, self.port
        ))
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

fn answers(port: u16) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(START_PATIENCE))?;
        stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        Ok(&reply == b"+PONG\r\n")
    };
    ask().unwrap_or(false)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
