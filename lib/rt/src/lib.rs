//! One thread's world: executor, sockets, files, timers; real or simulated.
//!
//! Signatures (being filled in; this listing goes as the modules land):
//! ```text
//! pub enum IoBackend { Auto, Uring, Polling }            // asked for
//! pub enum Backend { IoUring, Polling, Sim }             // got
//! pub struct BufferOptions { pub count: u16, pub bytes: usize }
//! pub struct RuntimeOptions { pub io, pub cpu: Option<usize>, pub name: String, pub shard: u16,
//!                             pub buffers: BufferOptions, pub stall_ms: Option<u64>, pub spin_us: u32 }   // Default, Clone
//! pub struct Runtime;  // !Send
//!   Runtime::new(&RuntimeOptions) -> io::Result<Runtime>; block_on(&self, fut) -> T; backend(); doorbell(); stats() -> Stats
//! pub fn shard() -> u16; pub fn backend() -> Backend; pub fn doorbell() -> Doorbell; pub fn stats() -> Stats;
//! pub struct Doorbell; ring(&self)                       // Clone + Send + Sync
//! pub trait Poller { fn poll(&mut self) -> bool; fn prepare_sleep(&mut self) -> bool; fn awake(&mut self); fn busy(&self) -> bool }
//! pub fn add_poller(Box<dyn Poller>)
//! task::{spawn, spawn_in, yield_now, Group{Data,Control,Background}, JoinHandle<T> (Future<Output = Result<T, Panicked>>; cancel(self); is_finished()), Panicked}
//! time::{now_ns() -> u64, refresh_ns() -> u64, unix_ms() -> u64, sleep(Duration), sleep_until(u64 /*ns*/), timeout(Duration, fut) -> Result<T, Elapsed>}
//! random::{next_u64, below(u64), fill(&mut [u8])}
//! blocking::run(FnOnce() -> T + Send) -> impl Future<Output = T>
//! net::{Addr{Tcp(SocketAddr),Unix(PathBuf)}, Peer{Tcp(SocketAddr),Unix}, ListenOptions{reuse_port: bool, backlog: i32}, Listener, Stream, Chunk}
//!   Listener::bind(&Addr, &ListenOptions) -> io::Result<Listener>; local_addr() -> io::Result<Addr>; async accept(&self) -> io::Result<(Stream, Peer)>
//!   Stream::connect(&Addr) (async); recv(&mut self) -> io::Result<Chunk> (async); start_send(&mut self, Vec<u8>); send_in_flight(&self) -> bool;
//!     try_sent(&mut self) -> Option<io::Result<Vec<u8>>>; sent(&mut self) -> io::Result<Vec<u8>> (async); send_all(&mut self, Vec<u8>) (async);
//!     shutdown_write(&self) -> io::Result<()>; set_nodelay(bool), set_keepalive(Option<Duration>) -> io::Result<()>; peer() -> Peer; local_addr(); as_raw_fd() -> Option<RawFd>; abort(self)
//!     poll_recv(&mut self, cx), poll_sent(&mut self, cx)  // for code that waits on both at once
//! fs::{File, OpenOptions{read,write,create,truncate,create_new}, rename, remove, sync_dir, create_dir_all, read_to_vec, write_atomic}
//!   File::open(&Path, &OpenOptions) ; read_at(Vec<u8> /*capacity wanted*/, len, off) -> io::Result<Vec<u8>>; write_at(Vec<u8>, off) -> io::Result<Vec<u8>>; sync_data(); len()
//! sim::{World, WorldOptions, ShardHandle, Stuck}
//!   World::new(seed, WorldOptions); shard(name) -> SimShard; enter(&SimShard, FnOnce() -> R) -> R; spawn_on(&SimShard, fut) (foreground); run() -> Result<(), Stuck>; trace_hash() -> u64; now_ns(); crash(&[SimShard])
//! ```

mod affinity;
mod bell;
pub mod blocking;
mod clock;
mod context;
mod exec;
pub mod net;
mod options;
mod poller;
pub mod random;
mod real;
mod runtime;
pub mod sim;
mod stats;
pub mod task;
pub mod time;
mod timers;
mod turn;

pub use bell::Doorbell;
pub use context::{add_poller, backend, doorbell, shard, stats};
pub use options::{Backend, BufferOptions, IoBackend, RuntimeOptions};
pub use poller::Poller;
pub use runtime::Runtime;
pub use stats::Stats;
