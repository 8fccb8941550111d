//! Testing under the simulator.
//!
//! # Why
//!
//! The faults that matter in a sharded service are rare orders of events: a message that arrives while its
//! partition moves, a reply after its caller has gone, a disk that is slow just now. On threads such an order comes once in
//! a million runs and never under the debugger. In a [`World`](crate::sim::World) everything that could happen in more than
//! one order is drawn from a **seed**: which shard runs, how many of its tasks and which, how long a message or a wake
//! travels, where bytes are cut, what a timer meets. A thousand seeds are a thousand different schedules, and
//! the one that fails fails again.
//!
//! It is the shipped code that runs. [`launch_sim`](crate::launch_sim) builds the same shards as
//! [`launch`](crate::launch()), only on one thread and on virtual time; nothing is mocked above the driver.
//!
//! # A test
//!
//! ```
//! use corelane::sim::{World, WorldOptions};
//! use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch_sim, random, time};
//! use std::time::Duration;
//!
//! /// Numbers of each shard must come in order.
//! struct InOrder(Vec<u64>);
//!
//! impl Service for InOrder {
//!     type Request = (ShardId, u64);
//!     type Reply = ();
//!     type Control = ();
//!
//!     fn handle(&mut self, (from, number): (ShardId, u64), _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         assert_eq!(self.0[from.index()], number, "out of order");
//!         self.0[from.index()] += 1;
//!         Outcome::Ready(())
//!     }
//!
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//!
//! async fn everybody_counts(mesh: Mesh<InOrder>) -> Result<(), String> {
//!     for number in 0..20 {
//!         for to in mesh.all_shards() {
//!             mesh.call(to, (mesh.shard(), number)).await.map_err(|e| e.to_string())?;
//!         }
//!         time::sleep(Duration::from_micros(random::below(500))).await;
//!     }
//!     Ok(())
//! }
//!
//! for seed in 0..20 {
//!     let world = World::new(seed, WorldOptions::default());
//!     let init = async |_| Ok(InOrder(vec![0; 3]));
//!     let node = launch_sim(&world, &LaunchOptions::unpinned(3), init, everybody_counts)?;
//!     world.run().unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
//!     assert_eq!(node.outcome(), Some(Ok(())), "seed {seed}");
//! }
//! # Ok::<(), corelane::LaunchError>(())
//! ```
//!
//! `world.run()` returns when all mains are done, or says what still waits and for what: a deadlock is a failed
//! test and not a test that hangs. A panic anywhere ends the run.
//!
//! # What to keep in mind
//!
//! - Read clocks, random numbers, sockets and files through this crate, and iterate over no `HashMap` of std's in a way that
//!   shows: its order differs from run to run. [`World::trace_hash`](crate::sim::World::trace_hash) tells whether two
//!   runs of one seed were the same; test that they were.
//! - [`WorldOptions`](crate::sim::WorldOptions) says how unkind the world is: latencies, resets, how often bytes are cut.
//!   Draw those from the seed, too.
//! - Clients live on a shard of their own (`world.shard`), where [`Handle`](crate::Handle) and sockets
//!   work as they do for a thread outside. They await; to block would stop the world.
//! - Keep every seed that ever failed, as a test with a name.
//! - Make sure that the test can fail: break the code on purpose, once, and see that a seed finds it.
