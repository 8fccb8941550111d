//! Workers and pools: a mailbox in front of a state.
//!
//! # A service or a worker?
//!
//! A [`Service`](crate::Service) answers requests as they arrive, and whoever calls it waits for the answer. A
//! [`Worker`](crate::worker::Worker) is sent messages, which queue up, and may be paused, drained or handled a hundred at once.
//! Take a service where callers need answers; take a worker where work is to be done and the sender goes on. A
//! pool is made of services, so both cost about the same.
//!
//! # A pool with nothing to configure
//!
//! ```
//! use corelane::pool::{To, WorkerPool};
//! use corelane::worker::{Batch, Envelope, Handled, Worker, WorkerCx};
//!
//! /// Totals by account, each account on one worker.
//! struct Totals;
//!
//! impl Worker for Totals {
//!     type State = std::collections::HashMap<u64, i64>;
//!     type Message = (u64, i64);
//!     type Reply = i64;
//!
//!     async fn init(&self, _cx: WorkerCx<Self>) -> Result<Self::State, String> {
//!         Ok(Self::State::new())
//!     }
//!
//!     fn handle_message(&self, totals: &mut Self::State, message: Envelope<(u64, i64)>) -> Handled<Self> {
//!         let (account, amount) = message.into_inner();
//!         let total = totals.entry(account).or_default();
//!         *total += amount;
//!         Ok(*total)
//!     }
//! }
//!
//! let pool = WorkerPool::auto(|_worker| Totals)?;
//! println!("{}", pool.plan().explain()); // what was chosen for this machine, and why
//!
//! // Many at once: one charge, one place in an inbox and one wake for up to 256 messages.
//! let payments = (0..1000u64).map(|n| ((n % 10).to_be_bytes(), (n % 10, 1)));
//! pool.send_many_blocking(payments)?;
//! assert_eq!(pool.call_blocking(To::Key(&7u64.to_be_bytes()), (7, 0))?, 100);
//! pool.stop_all()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The [profiles](crate::pool::Profile) decide how many workers there are, where they run, and whether they spin before
//! they sleep; [`WorkerPool::builder`](crate::pool::WorkerPool::builder) decides anything by hand. What cannot be (no workers,
//! a CPU that is not there, a partitioner for another number of workers) is an error that says what to change.
//!
//! # Order
//!
//! What one sender sends to one worker, or for one key, is handled in that order: sent one by one or many at once,
//! before, during and after a [`resize`](crate::pool::PoolHandle::resize), and before and after a panic.
//!
//! # When a mailbox is full
//!
//! A mailbox has a bound. [`send`](crate::pool::PoolHandle::send) waits for room, `try_send` gives the message back,
//! `send_timeout` waits for so long, and `send_blocking` is for threads that await nothing. On a shard nothing blocks:
//! there the blocking ones give the message back and say so.
//!
//! Workers message each other through their [`WorkerCx`](crate::worker::WorkerCx). A handler cannot wait, so it uses
//! `try_send`, or spawns a task that awaits `send`. Two workers that fill each other's mailboxes do not deadlock; one
//! of them is told.
//!
//! # When a message fails
//!
//! A handler returns [`Failed`](crate::worker::Failed), or panics. A panic ends the state, and the worker's
//! [`init`](crate::worker::Worker::init) makes another; the mailbox stays, so one message fails and no other. What
//! becomes of it is for [`OnFailure`](crate::worker::OnFailure) to say: dropped, to the dead letters, or tried again, which
//! the compiler allows only for messages that can be cloned. A worker that panics more often than its
//! [`Supervision`](crate::supervision::Supervision) allows ends the pool, and `stop_all` says why.
//!
//! # Stopping
//!
//! [`stop`](crate::pool::PoolHandle::stop) refuses new messages from outside and handles all that were accepted, those
//! that workers send each other meanwhile included; then every worker's `shutdown` runs. A task that a worker has
//! spawned and that still sends when all mailboxes are empty may be refused.
//!
//! # Growing and shrinking
//!
//! A pool built with [`max_workers`](crate::pool::PoolBuilder::max_workers) whose workers are
//! [`Movable`](crate::worker::Movable) is resized while messages come. Messages sent to a worker *by number* go to
//! that number; messages sent by key follow their key.
