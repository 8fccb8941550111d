//! What clients may do and hold.

use std::time::Duration;

use crate::{OutputLimits, Settings, Value};

/// Limits on clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Clients at once, over all shards.
    pub max_clients: u32,
    /// Silence after which a client is disconnected.
    pub idle_timeout: Option<Duration>,
    /// Silence after which TCP asks for a sign of life.
    pub keepalive: Option<Duration>,
    /// Unread output after which a client is disconnected.
    pub output: OutputLimits,
    /// Memory that all clients together may hold before the largest are disconnected.
    pub max_memory: Option<MemoryShare>,
}

/// An amount of memory, as it is or as a part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryShare {
    /// So many bytes.
    Bytes(u64),
    /// So much of `maxmemory`; nothing where that is no limit.
    Percent(u8),
}

impl MemoryShare {
    /// In bytes, with a `maxmemory` of so many; 0 is no limit in both.
    pub fn of(self, max_memory_bytes: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                (u128::from(max_memory_bytes) * u128::from(percent) / 100) as u64
            }
        }
    }
}

/// Limits on what a request may announce and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// Longest argument, in bytes; longest string value too.
    pub max_bulk_bytes: u64,
    /// Unfinished request bytes per client.
    pub max_query_bytes: u64,
}

impl Settings {
    /// Limits on clients.
    pub fn client_limits(&self) -> ClientLimits {
        ClientLimits {
            max_clients: self.number("maxclients"),
            idle_timeout: self.span("timeout", Duration::from_secs),
            keepalive: self.span("tcp-keepalive", Duration::from_secs),
            output: match self.value("client-output-buffer-limit") {
                Value::Output(limits) => *limits,
                other => unreachable!("client-output-buffer-limit holds {other:?}"),
            },
            max_memory: match self.value("maxmemory-clients") {
                Value::Bytes(0) | Value::Percent(0) => None,
                Value::Bytes(bytes) => Some(MemoryShare::Bytes(*bytes)),
                Value::Percent(percent) => Some(MemoryShare::Percent(*percent)),
                other => unreachable!("maxmemory-clients holds {other:?}"),
            },
        }
    }

    /// Limits on requests.
    pub fn wire_limits(&self) -> WireLimits {
        WireLimits {
            max_bulk_bytes: self.bytes("proto-max-bulk-len"),
            max_query_bytes: self.bytes("client-query-buffer-limit"),
        }
    }

    /// A length of time; 0 is none.
    fn span(&self, name: &str, unit: fn(u64) -> Duration) -> Option<Duration> {
        Some(self.number(name)).filter(|&n: &u64| n > 0).map(unit)
    }
}
