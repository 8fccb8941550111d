//! What the tests of this folder share: a runtime on each real backend.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod mailbox;

use std::net::SocketAddr;

use corelane_rt::net::{Addr, ListenOptions, Listener};
use corelane_rt::{IoBackend, Runtime, RuntimeOptions};

/// The real backends, by name.
pub(crate) const BACKENDS: [IoBackend; 2] = [IoBackend::Uring, IoBackend::Polling];

/// A runtime on `io`.
pub(crate) fn runtime(io: IoBackend) -> Runtime {
    Runtime::new(&options(io)).expect("a runtime")
}

/// Options for `io`.
pub(crate) fn options(io: IoBackend) -> RuntimeOptions {
    RuntimeOptions {
        io,
        ..RuntimeOptions::default()
    }
}

/// Runs `test` on each real backend.
pub(crate) fn on_each<F: Future<Output = ()>>(test: impl Fn() -> F) {
    for io in BACKENDS {
        let runtime = runtime(io);
        runtime.block_on(async {
            corelane_rt::time::timeout(std::time::Duration::from_secs(30), test())
                .await
                .unwrap_or_else(|_| panic!("no end in 30 s on {io:?}"));
        });
    }
}

/// A listener on a free TCP port of the loopback address.
pub(crate) fn listen_tcp() -> (Listener, Addr) {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(&Addr::Tcp(any), &ListenOptions::default()).expect("bind");
    let addr = listener.local_addr().expect("its address");
    (listener, addr)
}
