//! What a runtime is asked to be: plain values, no behaviour. What it turned out to be is [`Backend`].

/// Which driver to use for sockets and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IoBackend {
    /// io_uring where the kernel allows it, else polling.
    #[default]
    Auto,
    /// io_uring; starting fails where it is denied.
    Uring,
    /// The system's readiness interface (epoll on Linux).
    Polling,
}

/// The driver a runtime runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Completions from an io_uring of the thread's own.
    IoUring,
    /// Readiness from epoll (or its like).
    Polling,
    /// The simulated twin: virtual time, sockets and files from a seed.
    Sim,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Backend::IoUring => "io_uring",
            Backend::Polling => "polling",
            Backend::Sim => "sim",
        })
    }
}

/// The receive buffers that all connections of one runtime share.
///
/// The kernel picks a buffer only when bytes arrive, so an idle connection holds none, and memory is
/// touched (counted in RSS) only up to the most buffers ever in use at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferOptions {
    /// How many buffers; rounded up to a power of two.
    pub count: u16,
    /// Bytes of each.
    pub bytes: usize,
}

impl Default for BufferOptions {
    fn default() -> Self {
        BufferOptions {
            count: 512,
            bytes: 16 * 1024,
        }
    }
}

/// How to build a [`Runtime`](crate::Runtime).
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Which driver.
    pub io: IoBackend,
    /// The CPU to pin the thread to; `None` leaves the thread where the system puts it.
    pub cpu: Option<usize>,
    /// Added to the thread's niceness, which it has from whoever started the process: above 0 it gives way, below 0 it
    /// goes first; the sum is kept within -20 and 19. A shard that others must not wait for gets a higher one. The
    /// thread keeps it when the runtime ends, and threads that it starts have it, too. Less than the present one needs
    /// a privilege (`CAP_SYS_NICE`, or `RLIMIT_NICE`): without it the runtime starts all the same, and says so in the
    /// log. `None` leaves it.
    pub nice: Option<i8>,
    /// The name that logs give this runtime.
    pub name: String,
    /// The number of the shard that this runtime serves; [`shard()`](crate::shard) returns it.
    pub shard: u16,
    /// The shared receive buffers.
    pub buffers: BufferOptions,
    /// A task that runs this long without yielding is counted, and logged with a backtrace (see [`stall`](crate::stall));
    /// `None` turns the detector off.
    pub stall_ms: Option<u64>,
    /// The longest spin before sleep while a poller says that it is busy; 0 never spins.
    pub spin_us: u32,
    /// Where [`random`](crate::random) begins, together with the shard's number; `None` is anew with every start.
    pub seed: Option<u64>,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        RuntimeOptions {
            io: IoBackend::Auto,
            cpu: None,
            nice: None,
            name: "shard".to_owned(),
            shard: 0,
            buffers: BufferOptions::default(),
            stall_ms: Some(20),
            spin_us: 20,
            seed: None,
        }
    }
}
