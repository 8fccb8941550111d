//! More comes in than can be done.
//!
//! # Why every queue here has an end
//!
//! A queue evens out bursts. It does nothing about a load that stays: then it fills, whatever its length, and
//! from there on it only makes everybody wait. If a service does 100,000 requests a second and 110,000 come,
//! an unbounded queue holds 600,000 after a minute: each new request waits six seconds, clients that gave
//! up after one are still being served, and then the memory is gone. A bound turns this into a decision:
//! what is done for those who come when it is reached. There are few answers.
//!
//! - **Wait.** The sender stops, and with it whoever sends to the sender, back to the client, whose
//!   socket is not read. Right where the sender can stop: a connection, a file being read, a batch.
//! - **Refuse.** The sender gets its message back and the reason. Right where somebody waits for an answer and
//!   "not now" is better than one that comes too late.
//! - **Drop the oldest.** Right where only the latest matters: gauges, positions, prices.
//! - **Drop the newest.** Right where the messages are samples of something: logs, traces.
//! - **Shed**: refuse a part before the bound is reached, more the nearer it is. Right where many senders would
//!   otherwise be refused in the same moment, and come back in the same moment.
//!
//! Whatever is not done is counted, by reason. A service that drops and does not count looks slow, and is
//! searched for weeks.
//!
//! # What the mesh does
//!
//! Between any two shards so many requests may be outstanding as the lane has room
//! ([`lane_capacity`](struct@crate::LaunchOptions#structfield.lane_capacity)). A request takes a credit and reserves the place of
//! its reply before it leaves; the reply brings the credit back. **A reply never needs queue space**, so two
//! shards that are both full of requests for each other still answer, and cannot wait for each other in a
//! circle.
//!
//! [`call`](crate::Mesh::call) without a credit waits in line; when the line is full too, the request comes
//! back as [`CallError::Refused`](crate::CallError::Refused). [`try_call`](crate::Mesh::try_call) does not wait
//! in line. Control messages have a lane of their own, which requests cannot fill: what you need to get out of an
//! overload must not stand behind it.
//!
//! The line is shared by all tasks of a shard. So **bound what one client may have in flight**, with a
//! [`Semaphore`](crate::sync::Semaphore) or by not reading on, else one of them takes all the room:
//!
//! ```
//! use corelane::{CallError, Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch};
//! use corelane::sync::Semaphore;
//! use corelane::task;
//!
//! struct Adder(u64);
//!
//! impl Service for Adder {
//!     type Request = u64;
//!     type Reply = u64;
//!     type Control = ();
//!     fn handle(&mut self, add: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
//!         self.0 += add;
//!         Outcome::Ready(self.0)
//!     }
//!     fn control(&mut self, _message: (), _from: ShardId) {}
//! }
//!
//! /// At most eight requests of this client are on their way; the ninth is not even made before one
//! /// has returned.
//! async fn client(mesh: Mesh<Adder>) -> Result<(), String> {
//!     let in_flight = Semaphore::new(8);
//!     let mut tasks = Vec::new();
//!     for number in 0..100u64 {
//!         let permit = in_flight.acquire(1).await.map_err(|e| e.to_string())?;
//!         let reply = mesh.call_key(&number.to_be_bytes(), 1);
//!         tasks.push(task::spawn(async move {
//!             let _until_the_reply = permit;
//!             match reply.await {
//!                 Ok(_) => Ok(()),
//!                 // Nothing was done, and the request is back: say "not now" to the client.
//!                 Err(CallError::Refused(refused)) => Err(format!("not now: {}", refused.reason)),
//!                 Err(error) => Err(error.to_string()),
//!             }
//!         }));
//!     }
//!     for task in tasks {
//!         task.await.map_err(|panicked| panicked.to_string())??;
//!     }
//!     Ok(())
//! }
//!
//! let node = launch(&LaunchOptions::unpinned(2), async |_shard| Ok(Adder(0)), client)?;
//! node.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to say no
//!
//! As early as the answer is known. A request that is refused after it was parsed, placed, sent and queued
//! has cost nearly what serving it would have. Three places, from the outside in:
//!
//! 1. **The connection**: stop reading when too much of it is in flight. TCP does the rest.
//! 2. **The deadline**: pass it on with each call ([`CallOptions`](crate::CallOptions),
//!    [`Cx::options`](crate::Cx::options)). What nobody waits for any more is not done: under overload this
//!    alone keeps the work that is done useful.
//! 3. **The queue's bound**: the last resort, for what the first two let through.
//!
//! And when it is refused, do not try again at once, nor everybody: see
//! [`failure`](super::failure#calling-what-is-not-well).
//!
//! # How long a queue
//!
//! Long enough for a burst, short enough for the deadline: whoever stands at its end must still be served in
//! time. With 10 µs a request and a deadline of 10 ms that is 1000 at most, and a tenth of it is better. If a
//! longer queue seems to help, it is the load that varies, not the queue that works: look at the waiting
//! time, not at the refusals.
