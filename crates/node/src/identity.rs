//! What does not change while a node runs: its name, its age, where it listens.

use std::path::PathBuf;

/// A node's identity, shared by all its shards.
#[derive(Debug, Clone)]
pub struct Identity {
    /// This program's version.
    pub version: &'static str,
    /// 40 hexadecimal digits, drawn at each start.
    pub run_id: String,
    /// When it started, Unix milliseconds.
    pub started_ms: u64,
    /// The process.
    pub process_id: u32,
    /// The port it listens on; 0 for none.
    pub port: u16,
    /// The program's file.
    pub executable: PathBuf,
    /// The configuration file, if there is one.
    pub config_file: Option<PathBuf>,
    /// `io_uring`, `polling` or `sim`.
    pub backend: String,
    /// The machine's system, as `uname` says it.
    pub system: String,
    /// Memory the machine or its container has, bytes.
    pub total_memory_bytes: u64,
}
