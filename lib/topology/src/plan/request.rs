//! What is asked of a plan: the settings that bear on it, as plain values.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::allocation::CpuAllocation;
use crate::host::quoted;
use crate::plan::profile::Profile;

/// What is asked of a plan. The default leaves every choice to the profile `production` and the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Decides what is not asked for below.
    pub profile: Profile,
    /// Which CPUs get a shard.
    pub cpu_allocation: Option<CpuAllocation>,
    /// Allows more shards than CPUs: for trying out many shards on a small machine.
    pub overprovisioned: bool,
    /// Whether connections have shards of their own.
    pub layout: Option<Layout>,
    /// Which I/O backend.
    pub io: IoRequest,
    /// How much memory the data may take.
    pub maxmemory: MemoryRequest,
    /// Where random numbers begin.
    pub seed: Option<u64>,
}

impl Request {
    /// Leaves every choice to `profile` and the machine.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }
}

/// Who owns connections, and who data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Every shard owns both.
    #[default]
    Unified,
    /// Some shards own connections and no data, the others data and no connections: for machines with
    /// many cores, where the kernel's part of a connection would push the data out of a core's caches.
    Split {
        /// How many shards own connections; they are among the shards that are counted, not beside them.
        io_shards: usize,
    },
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unified => f.write_str("unified"),
            Self::Split { io_shards } => write!(f, "split:{io_shards}"),
        }
    }
}

impl FromStr for Layout {
    type Err = String;

    /// Reads `unified`, or `split:2` for two I/O shards.
    fn from_str(text: &str) -> Result<Self, String> {
        let io_shards = match (text, text.strip_prefix("split:")) {
            ("unified", _) => return Ok(Self::Unified),
            (_, Some(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().ok().filter(|&count| count > 0)
            }
            _ => None,
        };
        let layout = io_shards.map(|io_shards| Self::Split { io_shards });
        layout.ok_or_else(|| {
            format!(
                "layout = `{}`: write `unified`, or `split:` and the number of shards for connections, such as `split:2`",
                quoted(text)
            )
        })
    }
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

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn layouts_are_read_as_they_are_written() {
        for layout in [Layout::Unified, Layout::Split { io_shards: 12 }] {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        for text in [
            "",
            "split",
            "split:",
            "split:0",
            "split:+1",
            "split:99999999999999999999",
        ] {
            let error = text.parse::<Layout>().unwrap_err();
            assert!(
                error.starts_with(&format!("layout = `{text}`: write `unified`, or ")),
                "{error}"
            );
        }
    }
}
