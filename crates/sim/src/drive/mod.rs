//! Clients inside a world: they do what their plans say, over simulated sockets, and write down what they see.
//!
//! - `stage`: what the clients of a run share: whom they know, what they found wrong
//! - `record`: the histories
//! - `line`: bytes out, replies in
//! - `tampering`: faults put between the two on purpose
//! - `session`: one connection
//! - `conduct`: all clients, looks at every shard, and the end of the node

mod conduct;
mod line;
mod record;
mod session;
mod stage;
mod tampering;

pub(crate) use conduct::{client, conduct};
pub(crate) use record::KeyOp;
pub(crate) use stage::{Finding, Stage};
