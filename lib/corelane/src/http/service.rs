//! What stands between hyper and the user's service: it tells the connection's [`Life`] when a request begins and
//! when its answer is written, counts, and adds the `date` header.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::DATE;
use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service as TowerService;

use super::life::Life;
use super::server::Shared;
use crate::time;

/// The user's service on one connection.
pub(super) struct Watched<R> {
    pub(super) service: R,
    pub(super) life: Rc<Life>,
    pub(super) shared: Rc<Shared>,
}

impl<R, B> hyper::service::Service<Request<Incoming>> for Watched<R>
where
    R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
{
    type Response = Response<WatchedBody<B>>;
    type Error = Infallible;
    type Future = Answering<R>;

    fn call(&self, request: Request<Incoming>) -> Answering<R> {
        self.life.request(time::now_ns());
        self.shared.counters.count(|stats| stats.requests += 1);
        Answering {
            step: Step::Waiting {
                service: self.service.clone(),
                request: Some(request),
            },
            life: self.life.clone(),
            shared: self.shared.clone(),
        }
    }
}

pin_project! {
    /// A request with the user's service.
    pub(super) struct Answering<R: TowerService<Request<Incoming>>> {
        #[pin]
        step: Step<R, R::Future>,
        life: Rc<Life>,
        shared: Rc<Shared>,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<R, F> {
        /// For the service to be ready.
        Waiting { service: R, request: Option<Request<Incoming>> },
        /// For its answer.
        Called { #[pin] future: F },
    }
}

impl<R, B> Future for Answering<R>
where
    R: TowerService<Request<Incoming>, Response = Response<B>, Error = Infallible>,
{
    type Output = Result<Response<WatchedBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let future = match this.step.as_mut().project() {
                StepProjected::Waiting { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    let request = request.take().expect("a request is called once");
                    service.call(request)
                }
                StepProjected::Called { future } => {
                    let mut response = ready!(future.poll(cx))?;
                    this.life.answered(time::now_ns());
                    let headers = response.headers_mut();
                    headers
                        .entry(DATE)
                        .or_insert_with(|| this.shared.date.at(time::unix_ms()));
                    let written = Written(this.life.clone());
                    return Poll::Ready(Ok(response.map(|body| WatchedBody { body, written })));
                }
            };
            this.step.set(Step::Called { future });
        }
    }
}

pin_project! {
    /// An answer's body; hyper drops it when it is written, or when there is none to write.
    pub(super) struct WatchedBody<B> {
        #[pin]
        body: B,
        written: Written,
    }
}

/// Says so when dropped.
struct Written(Rc<Life>);

impl Drop for Written {
    fn drop(&mut self) {
        self.0.replied(time::now_ns());
    }
}

impl<B: Body> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
