//! One connection: hyper's state machine driven to its end, under the limits and the server's drain.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use tower_service::Service as TowerService;

use super::io::Io;
use super::life::{Expired, Life};
use super::server::Shared;
use super::service::Watched;
use crate::net::Stream;
use crate::time::{self, Sleep};

/// What slow ones are told.
const SLOW_HEAD: &str = "the head of the request took too long to arrive\n";
const SLOW_ANSWER: &str = "the request was not answered in time\n";

/// A timer that never fires is set to about this long.
const FAR_NS: u64 = 3_600_000_000_000;

/// How long, and for how many bytes, a connection is kept after the last answer for the client to close first.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;

/// How a connection ended.
enum End {
    /// By itself.
    Done(hyper::Result<()>),
    /// At a limit.
    Expired(Expired),
    /// With the server.
    Cut,
}

/// Serves `stream` to its end.
pub(super) async fn run<R, B>(stream: Stream, service: R, shared: Rc<Shared>)
where
    R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let life = Rc::new(Life::new(time::now_ns()));
    let io = Io::new(stream, life.clone(), shared.options.observer.clone());
    let watched = Watched {
        service,
        life: life.clone(),
        shared: shared.clone(),
    };
    let mut connection = builder(&shared).serve_connection(io, watched);
    let end = drive(&mut connection, &life, &shared).await;
    // Also drops the service's future, if it is at work.
    let io = connection.into_parts().io;
    match end {
        End::Done(result) => {
            // A drain ends connections at the end of a request: nothing is left unread.
            let is_clean_end = result.is_ok() && shared.is_stopping();
            tally(&shared, result);
            if !is_clean_end && !io.has_ended() {
                linger(io.into_stream()).await;
            }
        }
        End::Expired(expired) => end_expired(&shared, io, expired).await,
        End::Cut => {
            shared.counters.count(|stats| stats.drain_cuts += 1);
            io.into_stream().abort();
        }
    }
}

fn builder(shared: &Shared) -> http1::Builder {
    let options = &shared.options;
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(options.keep_alive)
        .max_buf_size(options.buffer_bytes())
        .max_header_size(options.head_bytes_max)
        .auto_date_header(false);
    builder
}

/// What hyper's connection is to this file.
trait Connection: Future<Output = hyper::Result<()>> + Unpin {
    /// Ends it after the request under way.
    fn drain(&mut self);
}

impl<R, B> Connection for http1::Connection<Io, Watched<R>>
where
    R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn drain(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

/// Until the connection ends, a limit is reached, or the server stops waiting for it.
async fn drive(connection: &mut impl Connection, life: &Life, shared: &Shared) -> End {
    let mut timer = Timer::new();
    let mut drain = pin!(shared.drain.wait());
    let mut cut = pin!(shared.cut.wait());
    let mut is_draining = false;
    let mut known: Option<Waker> = None;
    poll_fn(|cx| {
        // Timer and signals keep the waker that they were given: at most polls there is nothing to ask them.
        let is_known = known
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if !is_known {
            known = Some(cx.waker().clone());
        }
        if !is_known || shared.is_stopping() {
            if !is_draining && drain.as_mut().poll(cx).is_ready() {
                is_draining = true;
                connection.drain();
            }
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Cut);
            }
        }
        if let Poll::Ready(result) = Pin::new(&mut *connection).poll(cx) {
            return Poll::Ready(End::Done(result));
        }
        let limit = life.limit(&shared.options);
        timer.poll(limit, !is_known, cx).map(End::Expired)
    })
    .await
}

/// One timer for all of a connection's limits: it is set anew when it fires, or when a limit comes nearer, and
/// so, with most requests, not touched.
struct Timer(Sleep);

impl Timer {
    fn new() -> Self {
        Self(time::sleep_until(0))
    }

    fn poll(
        &mut self,
        limit: Option<(u64, Expired)>,
        is_new_waker: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Expired> {
        let now_ns = time::now_ns();
        let limit_ns = match limit {
            Some((at_ns, expired)) if at_ns <= now_ns => return Poll::Ready(expired),
            Some((at_ns, _)) => at_ns,
            None => now_ns.saturating_add(FAR_NS),
        };
        let is_set = (now_ns + 1..=limit_ns).contains(&self.0.deadline_ns());
        if !is_set {
            self.0.reset(limit_ns);
        }
        if !is_set || is_new_waker {
            // Still to come, so that it is pending.
            let _ = Pin::new(&mut self.0).poll(cx);
        }
        Poll::Pending
    }
}

fn tally(shared: &Shared, result: hyper::Result<()>) {
    let Err(error) = result else { return };
    tracing::debug!(%error, "an HTTP connection ended badly");
    shared.counters.count(|stats| {
        if error.is_parse() {
            stats.bad_requests += 1;
        } else if error.is_user() {
            stats.failed_answers += 1;
        } else {
            stats.broken += 1;
        }
    });
}

async fn end_expired(shared: &Shared, io: Io, expired: Expired) {
    shared.counters.count(|stats| match expired {
        Expired::Head => stats.head_timeouts += 1,
        Expired::Idle => stats.idle_timeouts += 1,
        Expired::Answer => stats.answer_timeouts += 1,
        Expired::Stall => stats.stall_timeouts += 1,
    });
    match expired {
        Expired::Head => refuse(io, "408 Request Timeout", SLOW_HEAD).await,
        Expired::Answer => refuse(io, "503 Service Unavailable", SLOW_ANSWER).await,
        Expired::Idle => drop(io),
        Expired::Stall => io.into_stream().abort(),
    }
}

/// Answers by hand and closes, unless a part of an answer is on its way.
async fn refuse(io: Io, status: &str, why: &str) {
    if io.is_clean() {
        refuse_stream(io.into_stream(), status, why).await;
    }
}

/// Answers by hand and closes.
pub(super) async fn refuse_stream(mut stream: Stream, status: &str, why: &str) {
    let length = why.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n{why}"
    );
    stream.start_send(answer.into_bytes());
    linger(stream).await;
}

/// Closes such that the client can read the last answer: bytes of its that come after a close would reset the
/// connection, and the reset would overtake the answer. So what still comes is read and thrown away, until
/// the client has closed too, for a moment (RFC 9112, section 9.6).
async fn linger(stream: Stream) {
    // Who has not closed by then is closed on.
    let _ = time::timeout(LINGER, close(stream)).await;
}

async fn close(mut stream: Stream) {
    if stream.sent().await.is_err() || stream.shutdown_write().is_err() {
        return;
    }
    let mut left = LINGER_BYTES;
    while let Ok(chunk) = stream.recv().await
        && !chunk.is_empty()
        && chunk.len() <= left
    {
        left -= chunk.len();
    }
}
