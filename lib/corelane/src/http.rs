//! HTTP/1 for services: hyper's protocol over the runtime's connections, one server per shard. Behind the
//! feature `http`, as most services speak something else.
//!
//! [`Server::serve`] takes a [`Listener`](crate::net::Listener) and any tower service of requests; an
//! `axum::Router` is one (`axum` with default features off: its `tokio` feature is not needed). Handlers that axum
//! is to take must be `Send`, which a shard's state is not: they hold a handle of the service, not its state.
//!
//! What is where:
//! - `server`: the accept loop and the drain
//! - `connection`: one connection from its first byte to its last, its limits watched by one timer
//! - `life`: what a connection is doing and how long it may (pure)
//! - `io`: hyper's reads and writes over [`Stream`](crate::net::Stream)
//! - `service`: what stands around the user's service: phases, the `date` header
//! - `options`, `stats`: the named limits, and what each of them has refused
//!
//! hyper's own timer is not used: it makes a timer per request, where here a connection has one that is set
//! anew when it fires. Nor is hyper's clock: in the simulator a response's date is the world's.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use corelane::http::hyper::{Request, Response, body::Incoming};
//! use corelane::http::{Options, Server};
//! use corelane::net::{ListenOptions, Listener, Stream};
//! use corelane::{sim, task};
//!
//! /// As an `axum::Router` is: a tower service that can be cloned.
//! #[derive(Clone)]
//! struct Hello;
//!
//! impl corelane::http::TowerService<Request<Incoming>> for Hello {
//!     type Response = Response<String>;
//!     type Error = Infallible;
//!     type Future = std::future::Ready<Result<Self::Response, Infallible>>;
//!
//!     fn poll_ready(
//!         &mut self,
//!         _: &mut std::task::Context<'_>,
//!     ) -> std::task::Poll<Result<(), Infallible>> {
//!         std::task::Poll::Ready(Ok(()))
//!     }
//!
//!     fn call(&mut self, request: Request<Incoming>) -> Self::Future {
//!         std::future::ready(Ok(Response::new(format!("hello from {}", request.uri()))))
//!     }
//! }
//!
//! // A simulated shard; in a service this is what its main does on each real one.
//! let world = sim::World::new(1, sim::WorldOptions::default());
//! let shard = world.shard(0, "shard");
//! let answer = world.block_on(shard, async {
//!     let addr = std::net::SocketAddr::from(([127, 0, 0, 1], 80)).into();
//!     let listener = Listener::bind(&addr, &ListenOptions::default())?;
//!     let server = Server::new(Options::default());
//!     let never = std::future::pending();
//!     task::spawn(async move { server.serve(listener, Hello, never).await });
//!
//!     let mut client = Stream::connect(&addr).await?;
//!     client.start_send(b"GET /here HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_vec());
//!     let mut answer = Vec::new();
//!     loop {
//!         let chunk = client.recv().await?;
//!         match chunk.is_empty() {
//!             true => return std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned()),
//!             false => answer.extend_from_slice(&chunk),
//!         }
//!     }
//! });
//! let answer = answer.unwrap().unwrap();
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
//! assert!(answer.ends_with("\r\n\r\nhello from /here"), "{answer}");
//! ```

mod connection;
mod date;
mod io;
mod life;
mod options;
mod server;
mod service;
mod stats;

pub use hyper;
pub use options::{Observer, Options, Served};
pub use server::Server;
pub use stats::Stats;
pub use tower_service::Service as TowerService;
