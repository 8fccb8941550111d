//! A server that a chore runs: started as a child (`child`), asked (`client`), watched through the system (`process`) and
//! loaded (`load`). `compare`, `measure` and `tcl` say which server, and with what flags.

mod child;
mod client;
mod load;
mod process;

pub(crate) use child::{Child, Launch, free_port};
pub(crate) use client::{Client, Info};
pub(crate) use load::{median, redis_benchmark_rate, succeed, succeed_beside};
pub(crate) use process::{Process, Use};
