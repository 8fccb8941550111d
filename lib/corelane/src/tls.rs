//! TLS 1.2 and 1.3 by rustls, held as a value and not as a stream of its own: a TLS connection is used as a
//! [`Stream`](crate::net::Stream) is, and moves between shards as one does, with its keys. On by the feature `tls`, which
//! is a default one.
//!
//! [`Acceptor`] and [`Connector`] are made from plain options, and make [`TlsStream`]s of connections. [`Transport`] is
//! either of both, for code that is written once. [`Failure`] says why there is no connection, and its
//! [`Reason`] is what to count.
//!
//! What it costs: a receive is decrypted where it lies and copied once into plaintext that is handed on; a send is
//! encrypted into one buffer, as few records as the protocol allows, and leaves in one send. A connection that waits
//! holds neither.
//!
//! ```
//! use corelane::net::{ListenOptions, Listener, Stream};
//! use corelane::tls::{Acceptor, ClientOptions, Connector, Identity, Pem, ServerOptions, Trust};
//! use corelane::{sim, task};
//!
//! # let made = rcgen::generate_simple_self_signed(["cache.example".to_owned()])?;
//! # let (certificate, key) = (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
//! // PEM, from a file (`Pem::File`) or at hand.
//! let identity = Identity {
//!     certificates: Pem::Bytes(certificate.clone()),
//!     key: Pem::Bytes(key),
//! };
//! let acceptor = Acceptor::new(&ServerOptions::new(identity))?;
//! let trust = Trust::Roots(vec![Pem::Bytes(certificate)]);
//! let connector = Connector::new(&ClientOptions::new(trust))?;
//!
//! // A simulated shard; in a service this is what its main does on each real one.
//! let world = sim::World::new(1, sim::WorldOptions::default());
//! let shard = world.shard(0, "shard");
//! let answer = world.block_on(shard, async move {
//!     let addr = std::net::SocketAddr::from(([127, 0, 0, 1], 6380)).into();
//!     let listener = Listener::bind(&addr, &ListenOptions::default())?;
//!     task::spawn(async move {
//!         let (stream, _) = listener.accept().await?;
//!         let mut stream = acceptor.accept(stream);
//!         stream.handshake().await?;
//!         let question = stream.recv().await?;
//!         stream.send_all(question.to_ascii_uppercase()).await
//!     });
//!
//!     let stream = Stream::connect(&addr).await?;
//!     let name = "cache.example".parse().expect("a host name");
//!     let mut stream = connector.connect(stream, &name).expect("sound options");
//!     // The handshake comes first, by itself; `handshake` bounds its time.
//!     stream.handshake().await?;
//!     stream.send_all(b"hello".to_vec()).await?;
//!     let answer = stream.recv().await?;
//!     std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
//! });
//! assert_eq!(answer.unwrap().unwrap(), "HELLO");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # New certificates
//!
//! An [`Acceptor`] cannot be changed; another takes its place. Make it off the shards
//! ([`blocking`](crate::blocking)), hand each shard a clone, and go on with the old one if it cannot be made: the error
//! names the file.
//!
//! # In the simulator
//!
//! TLS runs there as it is, on the world's clock. rustls's own random numbers follow from the seed; ring's keys and
//! signatures do not. So what is sent differs in its bytes from run to run, and with it
//! [`World::trace_hash`](crate::sim::World::trace_hash); who runs when is the same as long as lengths are. They are with
//! RSA and Ed25519 certificates; an ECDSA signature is a byte or two shorter at times.
//!
//! # What is not here
//!
//! Early data, which can be replayed; certificates that have been revoked; more than one certificate per server;
//! encrypted keys.

mod acceptor;
mod agreed;
mod connection;
mod connector;
mod failure;
mod live;
mod options;
mod pem;
mod provider;
mod session;
mod stream;
mod suites;
mod transport;

pub use acceptor::Acceptor;
pub use agreed::Agreed;
pub use connection::Connection;
pub use connector::{Connector, Name};
pub use failure::{Failure, Reason};
pub use options::{
    ClientCertificates, ClientOptions, HANDSHAKE_TIMEOUT, Identity, OptionsError, Pem, Resumption,
    ServerOptions, Trust, Version,
};
pub use rustls;
pub use stream::TlsStream;
pub use suites::cipher_suites;
pub use transport::{Transport, TransportConnection};
