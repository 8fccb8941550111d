//! What no file tells and only the running kernel answers: affinity and a working ring.
//!
//! The one place of this crate with system calls of its own. It is kept apart so that everything
//! else can be fed from files.

use crate::cpu_set::CpuSet;
use crate::uring::Probe;

/// Answers of the kernel we run on; a fake machine brings its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// CPUs the calling thread may run on (`sched_getaffinity`); `None` leaves it to
    /// `/proc/self/status`.
    pub allowed: Option<CpuSet>,
    /// How many CPUs there are where neither files nor affinity tell (other systems than Linux).
    pub parallelism: Option<usize>,
    /// What came of setting up a ring.
    pub io_uring: Probe,
}

impl Live {
    /// Asks the kernel now. Takes about as long as setting up one small ring, a few microseconds.
    pub fn ask() -> Self {
        Self {
            allowed: affinity(),
            parallelism: std::thread::available_parallelism().ok().map(Into::into),
            io_uring: probe_ring(),
        }
    }
}

/// `None` where the call fails: kernels built for more than 1,024 CPUs want a larger mask than
/// rustix has, and then `/proc/self/status` says the same.
#[cfg(target_os = "linux")]
fn affinity() -> Option<CpuSet> {
    let mask = rustix::thread::sched_getaffinity(None).ok()?;
    Some(
        (0..rustix::thread::CpuSet::MAX_CPU)
            .filter(|&id| mask.is_set(id))
            .collect(),
    )
}

#[cfg(not(target_os = "linux"))]
fn affinity() -> Option<CpuSet> {
    None
}

/// Entries of the probing ring: the smallest power of two that is of use to anybody.
#[cfg(target_os = "linux")]
const PROBE_ENTRIES: u32 = 4;

#[cfg(target_os = "linux")]
fn probe_ring() -> Probe {
    match try_ring() {
        Ok(missing) if missing.is_empty() => Probe::Works,
        Ok(missing) => Probe::Refused(format!(
            "this kernel's io_uring lacks {}; Linux 6.1 or later has all that is needed",
            missing.join(", ")
        )),
        Err(error) => Probe::Refused(explain(&error)),
    }
}

#[cfg(not(target_os = "linux"))]
fn probe_ring() -> Probe {
    Probe::Refused("only Linux has it".to_owned())
}

/// Sets up a ring as the runtime will, enters the kernel once, and lists the operations it lacks.
#[cfg(target_os = "linux")]
fn try_ring() -> std::io::Result<Vec<&'static str>> {
    use io_uring::opcode;

    let ring: io_uring::IoUring = io_uring::IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .build(PROBE_ENTRIES)?;
    // Filters can allow the set-up and still deny entering.
    ring.submitter().submit()?;
    let mut probe = io_uring::Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    let needed = [
        (opcode::Accept::CODE, "accept"),
        (opcode::Connect::CODE, "connect"),
        (opcode::Recv::CODE, "recv"),
        (opcode::Send::CODE, "send"),
        (opcode::Read::CODE, "read"),
        (opcode::Write::CODE, "write"),
        (opcode::Fsync::CODE, "fsync"),
        (opcode::PollAdd::CODE, "poll"),
        (opcode::AsyncCancel::CODE, "cancel"),
    ];
    Ok(needed
        .into_iter()
        .filter(|(code, _)| !probe.is_supported(*code))
        .map(|(_, name)| name)
        .collect())
}

#[cfg(target_os = "linux")]
fn explain(error: &std::io::Error) -> String {
    use rustix::io::Errno;

    match Errno::from_io_error(error) {
        Some(Errno::PERM | Errno::ACCESS) => {
            "the kernel denies it to this process (EPERM): a seccomp filter, as container runtimes \
             set one by default, or a sysctl; the runtime's seccomp profile must allow \
             io_uring_setup, io_uring_enter and io_uring_register"
                .to_owned()
        }
        Some(Errno::NOSYS) => {
            "this kernel has no io_uring (ENOSYS); Linux 6.1 or later has".to_owned()
        }
        Some(Errno::INVAL) => {
            "this kernel's io_uring does not know SINGLE_ISSUER and DEFER_TASKRUN; \
             Linux 6.1 or later does"
                .to_owned()
        }
        Some(Errno::NOMEM) => {
            "the ring's memory was refused (ENOMEM); raise the limit of locked memory (ulimit -l)"
                .to_owned()
        }
        _ => format!("setting up a ring failed: {error}"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers() {
        let live = Live::ask();
        let allowed = live.allowed.expect("affinity of a live thread");
        assert!(!allowed.is_empty());
        assert!(live.parallelism.is_some_and(|count| count >= 1));
        assert_ne!(live.io_uring, Probe::NotTried);
    }

    #[test]
    fn every_refusal_says_what_would_help() {
        for (code, expected) in [
            (1, "seccomp"),
            (12, "ulimit -l"),
            (22, "6.1"),
            (38, "6.1"),
            (24, "setting up a ring failed: "),
        ] {
            let said = explain(&std::io::Error::from_raw_os_error(code));
            assert!(said.contains(expected), "errno {code}: {said}");
        }
    }
}
