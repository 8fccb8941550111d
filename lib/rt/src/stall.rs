//! Who holds a thread for too long, while it still does: what runs, for how long, and where it is.
//!
//! The loop itself counts and logs a task that took too long once it has ended ([`Stats::stalls`](crate::Stats)). That
//! tells nothing of one that never ends, and little of where the time went. So one thread of the process, the watchdog,
//! looks at all runtimes that have [`stall_ms`](crate::RuntimeOptions::stall_ms): one whose loop has not turned since
//! the last look and that is running something is stalled; it is logged with a backtrace, again each time that it has
//! lasted ten times longer, and kept in [`recent`]. While all runtimes sleep, so does the watchdog.
//!
//! **The backtrace** (Linux on x86-64 and AArch64) is taken by a signal to the stalled thread, as Go, Seastar and glommio
//! do; but the handler does not unwind, as no unwinder is safe there. It notes four registers and has the kernel copy
//! the stack into a file in memory (`pwrite`, which is async-signal-safe, and refuses a bad address instead of
//! crashing); the watchdog unwinds the copy in peace, by the program's own unwind tables, and resolves the names.
//!
//! **Its limits**: the signal is `SIGURG` (nobody uses it, and the default is to ignore it); if the program has a handler
//! of its own for it, or the system denies `memfd_create`, reports come without a backtrace. A call that the stalled
//! task waits in may end with `EINTR` where `SA_RESTART` does not restart it (`poll`, `nanosleep`; the standard library
//! retries). Of a stack deeper than [`STACK_BYTES`] the far end is missing. Names need the symbols in the executable;
//! a stripped one gives addresses. And a thread whose CPU the system has given to others looks as one that holds it:
//! the report says in which state the thread was.

mod pulse;
mod report;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod sample;
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "stall/no_sample.rs"]
mod sample;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod unwind;
mod watchdog;

pub use report::{Frame, Stall};
pub use sample::STACK_BYTES;
pub use watchdog::{STALLS_KEPT, recent};

pub(crate) use pulse::{NameFn, Pulse, name_of};
pub(crate) use watchdog::{Watched, wake, watch};
