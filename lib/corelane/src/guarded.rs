//! Calls that go through a circuit breaker and are tried again within a budget: [`breaker`](crate::breaker) and
//! [`Backoff`] put to work on the calls of a shard.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use corelane_rt::{random, time};

use crate::breaker::{
    Breaker, BreakerError, BreakerOptions, BreakerStats, Open, Outcome, RetryBudget,
    RetryBudgetOptions, RetryStats,
};
use crate::supervision::Backoff;
use crate::{CallError, Refusal};

/// How calls are guarded.
#[derive(Debug, Clone, Copy)]
pub struct GuardOptions {
    /// When not to call at all.
    pub breaker: BreakerOptions,
    /// How many calls may be made again, over all.
    pub retries: RetryBudgetOptions,
    /// How often one call is made at most, the first time included; at least 1.
    pub attempts: u32,
    /// How long to wait before each further attempt.
    pub backoff: Backoff,
    /// Doing it twice is as good as once. Without this only calls that were certainly not handled are made again.
    pub idempotent: bool,
}

impl Default for GuardOptions {
    /// Three attempts, 1 ms to 100 ms apart, of what was not handled.
    fn default() -> Self {
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        Self {
            breaker: BreakerOptions::default(),
            retries: RetryBudgetOptions::default(),
            attempts: 3,
            backoff: backoff.expect("1 ms is not above 100 ms"),
            idempotent: false,
        }
    }
}

/// Why a guarded call has no reply.
#[derive(PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError<Q> {
    /// It was not made: too many have failed.
    #[error("not called: {0}")]
    Open(#[from] Open),
    /// It failed, for the last time.
    #[error("{0}")]
    Call(CallError<Q>),
}

impl<Q> fmt::Debug for GuardError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(open) => open.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

/// Guards the calls of one shard to one callee. Clones share what is known of it.
///
/// ```
/// use corelane::{GuardOptions, Guard, LaunchOptions, Mesh, ShardId, launch};
/// # use corelane::{Cx, Outcome, Service};
/// # struct Echo;
/// # impl Service for Echo {
/// #     type Request = u64;
/// #     type Reply = u64;
/// #     type Control = ();
/// #     fn handle(&mut self, number: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> { Outcome::Ready(number) }
/// #     fn control(&mut self, _message: (), _from: ShardId) {}
/// # }
///
/// async fn main(mesh: Mesh<Echo>) -> Result<(), String> {
///     let guard = Guard::new(GuardOptions::default()).map_err(|e| e.to_string())?;
///     let reply = guard.call(|| mesh.call(ShardId::new(0), 7)).await;
///     assert_eq!(reply, Ok(7));
///     Ok(())
/// }
/// # launch(&LaunchOptions::unpinned(1), async |_| Ok(Echo), main)?.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Guard {
    known: Rc<RefCell<Known>>,
    attempts: u32,
    backoff: Backoff,
    idempotent: bool,
}

#[derive(Debug)]
struct Known {
    breaker: Breaker,
    retries: RetryBudget,
}

impl Guard {
    /// A guard that knows nothing bad of its callee yet.
    ///
    /// # Errors
    /// If an option makes no sense, saying which and what to give.
    pub fn new(options: GuardOptions) -> Result<Self, BreakerError> {
        let known = Known {
            breaker: Breaker::new(options.breaker)?,
            retries: RetryBudget::new(options.retries)?,
        };
        Ok(Self {
            known: Rc::new(RefCell::new(known)),
            attempts: options.attempts.max(1),
            backoff: options.backoff,
            idempotent: options.idempotent,
        })
    }

    /// Makes a call, and makes it again where that is allowed and may help. `attempt` makes it anew each time;
    /// put a deadline over all of them into its [`CallOptions`](crate::CallOptions).
    ///
    /// # Errors
    /// [`GuardError`]: the breaker's refusal, or the last attempt's error.
    ///
    /// # Panics
    /// Outside a runtime, whose clock it reads.
    pub async fn call<R, Q, F>(&self, mut attempt: impl FnMut() -> F) -> Result<R, GuardError<Q>>
    where
        F: Future<Output = Result<R, CallError<Q>>>,
    {
        self.known.borrow_mut().retries.on_call(time::now_ns());
        for number in 1.. {
            // A permit that is dropped with this future counts as a failure: who gives up had reason to.
            let permit = self.known.borrow_mut().breaker.allow(time::now_ns())?;
            let outcome = attempt().await;
            let verdict = outcome.as_ref().map_or_else(of_error, |_| Outcome::Success);
            self.known
                .borrow_mut()
                .breaker
                .record(permit, verdict, time::now_ns());
            match outcome {
                Ok(reply) => return Ok(reply),
                Err(error) if !self.tries_again(number, &error) => {
                    return Err(GuardError::Call(error));
                }
                Err(_) => {}
            }
            let pause_ns = self.backoff.after_ns(number, random::next_u64());
            time::sleep(Duration::from_nanos(pause_ns)).await;
        }
        unreachable!("the last attempt returns")
    }

    /// What the breaker has counted.
    #[must_use]
    pub fn breaker_stats(&self) -> BreakerStats {
        self.known.borrow().breaker.stats()
    }

    /// What the budget for further attempts has counted.
    #[must_use]
    pub fn retry_stats(&self) -> RetryStats {
        self.known.borrow().retries.stats()
    }

    /// Whether a call that has failed so often is made again; takes from the budget if it is.
    fn tries_again<Q>(&self, attempts: u32, error: &CallError<Q>) -> bool {
        attempts < self.attempts
            && self.may_repeat(error)
            && self
                .known
                .borrow_mut()
                .retries
                .try_retry(time::now_ns())
                .is_ok()
    }

    fn may_repeat<Q>(&self, error: &CallError<Q>) -> bool {
        match error {
            CallError::Refused(refused) => refused.reason != Refusal::Closing,
            CallError::Expired | CallError::Panicked => self.idempotent,
            CallError::Moved(_) | CallError::Rejected(_) => false,
            CallError::Cancelled | CallError::Lost => false,
        }
    }
}

/// What an error says of the callee.
fn of_error<Q>(error: &CallError<Q>) -> Outcome {
    match error {
        CallError::Rejected(_) | CallError::Moved(_) => Outcome::Success,
        CallError::Cancelled => Outcome::Ignored,
        CallError::Refused(_) | CallError::Expired | CallError::Panicked | CallError::Lost => {
            Outcome::Failure
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;
    use std::time::Duration;

    use corelane_rt::sim::{World, WorldOptions};
    use corelane_rt::time;

    use super::{Guard, GuardError, GuardOptions};
    use crate::breaker::BreakerOptions;
    use crate::{CallError, Refusal, Refused};

    type Failure = fn() -> CallError<()>;

    fn refused() -> CallError<()> {
        CallError::Refused(Refused {
            message: (),
            reason: Refusal::Full,
        })
    }

    fn closing() -> CallError<()> {
        CallError::Refused(Refused {
            message: (),
            reason: Refusal::Closing,
        })
    }

    /// Runs `test` in a simulated world, on its clock.
    fn run(test: impl AsyncFnOnce() + 'static) {
        let world = World::new(1, WorldOptions::default());
        let shard = world.shard(0, "guarded");
        let ran = world.block_on(shard, async move { test().await });
        ran.expect("it ends");
    }

    #[test]
    fn what_may_help_is_tried_again() {
        let rows: [(Failure, bool, u32); 6] = [
            (refused, false, 3),
            (closing, false, 1),
            (|| CallError::Expired, false, 1),
            (|| CallError::Expired, true, 3),
            (|| CallError::Panicked, true, 3),
            (|| CallError::Lost, true, 1),
        ];
        for (row, (failure, idempotent, attempts)) in rows.into_iter().enumerate() {
            run(async move || {
                let options = GuardOptions {
                    idempotent,
                    ..GuardOptions::default()
                };
                let guard = Guard::new(options).expect("good options");
                let made = Cell::new(0);
                let outcome: Result<(), _> = guard
                    .call(|| {
                        made.set(made.get() + 1);
                        ready(Err(failure()))
                    })
                    .await;
                assert_eq!(outcome, Err(GuardError::Call(failure())), "row {row}");
                assert_eq!(made.get(), attempts, "row {row}");
            });
        }
    }

    #[test]
    fn a_second_attempt_that_works_is_a_reply() {
        run(async || {
            let guard = Guard::new(GuardOptions::default()).expect("good options");
            let made = Cell::new(0);
            let outcome = guard
                .call(|| {
                    made.set(made.get() + 1);
                    ready(if made.get() == 1 {
                        Err(refused())
                    } else {
                        Ok(7)
                    })
                })
                .await;
            assert_eq!(outcome, Ok(7));
        });
    }

    #[test]
    fn what_keeps_failing_is_not_called_for_a_while() {
        run(async || {
            let options = GuardOptions {
                breaker: BreakerOptions {
                    minimum_calls: 4,
                    ..BreakerOptions::default()
                },
                attempts: 1,
                ..GuardOptions::default()
            };
            let guard = Guard::new(options).expect("good options");
            for _ in 0..4 {
                let outcome: Result<(), _> = guard.call(|| ready(Err(refused()))).await;
                assert_eq!(outcome, Err(GuardError::Call(refused())));
            }
            let shut: Result<(), GuardError<()>> = guard
                .call(|| -> std::future::Ready<Result<(), CallError<()>>> {
                    panic!("it was called")
                })
                .await;
            let Err(GuardError::Open(open)) = shut else {
                panic!("the breaker let it through: {shut:?}");
            };
            time::sleep(Duration::from_nanos(open.retry_after_ns)).await;
            let probe = guard.call(|| ready(Ok::<_, CallError<()>>(1))).await;
            assert_eq!(probe, Ok(1));
        });
    }
}
