//! What does not change while a node runs: its name, its age, where it listens.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use corelane::ShardId;

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
    /// The first address it listens on, if it listens on any.
    pub ip: Option<IpAddr>,
    /// The port of each shard that may come to serve, by its number, 0 for one without; none without `shard-ports`.
    pub shard_ports: Vec<u16>,
    /// The same for TLS.
    pub tls_shard_ports: Vec<u16>,
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

impl Identity {
    /// Whether shards have ports of their own, and so are a cluster to its clients.
    pub fn has_shard_ports(&self) -> bool {
        !(self.shard_ports.is_empty() && self.tls_shard_ports.is_empty())
    }

    /// A shard's own port without TLS.
    pub fn shard_port(&self, shard: ShardId) -> Option<u16> {
        of_shard(&self.shard_ports, shard)
    }

    /// A shard's own port for TLS.
    pub fn tls_shard_port(&self, shard: ShardId) -> Option<u16> {
        of_shard(&self.tls_shard_ports, shard)
    }

    /// Where a client of this machine reaches the server.
    pub(crate) fn local_ip(&self) -> IpAddr {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.ip
            .filter(|ip| !ip.is_unspecified())
            .unwrap_or(loopback)
    }
}

fn of_shard(ports: &[u16], shard: ShardId) -> Option<u16> {
    ports.get(shard.index()).copied().filter(|port| *port != 0)
}
