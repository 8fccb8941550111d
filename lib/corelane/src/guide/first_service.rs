//! A first service: counters by name, asked from everywhere.
//!
//! # The state and its requests
//!
//! One value of this type lives on each shard and has the counters whose names belong there. The requests are one
//! closed list, and so are the replies.
//!
//! ```
//! use std::collections::HashMap;
//! use corelane::{Cx, Outcome, Service, ShardId};
//!
//! #[derive(Default)]
//! struct Counters(HashMap<String, u64>);
//!
//! enum Ask {
//!     Add { name: String, by: u64 },
//!     /// Over all counters of the shard.
//!     Sum,
//! }
//!
//! impl Service for Counters {
//!     type Request = Ask;
//!     type Reply = u64;
//!     type Control = ();
//!
//!     fn handle(&mut self, ask: Ask, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         match ask {
//!             Ask::Add { by: 0, .. } => Outcome::rejected("adding 0 changes nothing; say by how much"),
//!             Ask::Add { name, by } => {
//!                 let count = self.0.entry(name).or_default();
//!                 *count += by;
//!                 Outcome::Ready(*count)
//!             }
//!             Ask::Sum => Outcome::Ready(self.0.values().sum()),
//!         }
//!     }
//!
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//! ```
//!
//! # The node
//!
//! `launch` takes three things: what the node is to be, how a shard makes its state, and a main that runs on every
//! shard. Here main only waits for the end; a server would listen there.
//!
//! ```
//! # use std::collections::HashMap;
//! # use corelane::{Cx, Outcome, Service, ShardId};
//! # #[derive(Default)]
//! # struct Counters(HashMap<String, u64>);
//! # enum Ask { Add { name: String, by: u64 }, Sum }
//! # impl Service for Counters {
//! #     type Request = Ask;
//! #     type Reply = u64;
//! #     type Control = ();
//! #     fn handle(&mut self, ask: Ask, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//! #         match ask {
//! #             Ask::Add { name, by } => {
//! #                 let count = self.0.entry(name).or_default();
//! #                 *count += by;
//! #                 Outcome::Ready(*count)
//! #             }
//! #             Ask::Sum => Outcome::Ready(self.0.values().sum()),
//! #         }
//! #     }
//! #     fn control(&mut self, _message: (), _from: ShardId) {}
//! # }
//! use corelane::{LaunchOptions, Mesh, launch};
//!
//! let init = async |_shard| Ok(Counters::default());
//! let main = async |mesh: Mesh<Counters>| {
//!     mesh.stopping().await;
//!     Ok(())
//! };
//! let node = launch(&LaunchOptions::unpinned(2), init, main)?;
//!
//! // This thread is none of the node's shards, so it goes by a handle. Any thread can have a clone.
//! let handle = node.handle();
//! for name in ["apples", "pears", "apples"] {
//!     let ask = Ask::Add { name: name.to_owned(), by: 2 };
//!     handle.call_key(name.as_bytes(), ask).wait().map_err(|e| e.without_request())?;
//! }
//! let sums = handle.broadcast(|_shard| Ask::Sum).wait();
//! let total: u64 = sums.into_iter().map(|sum| sum.unwrap_or(0)).sum();
//! assert_eq!(total, 6);
//!
//! node.stop();
//! node.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`LaunchOptions::unpinned`](crate::LaunchOptions::unpinned) suits a test. A program takes the plan of its
//! machine: `LaunchOptions::from(&plan)`, with a [`Plan`](crate::topology::Plan) that says why it chose
//! what it chose.
//!
//! # On a shard
//!
//! Code that runs on a shard (main, and the tasks that it spawns) has the [`Mesh`](crate::Mesh): the same calls, without an
//! allocation, and its own state by [`with`](crate::Mesh::with). A call to a key that lives here is answered in
//! place.
//!
//! # Answers that take time
//!
//! A handler cannot await. What needs to wait is returned as a future, with a clone of the mesh to come back by:
//!
//! ```
//! # use corelane::{Cx, Mesh, Outcome, Service, ShardId};
//! use std::time::Duration;
//! use corelane::time;
//!
//! struct Slow { asked: u64 }
//!
//! impl Service for Slow {
//!     type Request = ();
//!     type Reply = u64;
//!     type Control = ();
//!
//!     fn handle(&mut self, (): (), cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         let mesh = cx.mesh().clone();
//!         Outcome::later(async move {
//!             time::sleep(Duration::from_millis(1)).await;
//!             // Others have been here meanwhile: look again, do not remember.
//!             mesh.with(|slow| {
//!                 slow.asked += 1;
//!                 slow.asked
//!             })
//!         })
//!     }
//!
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//! # use corelane::{LaunchOptions, launch};
//! # let main = async |mesh: Mesh<Slow>| { mesh.stopping().await; Ok(()) };
//! # let node = launch(&LaunchOptions::unpinned(1), async |_| Ok(Slow { asked: 0 }), main)?;
//! # let asked = node.handle().call(ShardId::new(0), ()).wait().map_err(|e| e.to_string())?;
//! # assert_eq!(asked, 1);
//! # node.stop();
//! # node.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The future is dropped if its caller gives up, or at the caller's deadline
//! ([`CallOptions::within`](crate::CallOptions::within)). Deadlines travel: pass [`Cx::options`](crate::Cx::options) on to the
//! calls that a request needs.
