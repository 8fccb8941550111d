//! The real backend: compio's driver (io_uring or polling), and nothing of it shows above this folder.

mod accept;
mod bind;
mod connect;
mod driver;
mod file;
mod op;
mod recv;
mod recv_op;
mod send;
mod shared;
mod stream;
mod udp;

pub(crate) use accept::RealListener;
pub(crate) use connect::connect;
pub(crate) use driver::RealDriver;
pub(crate) use file::RealFile;
pub(crate) use recv::RealChunk;
pub(crate) use shared::RealShared;
pub(crate) use stream::{RealConnection, RealStream};
pub(crate) use udp::RealUdp;
