//! What the tests of this folder share: the real binary, and plain blocking sockets.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that runs; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    /// Files that it has open without any connection.
    idle_files: usize,
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_affinity"))
            .args(["serve", "--listen", "127.0.0.1:0", "--spin-us", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout)
            .read_line(&mut ready)
            .expect("a line");
        let addr = ready
            .trim()
            .strip_prefix("ready on ")
            .expect("the line that says ready");
        let mut server = Server {
            addr: addr.parse().expect("an address"),
            child,
            idle_files: 0,
        };
        server.idle_files = server.open_files();
        server
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.addr).expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        Client(BufReader::new(stream))
    }

    /// What all shards have counted under `name`.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let stats = self.connect().ask("stats");
        let value = stats
            .split(' ')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {stats}"))
    }

    fn open_files(&self) -> usize {
        self.open_paths().len()
    }

    /// What the descriptors of the process lead to.
    fn open_paths(&self) -> Vec<std::path::PathBuf> {
        let list = format!("/proc/{}/fd", self.child.id());
        let entries = std::fs::read_dir(list).expect("the list of open files");
        // One that was closed since it was listed leads nowhere.
        entries
            .filter_map(|entry| std::fs::read_link(entry.expect("an entry").path()).ok())
            .collect()
    }

    /// Waits until only those files are open that were before the first connection.
    pub(crate) fn has_lost_no_file(&self) {
        let idle = self.idle_files;
        eventually(
            || self.open_files() == idle,
            || format!("open are {:?}, not {idle} files", self.open_paths()),
        );
    }

    /// Asks it to stop, and how it ended.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        self.child.wait().expect("its end")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until it is so, within ten seconds.
pub(crate) fn eventually(is_so: impl Fn() -> bool, what: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "{}", what());
        std::thread::yield_now();
    }
}

/// A blocking client.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("write");
    }

    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        assert!(
            line.ends_with('\n'),
            "the connection ended within \"{line}\""
        );
        line.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.write(format!("{line}\n").as_bytes());
        self.line()
    }

    /// As [`Client::ask`]; none where the connection ended instead.
    pub(crate) fn try_ask(&mut self, line: &str) -> Option<String> {
        self.0
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        line.strip_suffix('\n').map(str::to_owned)
    }

    /// Writes until there is no room for some time, or so many bytes are written; how many were.
    pub(crate) fn write_until_stuck(&mut self, bytes: &[u8], most: usize) -> usize {
        let stream = self.0.get_mut();
        stream
            .set_write_timeout(Some(Duration::from_millis(500)))
            .expect("a timeout");
        let mut written = 0;
        while written < most {
            match stream.write(&bytes[written % bytes.len()..]) {
                Ok(some) => written += some,
                Err(_) => break,
            }
        }
        written
    }

    pub(crate) fn end_writing(&mut self) {
        self.0
            .get_mut()
            .shutdown(Shutdown::Write)
            .expect("shutdown");
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).expect("the rest");
        rest
    }
}
