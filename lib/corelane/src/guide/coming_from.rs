//! For those who know something else already: what is called what here, and what is different.
//!
//! # From actix and other actor libraries
//!
//! An actor is a task with a mailbox and state of its own, and there are as many as you like. A
//! [`Service`](crate::Service) is a state with a handler too, but there is **one per shard**, it is pinned to
//! a core, and its key space is partitioned over the shards. What would be a million actors is a million entries
//! in the shards' tables.
//!
//! | actix | here |
//! |---|---|
//! | actor, `Context` | [`Service`](crate::Service), [`Cx`](crate::Cx) |
//! | `Handler<M>` for each message | one `Request` enum per service: a closed list, which the compiler checks |
//! | `Addr<A>` | [`Handle`](crate::Handle), from any thread; [`Mesh`](crate::Mesh) on a shard |
//! | `addr.send(m).await` | [`call`](crate::Mesh::call), [`call_key`](crate::Mesh::call_key) |
//! | `do_send` | [`cast`](crate::Handle::cast), which returns what was refused |
//! | `ResponseFuture`, `ctx.spawn` | [`Outcome::later`](crate::Outcome::later) |
//! | `run_interval` | [`tick`](crate::Service::tick) |
//! | mailbox size per actor | credits per pair of shards ([backpressure](super::backpressure)) |
//! | `Supervisor` | [`supervision`](crate::supervision) |
//! | `Arbiter` | a shard |
//!
//! What to watch for:
//!
//! - `handle` is synchronous and has `&mut self`. What must wait is returned as a future, which has no access
//!   to the state while it waits, and re-enters it by a closure. So no borrow and no half-changed state
//!   lives across an `await`, which is where actors with asynchronous handlers go wrong: another message
//!   has changed what they checked before.
//! - An actor that asks another one that asks it back waits for ever. Here a call from inside a handler to the
//!   same shard runs after it, and handlers cannot await.
//! - Messages of one sender to one key arrive in order. There is no order between senders, as with actors.
//!
//! # From tokio
//!
//! tokio moves tasks between threads so that no thread is idle; tasks are therefore `Send`, and what they share
//! is behind `Arc` and locks. Here a task stays on its shard, and so does what it touches.
//!
//! | tokio | here |
//! |---|---|
//! | `tokio::spawn` (task may run anywhere, `Send`) | [`task::spawn`](crate::task::spawn) (stays on this shard, need not be `Send`) |
//! | `Arc<Mutex<HashMap<K, V>>>` | the state of a [`Service`](crate::Service); no lock, as there is one owner |
//! | `mpsc` to a task that owns state | [`call_key`](crate::Mesh::call_key) |
//! | `oneshot` for the answer | the call's own future |
//! | `spawn_blocking` | [`blocking`](crate::blocking) |
//! | `tokio::time`, `tokio::net`, `tokio::fs` | [`time`](crate::time), [`net`](crate::net), [`fs`](crate::fs) |
//! | `tokio::time::pause` in tests | [`launch_sim`](crate::launch_sim): time, network, disks and order of tasks, all from one seed |
//! | `Semaphore`, `CancellationToken` | [`sync`](crate::sync) |
//!
//! What to watch for:
//!
//! - **Nobody steals your work.** A task that computes for 50 ms stops its whole shard for 50 ms. Cut such work
//!   into slices, or hand it to the [blocking](crate::blocking) pool. The stall detector names who did it.
//! - **Balance is a matter of placement**, not of the scheduler: if one shard has most of the hot keys, it
//!   has most of the work. See [placement](super::placement).
//! - **Dropping a future is not the same as stopping the work.** A call whose future is dropped may still be
//!   handled. The same is true of a `oneshot` whose receiver is gone; here it crosses a core on the way.
//! - Libraries that need tokio's runtime do not run on a shard. Give them a thread with a runtime of
//!   their own, and talk to the node by a [`Handle`](crate::Handle): its futures are `Send` and need no
//!   particular runtime.
//!
//! When *not* to change: if requests are independent, touch little shared state and spend their time waiting
//! for other services, work stealing is the better trade.
//!
//! # From Seastar
//!
//! The model is the same, and most names are.
//!
//! | Seastar | here |
//! |---|---|
//! | shard, `smp::count` | [`ShardId`](crate::ShardId), [`Mesh::shards`](crate::Mesh::shards) |
//! | `seastar::sharded<T>` | a [`Service`](crate::Service), one value per shard |
//! | `smp::submit_to(shard, func)` | [`submit`](crate::Mesh::submit); for what happens often, a request |
//! | `sharded::invoke_on` | [`call`](crate::Mesh::call) |
//! | `invoke_on_all`, `map_reduce` | [`broadcast`](crate::Mesh::broadcast), [`map_reduce`](crate::Mesh::map_reduce) |
//! | `smp_service_group` | credits per pair of shards, fixed when the node starts |
//! | `foreign_ptr` | [`Foreign`](crate::sync::Foreign) |
//! | `gate`, `semaphore`, `pipe` | the same, in [`sync`](crate::sync) |
//! | `future<>` and continuations | `async` and `await` |
//! | `manual_clock` | virtual time in [`sim`](crate::sim) |
//!
//! What to watch for:
//!
//! - A lambda sent by `submit_to` is any code, with whatever it captured. A request is a type: it is `Send` or it does
//!   not compile, it can be counted and traced, and a full queue gives it back.
//! - Rust's types say what Seastar's rules ask for: a shard's state is `!Send`, so that it cannot be reached
//!   or freed on another core by mistake.
//! - The number of shards may change while the node runs (`resize`, for services that implement
//!   [`Handoff`](crate::Handoff)). Do not keep [`Mesh::shards`](crate::Mesh::shards) in a variable; keys
//!   find their shard by partition.
//! - There is no memory reserved per shard. Allocation is the process's allocator.
