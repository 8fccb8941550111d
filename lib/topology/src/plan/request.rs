//! What is asked of a plan: the settings that bear on it, as plain values.

use std::str::FromStr;

use crate::allocation::CpuAllocation;

/// What is asked of a plan. The default leaves every choice to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Which CPUs get a shard.
    pub cpu_allocation: CpuAllocation,
    /// Allows more shards than CPUs: for trying out many shards on a small machine.
    pub overprovisioned: bool,
    /// Which I/O backend.
    pub io: IoRequest,
    /// How much memory the data may take.
    pub maxmemory: MemoryRequest,
}

/// Which I/O backend is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IoRequest {
    /// io_uring where it works, polling elsewhere.
    #[default]
    Auto,
    /// io_uring or nothing.
    Uring,
    /// Polling even where io_uring works.
    Polling,
}

impl FromStr for IoRequest {
    type Err = String;

    /// Reads `auto`, `uring` or `polling`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "uring" => Ok(Self::Uring),
            "polling" => Ok(Self::Polling),
            _ => Err(format!("io = `{text}`: write auto, uring or polling")),
        }
    }
}

/// How much memory the data may take, over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryRequest {
    /// A share of what this process may use.
    #[default]
    Auto,
    /// No limit of our own.
    Unlimited,
    /// Exactly so much.
    Bytes(u64),
}
