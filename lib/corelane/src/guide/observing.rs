//! Observing a node: the plan it was made by, what it counts, and how to follow one call.
//!
//! # Why it lies so
//!
//! [`Plan::explain`](crate::topology::Plan::explain) prints every choice that was made for this machine with its
//! reason: how many shards, on which processors, with how much memory, how deep the lanes are. A
//! [`Profile`](crate::topology::Profile) is the one word that decides what you do not ask for:
//!
//! ```no_run
//! use corelane::LaunchOptions;
//! use corelane::topology::{Machine, Plan, Profile};
//!
//! let machine = Machine::read("/".as_ref())?;
//! let plan = Plan::for_profile(&machine, Profile::LowLatency);
//! print!("{}", plan.explain());
//! let options = LaunchOptions::from(&plan);
//! # drop(options);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it counts
//!
//! [`Running::metrics`](crate::Running::metrics), [`Mesh::metrics`](crate::Mesh::metrics) and
//! [`Handle::metrics`](crate::Handle::metrics) are the same [`Registry`](crate::metrics::Registry). Any thread may
//! take a snapshot at any time; no shard notices. A scrape is one line:
//!
//! ```
//! use corelane::metrics::{Owner, Writer, prometheus, registry};
//! use corelane::{Cx, LaunchOptions, Outcome, Service, ShardId, launch};
//!
//! corelane::metrics! {
//!     /// What a shard of the shop counts.
//!     struct ShopMetrics;
//!
//!     /// Orders taken.
//!     counter orders = "shop_orders_total";
//! }
//!
//! struct Shop {
//!     metrics: Writer<ShopMetrics>,
//! }
//!
//! impl Service for Shop {
//!     type Request = u64;
//!     type Reply = ();
//!     type Control = ();
//!
//!     fn handle(&mut self, orders: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         self.metrics.orders.add(orders);
//!         Outcome::Ready(())
//!     }
//!
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//!
//! let init = async |shard| {
//!     let registry = registry().expect("a shard of a node");
//!     let metrics = registry.register(Owner::service(shard, "Shop"));
//!     Ok(Shop { metrics: metrics.map_err(|error| error.to_string())? })
//! };
//! let node = launch(&LaunchOptions::unpinned(2), init, async |mesh| {
//!     mesh.broadcast(|_| 3).await;
//!     Ok(())
//! })?;
//! let metrics = node.metrics();
//! node.join()?;
//!
//! let snapshot = metrics.snapshot();
//! assert_eq!(snapshot.total("shop_orders_total"), 12);
//! let scrape = prometheus::render(&snapshot);
//! assert!(scrape.contains("corelane_handle_seconds_bucket{shard=\"1\",service=\"Shop\","));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What to look at first, by what is wrong:
//!
//! | symptom | look at |
//! |---|---|
//! | slow answers | `corelane_handle_seconds` (handlers that hold their shard), `corelane_queue_depth` (what stands before them), `corelane_runtime_stalls_total` (tasks that do not pause) |
//! | refusals | `corelane_refused_total`, by `reason`; each has another remedy, which [`Refusal`](crate::Refusal) and [`CallError`](crate::CallError) name |
//! | one shard busier than the others | `corelane_handled_total` by `shard`; see [`placement`](super::placement) |
//! | a shard that serves nobody | `corelane_wedged`, and the log, which names it |
//! | restarts | `corelane_lives_total`, `corelane_panics_total` |
//! | CPU time without work | `corelane_runtime_spins_total` beside `corelane_runtime_spin_hits_total` |
//!
//! On a busy shard one request in 31 is measured and stands for 31, so the count of `corelane_handle_seconds` is an
//! estimate there; `corelane_handled_total` is exact. Quantiles of a histogram are at most 12.5% too high.
//!
//! # One call, on all its shards
//!
//! Where a `tracing` subscriber takes `corelane::calls` at level TRACE, every call has a span `corelane.call` on the
//! shard that asks and `corelane.handle` on the shard that answers, with one `trace` id, `from`, `to` and
//! `partition`. A call that has no trace is given one; a handler passes its own on with
//! [`Cx::options`](crate::Cx::options) and [`Mesh::call_with`](crate::Mesh::call_with). Name a trace yourself by
//! [`CallOptions::traced`](crate::CallOptions::traced), for example with the id that a client sent.
//!
//! Nobody pays for it otherwise: a call looks at one static level. With a subscriber each call costs two spans, so
//! filter for it only while you look.
