//! A shard's server: it accepts, gives each connection a task of its own, and drains when asked to stop.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tower_service::Service as TowerService;

use super::connection::{self, refuse_stream};
use super::date::DateCache;
use super::options::Options;
use super::stats::{Counters, Stats};
use crate::net::{Listener, Stream};
use crate::signal::Signal;
use crate::{task, time};

/// After an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Connections above the limit that are being told so at once; further ones are cut off without a word.
const REFUSING_MAX: usize = 64;

const BUSY: &str = "this server has as many connections open as it may; try again later\n";

/// An HTTP/1 server of one shard, for as many listeners as it has; a cheap handle.
#[derive(Clone)]
pub struct Server(Rc<Shared>);

/// What a server's connections share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) counters: Counters,
    pub(super) date: DateCache,
    /// Fired when connections are to end after the request under way.
    pub(super) drain: Rc<Signal>,
    /// Fired when they are to end at once.
    pub(super) cut: Rc<Signal>,
    /// Fired when the last one has ended, once `drain` has been.
    empty: Rc<Signal>,
    stopping: Cell<bool>,
    refusing: Cell<usize>,
}

impl Shared {
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }
}

impl Server {
    /// A server that serves nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Rc::new(Shared {
            options,
            counters: Counters::default(),
            date: DateCache::default(),
            drain: Rc::default(),
            cut: Rc::default(),
            empty: Rc::default(),
            stopping: Cell::new(false),
            refusing: Cell::new(0),
        }))
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.counters.read()
    }

    /// Serves the connections of `listener` until `stop` resolves ([`Mesh::stopping`](crate::Mesh::stopping) in a
    /// service's main). Then it accepts no more, lets requests under way be answered, closes their connections,
    /// and returns when all are closed or [`Options::drain_timeout`] has passed.
    ///
    /// Each connection has a task of its own, with a clone of `service`. On real threads bind each shard's listener
    /// with [`reuse_port`](crate::net::ListenOptions::reuse_port), and the kernel spreads the connections.
    ///
    /// Once one of a server's listeners has stopped, all of them do.
    ///
    /// # Panics
    /// Outside a runtime.
    pub async fn serve<R, B>(&self, listener: Listener, service: R, stop: impl Future<Output = ()>)
    where
        R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        R: Clone + 'static,
        B: Body + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut stop = pin!(stop);
        let mut stopped = pin!(self.0.drain.wait());
        loop {
            let mut accept = pin!(listener.accept());
            let accepted = poll_fn(|cx| {
                let stops = stop.as_mut().poll(cx).is_ready();
                match stops || stopped.as_mut().poll(cx).is_ready() {
                    true => Poll::Ready(None),
                    false => accept.as_mut().poll(cx).map(Some),
                }
            });
            match accepted.await {
                None => break,
                Some(Ok((stream, _))) => self.take(stream, &service),
                Some(Err(error)) => {
                    tracing::warn!(%error, "an HTTP connection could not be accepted");
                    self.0.counters.count(|stats| stats.accept_errors += 1);
                    time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        self.drain().await;
    }

    /// Starts a connection's task, or refuses it.
    fn take<R, B>(&self, stream: Stream, service: &R)
    where
        R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        R: Clone + 'static,
        B: Body + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.0.counters.count(|stats| stats.accepted += 1);
        if self.stats().open >= self.0.options.connections_max as u64 {
            return self.refuse(stream);
        }
        // Answers are whole when they are sent; waiting for more would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let open = Open::new(self.0.clone());
        let serving = connection::run(stream, service.clone(), self.0.clone());
        task::spawn(async move {
            let _open = open;
            serving.await;
        });
    }

    /// Tells the client that there is no room, if not too many others are being told.
    fn refuse(&self, stream: Stream) {
        self.0.counters.count(|stats| stats.refused_busy += 1);
        if self.0.refusing.get() == REFUSING_MAX {
            return stream.abort();
        }
        let shared = self.0.clone();
        shared.refusing.set(shared.refusing.get() + 1);
        task::spawn(async move {
            refuse_stream(stream, "503 Service Unavailable", BUSY).await;
            shared.refusing.set(shared.refusing.get() - 1);
        });
    }

    async fn drain(&self) {
        self.0.stopping.set(true);
        self.0.drain.fire();
        if self.stats().open == 0 {
            return;
        }
        let empty = self.0.empty.wait();
        if time::timeout(self.0.options.drain_timeout, empty)
            .await
            .is_ok()
        {
            return;
        }
        let connections = self.stats().open;
        tracing::warn!(
            connections,
            "HTTP connections are cut off: their requests take too long"
        );
        self.0.cut.fire();
        self.0.empty.wait().await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("options", &self.0.options)
            .field("stats", &self.stats())
            .finish()
    }
}

/// A connection in the count of those open, for as long as its task lives.
struct Open(Rc<Shared>);

impl Open {
    fn new(shared: Rc<Shared>) -> Self {
        shared.counters.count(|stats| stats.open += 1);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counters.count(|stats| stats.open -= 1);
        if self.0.is_stopping() && self.0.counters.read().open == 0 {
            self.0.empty.fire();
        }
    }
}
