//! Whether io_uring can be used: the kernel's switch and a real attempt, put into one sentence.
//!
//! Version numbers say little: containers forbid the calls by seccomp, administrators by a sysctl,
//! and distributions backport. So a ring is set up with the very flags that the runtime needs and
//! asked for the operations that it uses; [`IoUring`] is what came of it.

use serde::Serialize;

use crate::host::{Host, quoted};

const SWITCH: &str = "/proc/sys/kernel/io_uring_disabled";

/// What came of trying to set up a ring; handed in, so that a fake machine can answer either way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Probe {
    /// A ring with the needed flags and operations stood.
    Works,
    /// It did not; the text says why and what would help.
    Refused(String),
    /// Nobody tried: these are another machine's files.
    #[default]
    NotTried,
}

/// Whether this process can use io_uring, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IoUring {
    /// Whether the runtime may choose it.
    pub usable: bool,
    /// Why, or why not and what would help: a clause for the middle of a sentence.
    pub reason: String,
}

impl IoUring {
    /// Joins the probe's answer with the kernel's switch, which explains a refusal best.
    pub(crate) fn read(host: &Host, probe: &Probe) -> Self {
        let switch = host.text(SWITCH);
        match (switch.as_deref(), probe) {
            (Some("2"), _) => Self::refused(
                "it is switched off for everybody (kernel.io_uring_disabled = 2); \
                 `sysctl kernel.io_uring_disabled=0` switches it on",
            ),
            (Some("1"), Probe::Refused(_)) => Self::refused(
                "only privileged users and the group kernel.io_uring_group may use it here \
                 (kernel.io_uring_disabled = 1)",
            ),
            (other, probe) => {
                if let Some(value) = other.filter(|value| !matches!(*value, "0" | "1")) {
                    host.warn(SWITCH, format!("`{}` is none of 0, 1, 2", quoted(value)));
                }
                match probe {
                    Probe::Works => Self {
                        usable: true,
                        reason: "a ring with SINGLE_ISSUER and DEFER_TASKRUN could be set up"
                            .to_owned(),
                    },
                    Probe::Refused(reason) => Self::refused(reason),
                    Probe::NotTried => {
                        Self::refused("it was not tried: this is not the machine we run on")
                    }
                }
            }
        }
    }

    fn refused(reason: &str) -> Self {
        Self {
            usable: false,
            reason: reason.to_owned(),
        }
    }
}
