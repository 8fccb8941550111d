//! The limits of a server, each with its name and a default that suits the open internet.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How a [`Server`](super::Server) serves. Limits on connections are per shard, as servers are.
#[derive(Clone)]
pub struct Options {
    /// Connections open at once; one more is told `503` and closed. Default 10,000.
    pub connections_max: usize,
    /// The longest request head (request line and headers) in bytes; a longer one is told `431` and closed.
    /// Default 16 KiB. A head has 100 headers at most.
    pub head_bytes_max: usize,
    /// From the first byte of a head to its last; who is slower is told `408` and closed. Default 10 s.
    pub head_timeout: Duration,
    /// How long a connection may be silent between requests, and before the first. Default 60 s.
    pub idle_timeout: Duration,
    /// From the end of a head until the service answers, the time in which the client sends its body included;
    /// then the service's future is dropped, and the client is told `503` and closed. Default 60 s.
    pub answer_timeout: Duration,
    /// How long one send may take before the client counts as gone: one that does not read is cut off. Default
    /// 30 s.
    pub stall_timeout: Duration,
    /// How long a stopping server waits for the requests under way. Default 2 s.
    pub drain_timeout: Duration,
    /// Whether a connection serves more than one request. Default true.
    pub keep_alive: bool,
    /// Is told of every answered request. Default none.
    pub observer: Option<Observer>,
}

/// What [`Options::observer`] calls, on the shard that served.
pub type Observer = Rc<dyn Fn(Served)>;

/// One answered request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Service time: from when the connection's task took the first byte of the request to when it gave the last
    /// byte of the answer to the runtime to send. It includes the parser, the service with whatever it waits
    /// for, and the writer; not the time in the socket's buffers or in the queue of ready tasks.
    pub service_ns: u64,
}

impl Options {
    /// hyper's buffers: at least the 8 KiB that it insists on, and enough for the longest head.
    pub(super) fn buffer_bytes(&self) -> usize {
        const LEAST: usize = 64 * 1024;
        self.head_bytes_max.max(LEAST)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            head_bytes_max: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(2),
            keep_alive: true,
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("connections_max", &self.connections_max)
            .field("head_bytes_max", &self.head_bytes_max)
            .field("head_timeout", &self.head_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("answer_timeout", &self.answer_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("drain_timeout", &self.drain_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}
