//! A thread's place: pinning it to a CPU, remembering what the process may use (for the threads that must not inherit
//! a pin), and its niceness.

use std::io;
use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A pinned thread. Dropping it, on the same thread, takes the pin away.
pub(crate) struct Pin(());

impl Pin {
    /// Pins the calling thread to `cpu`.
    pub(crate) fn to(cpu: usize) -> io::Result<Self> {
        let allowed = allowed()?;
        if cpu >= CpuSet::MAX_CPU || !allowed.is_set(cpu) {
            let text = format!("CPU {cpu} is not among those that this process may use");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut only = CpuSet::new();
        only.set(cpu);
        sched_setaffinity(None, &only)?;
        Ok(Pin(()))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        unpin();
    }
}

/// Adds to the calling thread's niceness.
pub(crate) fn add_nice(nice: i8) -> io::Result<()> {
    // On Linux "this process" is the calling thread alone (setpriority(2), "C library/kernel differences").
    rustix::process::nice(i32::from(nice))?;
    Ok(())
}

/// Lets the calling thread run on all CPUs that the process may use.
pub(crate) fn unpin() {
    if let Ok(allowed) = allowed() {
        // Best effort: the set may have shrunk since it was read, and then the system has placed us already.
        let _ = sched_setaffinity(None, &allowed);
    }
}

/// The CPUs that the process may use, read before the first pin changes the answer.
fn allowed() -> io::Result<CpuSet> {
    static ALLOWED: OnceLock<CpuSet> = OnceLock::new();
    if let Some(allowed) = ALLOWED.get() {
        return Ok(*allowed);
    }
    let read = sched_getaffinity(None)?;
    Ok(*ALLOWED.get_or_init(|| read))
}
