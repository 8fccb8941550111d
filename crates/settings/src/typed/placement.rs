//! Shards, processors, I/O and memory.

use corelane_topology::{Layout, MemoryRequest, Request};

use crate::{Settings, Value};

/// Shards, processors and I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What to ask of the topology's plan: processors, I/O backend, memory.
    pub request: Request,
    /// How many shards serve, unless the plan decides.
    pub shards: Option<usize>,
    /// How many shards there is room for, unless the plan decides.
    pub max_shards: Option<usize>,
    /// How long a shard that waits for another spins before it sleeps, in microseconds, unless the
    /// plan decides.
    pub spin_us: Option<u32>,
    /// How long a task may hold its shard before it is logged, in milliseconds, unless the plan
    /// decides; 0 is for ever.
    pub stall_ms: Option<u64>,
}

/// The memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// For the data of all shards together.
    pub max_memory: MaxMemory,
}

/// `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxMemory {
    /// `auto`, and the machine has not been looked at yet ([`Settings::detect`]).
    Auto,
    /// No limit.
    Unlimited,
    /// So many bytes.
    Bytes(u64),
}

impl Settings {
    /// Shards, processors and I/O.
    pub fn placement(&self) -> Placement {
        let request = Request {
            // All were read before they became values; `auto` is no allocation.
            profile: self.text("profile").parse().unwrap_or_default(),
            cpu_allocation: self.text("cpu-allocation").parse().ok(),
            layout: match self.number("io-shards") {
                0 => None,
                io_shards => Some(Layout::Split { io_shards }),
            },
            io: self.text("io").parse().unwrap_or_default(),
            overprovisioned: self.bool("overprovisioned"),
            maxmemory: match self.value_as_given("maxmemory") {
                Value::Bytes(0) => MemoryRequest::Unlimited,
                Value::Bytes(bytes) => MemoryRequest::Bytes(*bytes),
                _ => MemoryRequest::Auto,
            },
            seed: None,
        };
        let count = |name| match self.value(name) {
            Value::Auto => None,
            _ => Some(self.number(name)),
        };
        Placement {
            request,
            shards: count("shards"),
            max_shards: count("max-shards"),
            spin_us: match self.value("spin-us") {
                Value::Auto => None,
                _ => Some(self.number("spin-us")),
            },
            stall_ms: match self.value("stall-threshold-ms") {
                Value::Auto => None,
                _ => Some(self.number("stall-threshold-ms")),
            },
        }
    }

    /// The memory limit.
    pub fn memory_limits(&self) -> MemoryLimits {
        let max_memory = match self.value("maxmemory") {
            Value::Bytes(0) => MaxMemory::Unlimited,
            Value::Bytes(bytes) => MaxMemory::Bytes(*bytes),
            _ => MaxMemory::Auto,
        };
        MemoryLimits { max_memory }
    }
}

#[cfg(test)]
mod tests {
    use corelane_topology::{CpuAllocation, IoRequest, Profile};

    use super::*;
    use crate::{Kind, Source, find};

    #[test]
    fn a_plan_is_asked_for_what_was_given() {
        let mut settings = Settings::default();
        let rows = [
            ("profile", "low-latency"),
            ("cpu-allocation", "2..4"),
            ("io-shards", "1"),
            ("stall-threshold-ms", "0"),
            ("io", "polling"),
            ("overprovisioned", "yes"),
            ("spin-us", "7"),
            ("maxmemory", "1gb"),
        ];
        for (name, text) in rows {
            let (index, setting) = find(name).unwrap();
            let value = setting.kind.parse(text.as_bytes(), None).unwrap();
            settings.put(index, value, Source::ConfigSet);
        }
        let want = Request {
            profile: Profile::LowLatency,
            cpu_allocation: Some(CpuAllocation::Range(2..4)),
            layout: Some(Layout::Split { io_shards: 1 }),
            overprovisioned: true,
            io: IoRequest::Polling,
            maxmemory: MemoryRequest::Bytes(1 << 30),
            ..Request::default()
        };
        assert_eq!(settings.placement().request, want);
        assert_eq!(settings.placement().spin_us, Some(7));
        assert_eq!(settings.placement().stall_ms, Some(0));
    }

    #[test]
    fn every_profile_is_a_word_of_its_setting() {
        let (_, setting) = find("profile").unwrap();
        let words = Profile::ALL.map(Profile::name);
        assert!(matches!(setting.kind, Kind::Word(known) if known == words));
    }
}
