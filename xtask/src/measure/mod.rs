//! `cargo xtask measure`: what the server promises beside speed, measured on the real binary.
//!
//! | measurement | file | what it shows |
//! |---|---|---|
//! | cluster | `cluster` | a request by a shard's own port costs what a local one does |
//! | idle | `idle` | idle connections cost no processor time, and how much memory |
//! | fairness | `fairness` | what a client waits for beside others' long pipelines |
//! | growth | `growth` | tables grow without stopping their shard, and what a key costs |
//! | hostile | `hostile` | a flood of broken and ill-mannered input leaves nothing behind |
//! | migrations | `migrations` | connections that are sent from shard to shard a million times lose and mix up nothing |
//! | resize | `resize` | what clients wait for while the server grows and shrinks |
//! | hops | `hops` | what a second shard adds to a request, counter by counter |
//! | tls | `tls` | what TLS costs per request and handshake, beside redis-server |
//! | routing | `routing` | connections that choose their shards cost no more than the better fixed way |
//!
//! Speed beside other servers is the matter of `compare`. `server` starts one of them through
//! the folder of that name in `src`, `moment` notes how busy the machine was, `table`
//! shows figures, `task` runs one measurement and writes it to `target/measure`.

mod cluster;
mod fairness;
mod growth;
mod hops;
mod hostile;
mod idle;
mod migrations;
mod moment;
mod resize;
mod routing;
mod server;
mod table;
mod task;
mod tls;

pub(crate) use task::{Options, run};
