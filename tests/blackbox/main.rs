//! Black-box tests: the real binary, real sockets, nothing else.
//!
//! Each test starts a server of its own on a free port. `CORELANE_TEST_IO=polling` runs them all on
//! the polling backend, `CORELANE_TEST_SHARDS=4` on another number of shards, `CORELANE_TEST_IO_SHARDS=1`
//! with the first of them for connections alone.

mod conn;
mod server;
mod tools;

mod accept;
mod across;
mod client_libraries;
mod clients;
mod cluster;
mod config;
mod descriptors;
mod edges;
mod ending;
mod figures;
mod hostile;
mod idle;
mod layout;
mod limits;
mod migration;
mod moving;
mod pipeline;
mod proxy;
mod redis_tools;
mod reply_limits;
mod resize;
mod routing;
mod soak;
mod start;
mod tls;
