//! What fails, who notices, and what is done about it.
//!
//! # Three kinds of failure
//!
//! - **A request cannot be served**: no such key, a bad argument, a limit reached. This is an answer, not a
//!   failure. Make it part of the reply, or refuse it in words
//!   ([`Outcome::Rejected`](crate::Outcome::Rejected)).
//! - **A component is broken**: a handler panics, a start does not succeed. What it held may be half changed, so
//!   the state is dropped and made anew, if that is possible: [supervision](crate::supervision).
//! - **Something you call is not well**: it times out, it refuses, it is gone. Calling it more often
//!   makes it worse: [circuit breaker and retry budget](crate::breaker).
//!
//! # Supervision
//!
//! Restarting works because most failures pass: a rare interleaving, a bad message, a connection that was cut.
//! It does not help against those that do not pass, and must notice. Three things are to be decided.
//!
//! **Who falls together.** A [`Strategy`](crate::supervision::Strategy) per group of children. Workers that
//! know nothing of each other: one for one. Children that share something which a failure may have spoilt:
//! one for all. Children that rely on those started before them: rest for one, with the most relied on first.
//!
//! **How soon.** The first restart comes at once, as far as a client can tell. If the child fails
//! again, each wait is twice as long, with a part left to chance, so that a hundred workers that lost the same
//! database do not return to it in the same millisecond. Report
//! [`on_success`](crate::supervision::Supervisor::on_success) for something that a broken child cannot do,
//! else the waits never grow.
//!
//! **When to stop.** So many restarts within a window, all children together; then the failure goes up to
//! the owner of the group. At the top stands the process, which ends with the reason, and whatever
//! started the process. A budget that is too large hides a fault for weeks; one that is too small ends a node
//! for one bad message. Ten in a minute is a beginning.
//!
//! ```
//! use corelane::supervision::{Supervision, Supervisor, Verdict};
//!
//! let mut supervisor = Supervisor::new(Supervision::default(), 8)?;
//! let (now_ns, random) = (1_000_000_000, 0x9e37_79b9_7f4a_7c15); // the runtime's clock and random numbers
//! match supervisor.on_failure(3, now_ns, random) {
//!     Verdict::Restart { who, after_ns } => {
//!         assert_eq!(who, 3..4);
//!         assert!(after_ns <= 1_000_000);
//!         // Wait, then say so as each start begins: from then on its failure is a new one.
//!         who.for_each(|child| supervisor.on_start(child));
//!     }
//!     Verdict::Waiting => {} // it fell with another one, and its restart is on the way
//!     Verdict::Escalate { reason } => panic!("{reason}"),
//! }
//! # Ok::<(), corelane::supervision::SupervisionError>(())
//! ```
//!
//! **The message that did it** needs a decision of its own. Handled again, it will most likely do it again:
//! a poisoned message with a retry is how one bad request takes down a service, restart by restart. Count
//! it, keep it where someone can look at it, and go on without it.
//!
//! # Calling what is not well
//!
//! A call that fails has three possible meanings, and they ask for different things:
//!
//! | the call | was it done? | try again? |
//! |---|---|---|
//! | was refused ([`CallError::Refused`](crate::CallError::Refused)) | no, and the request comes back | when there is room, or the shard is back; see [`backpressure`](super::backpressure) |
//! | was rejected in words | no | no: the answer will be the same |
//! | expired, was lost, panicked | perhaps | only if doing it twice is as good as once |
//!
//! Where trying again makes sense, three bounds belong together: a **deadline** for all attempts, a
//! [`Backoff`](crate::supervision::Backoff) between them, and a
//! [`RetryBudget`](crate::breaker::RetryBudget) over all callers. The budget is the one that is forgotten:
//! three attempts a call are harmless until everything fails, and then they are three times the load, on
//! top of each other in every layer that retries. Retry in one layer, the one that knows what the request means.
//!
//! A [`Breaker`](crate::breaker::Breaker) goes in front of what fails *slowly*. What refuses at once needs none;
//! what takes its full timeout to fail holds your memory, your permits and your client's patience all that
//! time. Count a timeout as a failure: drop the permit with the call, and it is one.
//!
//! [`Guard`](crate::Guard) puts the three together for the calls of a shard: a breaker in front, a backoff between the
//! attempts, and a budget over all of them; by default it makes again only what was certainly not handled.
