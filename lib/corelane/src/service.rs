//! What a shard does with what its peers send: the one trait that a user of the mesh implements, and
//! the ways in which it may answer.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{Cx, Mesh, ShardId};

/// One shard's state and how it answers. Each shard has its own value; it never leaves its thread and
/// need not be `Send`.
///
/// All methods are synchronous and run between tasks, so a handler sees the state whole and no borrow
/// outlives it. Work that must wait is returned as [`Outcome::Later`], a future that re-enters the state
/// by [`Mesh::with`]. A panic in any of them is the end of the state: half-changed, it is served no more.
/// What happens then is up to [`LaunchOptions`](crate::LaunchOptions): the node ends, by default.
pub trait Service: Sized + 'static {
    /// How often [`tick`](Self::tick) runs. It also wakes an idle shard, so a service that has nothing
    /// to do by itself makes it long; up to a second, which tells a resting shard from a wedged one.
    const TICK: Duration = Duration::from_millis(100);

    /// What a peer asks. A whole batch of commands is better than one: a call costs about 100 ns.
    type Request: Send + 'static;
    /// What it gets back.
    type Reply: Send + 'static;
    /// What travels on the control lane, which data cannot block: settings, maps, announcements.
    type Control: Send + 'static;

    /// Answers one request; `cx` says whose it is and until when it is wanted.
    ///
    /// Requests of one shard arrive in the order in which it called, and so do those of one thread
    /// outside the node.
    fn handle(&mut self, request: Self::Request, cx: &Cx<'_, Self>) -> Outcome<Self>;

    /// What a request is called in the log when it panics: `"get"`. It is asked before every request, so it
    /// looks at a tag and formats nothing.
    #[must_use]
    fn label(request: &Self::Request) -> &'static str {
        let _ = request;
        ""
    }

    /// Takes one control message of `from`, in the order sent, independent of the requests.
    fn control(&mut self, message: Self::Control, from: ShardId);

    /// Runs after each batch of requests that arrived together (from one peer, or from outside): for work
    /// that is cheaper once per batch.
    fn batch_end(&mut self, mesh: &Mesh<Self>) {
        let _ = mesh;
    }

    /// Runs every [`TICK`](Self::TICK), ten times a second by default: expiry, statistics, whatever needs
    /// time and no request. Keep it to tens of microseconds; the shard serves nobody meanwhile.
    fn tick(&mut self) {}

    /// Runs once, when main has returned and the shard leaves in peace (its node stops, or a resize
    /// has taken its partitions away); the state is dropped after it. Not after a failure.
    fn shutdown(&mut self) {}
}

/// How a handler answers.
pub enum Outcome<S: Service> {
    /// At once.
    Ready(S::Reply),
    /// When this future is done; see [`Outcome::later`]. The shard serves others meanwhile.
    Later(Later<S::Reply>),
    /// What was asked for does not live here: the request goes back to its caller, as
    /// [`CallError::Moved`](crate::CallError::Moved). For services that place their data themselves.
    Moved(S::Request),
    /// Not at all, and why.
    Rejected(Rejection),
}

/// An answer that takes time: a future on the shard that was asked.
pub struct Later<R>(pub(crate) Pin<Box<dyn Future<Output = R>>>);

impl<S: Service> Outcome<S> {
    /// Answers when `future` is done. It runs as a task of its own, which is dropped where it stands when its
    /// caller gives up or the deadline passes. It reaches the state by a clone of [`Cx::mesh`].
    ///
    /// Until it is done it holds its caller's credit. Futures that ask other shards, whose handlers ask back in
    /// the same way, can so hold all credits of a circle and wait for each other: give such calls a deadline
    /// ([`Cx::options`] passes the caller's on), or ask in one direction only.
    pub fn later(future: impl Future<Output = S::Reply> + 'static) -> Self {
        Self::Later(Later(Box::pin(future)))
    }

    /// Refuses in words; see [`Rejection`].
    pub fn rejected(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Rejected(Rejection(reason.into()))
    }
}

impl<S: Service> fmt::Debug for Outcome<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(_) => f.write_str("Ready"),
            Self::Later(_) => f.write_str("Later"),
            Self::Moved(_) => f.write_str("Moved"),
            Self::Rejected(rejection) => write!(f, "Rejected({rejection})"),
        }
    }
}

impl<R> fmt::Debug for Later<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Later")
    }
}

/// Why a service did not do what it was asked, in words for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection(pub(crate) Cow<'static, str>);

impl Rejection {
    /// The words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
