//! The service under test: a path for each way in which a service can behave.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use corelane::http::TowerService;
use corelane::http::hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use corelane::http::hyper::{Request, Response, StatusCode};
use corelane::time::{self, Sleep};

/// | path | answer |
/// |---|---|
/// | `/hello` | `hello` |
/// | `/echo` | the request's body |
/// | `/wait` | `waited`, after 500 ms |
/// | `/never` | none |
/// | `/big` | [`BIG_BYTES`] bytes |
/// | `/stream` | three frames of a body of unknown length, 100 s apart |
/// | `/broken` | a frame, then an error |
#[derive(Clone)]
pub(crate) struct Tested;

pub(crate) const BIG_BYTES: usize = 3_000_000;

type Answer = Result<Response<TestBody>, Infallible>;

impl TowerService<Request<Incoming>> for Tested {
    type Response = Response<TestBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        Box::pin(async move { Ok(answer(request).await) })
    }
}

async fn answer(request: Request<Incoming>) -> Response<TestBody> {
    let body = match request.uri().path() {
        "/hello" => TestBody::whole("hello"),
        "/echo" => match collect(request.into_body()).await {
            Ok(body) => TestBody::whole(body),
            Err(_) => return status(StatusCode::BAD_REQUEST),
        },
        "/wait" => {
            time::sleep(Duration::from_millis(500)).await;
            TestBody::whole("waited")
        }
        "/never" => pending().await,
        "/big" => TestBody::whole(vec![b'x'; BIG_BYTES]),
        "/stream" => TestBody::stream(["one,", "two,", "three"]),
        "/broken" => TestBody {
            fails: true,
            ..TestBody::stream(["half"])
        },
        _ => return status(StatusCode::NOT_FOUND),
    };
    Response::new(body)
}

fn status(status: StatusCode) -> Response<TestBody> {
    let mut response = Response::new(TestBody::default());
    *response.status_mut() = status;
    response
}

async fn collect(body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        whole.extend_from_slice(frame?.data_ref().expect("no trailers"));
    }
    Ok(whole)
}

/// A body of some frames.
#[derive(Default)]
pub(crate) struct TestBody {
    frames: VecDeque<Bytes>,
    /// Before the next frame.
    pause: Option<Sleep>,
    is_stream: bool,
    fails: bool,
}

impl TestBody {
    fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            frames: [bytes.into()].into(),
            ..Self::default()
        }
    }

    fn stream<const N: usize>(frames: [&'static str; N]) -> Self {
        Self {
            frames: frames.map(Bytes::from).into(),
            is_stream: true,
            ..Self::default()
        }
    }
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(Pin::new(pause).poll(cx));
            self.pause = None;
        }
        let Some(frame) = self.frames.pop_front() else {
            return match self.fails {
                true => Poll::Ready(Some(Err(io::Error::other("the disk is gone")))),
                false => Poll::Ready(None),
            };
        };
        if self.is_stream && !self.fails {
            self.pause = Some(time::sleep(Duration::from_secs(100)));
        }
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && !self.is_stream
    }

    fn size_hint(&self) -> SizeHint {
        match self.is_stream {
            true => SizeHint::default(),
            false => SizeHint::with_exact(self.frames.iter().map(|f| f.len() as u64).sum()),
        }
    }
}
