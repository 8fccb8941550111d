//! The machine's memory, before any control group's limit.

use serde::Serialize;

use crate::host::Host;
use crate::text::meminfo_bytes;

/// What `/proc/meminfo` says of the whole machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it; `None` when the kernel does not tell.
    pub total_bytes: Option<u64>,
    /// What could be taken now without swapping (`MemAvailable`).
    pub available_bytes: Option<u64>,
}

impl Memory {
    pub(crate) fn read(host: &Host) -> Self {
        let path = "/proc/meminfo";
        let Some(meminfo) = host.text(path) else {
            return Self::default();
        };
        let total_bytes = meminfo_bytes(&meminfo, "MemTotal:").filter(|&bytes| bytes > 0);
        if total_bytes.is_none() {
            host.warn(path, "has no `MemTotal` in kB".to_owned());
        }
        let available_bytes = meminfo_bytes(&meminfo, "MemAvailable:");
        Self {
            total_bytes,
            available_bytes,
        }
    }
}
