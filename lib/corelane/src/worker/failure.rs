//! What becomes of a message that fails: its handler said so, or panicked.

use std::fmt;
use std::sync::Arc;

/// Retries of one message at most.
pub const MAX_RETRIES: u32 = 1000;

/// A handler's word that a message failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed<M> {
    pub(crate) message: Option<M>,
    pub(crate) reason: String,
}

impl<M> Failed<M> {
    /// Failed, for this reason.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            message: None,
            reason: reason.into(),
        }
    }

    /// Gives the message back, so that it can be tried again or reach the dead letters without a copy.
    #[must_use]
    pub fn returning(self, message: M) -> Self {
        let message = Some(message);
        Self { message, ..self }
    }
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter<M> {
    /// The message; `None` if its handler panicked or kept it, and no copy was made.
    pub message: Option<M>,
    /// The worker's number in its pool.
    pub worker: usize,
    /// What the handler or its panic said.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the last try panicked.
    pub panicked: bool,
}

type DeadLetters<M> = Arc<dyn Fn(DeadLetter<M>) + Send + Sync>;

/// What a pool does with messages that fail. All are counted; whoever waits for a reply is told in any case,
/// when the message is given up.
pub struct OnFailure<M>(Policy<M>);

pub(crate) struct Policy<M> {
    retries: u32,
    copy: Option<fn(&M) -> M>,
    dead_letters: Option<DeadLetters<M>>,
}

impl<M> OnFailure<M> {
    /// They are dropped.
    #[must_use]
    pub fn drop_it() -> Self {
        Self(Policy {
            retries: 0,
            copy: None,
            dead_letters: None,
        })
    }

    /// They go to `handler`, on the worker's thread: let it be short. It gets the message itself if it was
    /// [given back](Failed::returning), or if [copies](Self::keep_copies) are kept.
    #[must_use]
    pub fn dead_letter(handler: impl Fn(DeadLetter<M>) + Send + Sync + 'static) -> Self {
        Self::drop_it().then_dead_letter(handler)
    }

    /// What is given up goes to `handler`.
    #[must_use]
    pub fn then_dead_letter(
        mut self,
        handler: impl Fn(DeadLetter<M>) + Send + Sync + 'static,
    ) -> Self {
        self.0.dead_letters = Some(Arc::new(handler));
        self
    }
}

impl<M: Clone> OnFailure<M> {
    /// They are tried again, up to `max` times ([`MAX_RETRIES`] at most), at once and before all others, so that the
    /// order of messages stays; after a panic by the worker's next state. Each message is copied
    /// before it is handled.
    #[must_use]
    pub fn retry(max: u32) -> Self {
        let mut policy = Self::drop_it().keep_copies();
        policy.0.retries = max.min(MAX_RETRIES);
        policy
    }

    /// Copies each message before it is handled, so that the dead letters have it even after a panic.
    #[must_use]
    pub fn keep_copies(mut self) -> Self {
        self.0.copy = Some(M::clone);
        self
    }
}

impl<M> Default for OnFailure<M> {
    fn default() -> Self {
        Self::drop_it()
    }
}

impl<M> Clone for OnFailure<M> {
    fn clone(&self) -> Self {
        Self(Policy {
            retries: self.0.retries,
            copy: self.0.copy,
            dead_letters: self.0.dead_letters.clone(),
        })
    }
}

impl<M> fmt::Debug for OnFailure<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnFailure")
            .field("retries", &self.0.retries)
            .field("copies", &self.0.copy.is_some())
            .field("dead_letters", &self.0.dead_letters.is_some())
            .finish()
    }
}

impl<M> From<OnFailure<M>> for Policy<M> {
    fn from(on_failure: OnFailure<M>) -> Self {
        on_failure.0
    }
}

impl<M> Policy<M> {
    pub(crate) fn copy(&self, message: &M) -> Option<M> {
        self.copy.map(|copy| copy(message))
    }

    /// Whether a message that has failed `attempts` times before is tried again.
    pub(crate) fn retries(&self, attempts: u32) -> bool {
        attempts < self.retries
    }

    /// Where what is given up goes.
    pub(crate) fn dead_letters(&self) -> Option<&DeadLetters<M>> {
        self.dead_letters.as_ref()
    }
}
