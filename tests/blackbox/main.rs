//! Black-box tests: the real binary, real sockets, nothing else.
//!
//! Each test starts a server of its own on a free port. `CORELANE_TEST_IO=polling` runs them all on
//! the polling backend, `CORELANE_TEST_SHARDS=4` on another number of shards.

mod conn;
mod server;

mod across;
mod clients;
mod config;
mod limits;
mod pipeline;
mod start;
