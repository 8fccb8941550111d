//! One thread's world: executor, sockets, files, timers; real or simulated.
//!
//! A [`Runtime`] belongs to one thread and runs tasks that never leave it. The free functions of this crate
//! ([`task::spawn`], [`time::sleep`], [`net::Stream::connect`], …) act on the runtime that the calling thread is
//! in, and panic outside one.
//!
//! There are three backends behind the same types, chosen at start: io_uring, polling (where io_uring is denied),
//! and the simulated twin of [`sim`], which runs many runtimes on one thread from a seed. Code above this crate
//! cannot tell them apart, and reads no clock, random number, file or socket but through it.
//!
//! ```
//! use corelane_rt::net::{Addr, ListenOptions, Listener, Stream};
//! use corelane_rt::{Runtime, RuntimeOptions, task};
//!
//! let runtime = Runtime::new(&RuntimeOptions::default())?;
//! runtime.block_on(async {
//!     let any = Addr::Tcp(([127, 0, 0, 1], 0).into());
//!     let listener = Listener::bind(&any, &ListenOptions::default())?;
//!     let addr = listener.local_addr()?;
//!     let server = task::spawn(async move {
//!         let (mut stream, _) = listener.accept().await?;
//!         let hello = stream.recv().await?.to_vec();
//!         stream.send_all(hello).await
//!     });
//!     let mut client = Stream::connect(&addr).await?;
//!     client.start_send(b"hello".to_vec());
//!     assert_eq!(&*client.recv().await?, b"hello");
//!     server.await.expect("no panic").map(|_| ())
//! })
//! # ; Ok::<(), std::io::Error>(())
//! ```
//!
//! How it is built: an executor of our own ([`task`], a run queue per scheduling group) over compio's driver and
//! operations, which nothing outside the `real` folder names. Each turn of the loop runs ready tasks, asks the
//! [`Poller`]s, fires timers, and enters the kernel once, to submit and to reap together.

mod affinity;
mod bell;
pub mod blocking;
mod clock;
mod context;
mod exec;
pub mod fs;
pub mod local;
pub mod net;
mod options;
mod poller;
pub mod random;
mod real;
mod runtime;
pub mod sim;
pub mod stall;
mod stats;
pub mod task;
pub mod time;
mod timers;
mod turn;

pub use bell::Doorbell;
pub use context::{add_poller, backend, doorbell, is_inside, shard, stats, stats_reader};
pub use options::{Backend, BufferOptions, IoBackend, RuntimeOptions};
pub use poller::Poller;
pub use runtime::Runtime;
pub use stats::{Stats, StatsReader};
