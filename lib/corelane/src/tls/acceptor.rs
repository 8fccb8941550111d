//! The server's end: options checked once, then connections.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{GetRandomFailed, ring};
use rustls::server::{
    NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, UnbufferedServerConnection,
    WebPkiClientVerifier,
};
use rustls::ticketer::TicketRotator;

use super::options::{ClientCertificates, OptionsError, Resumption, ServerOptions};
use super::pem;
use super::provider::{Clock, provider, versions};
use super::session::Session;
use super::stream::TlsStream;
use crate::net::Stream;

/// Makes TLS connections of accepted ones. A value that cannot be changed and is cheap to clone: every shard has one, and
/// is given another when certificates change. Connections that stand keep what they began with.
///
/// Shards that have clones of one acceptor take up each other's sessions. What they share for that is touched in
/// handshakes only.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    handshake_timeout: Duration,
}

impl Acceptor {
    /// Reads files and checks everything that can be checked. Blocks: at run time, call it through
    /// [`blocking`](crate::blocking).
    ///
    /// # Errors
    /// What is wrong, and in which file.
    pub fn new(options: &ServerOptions) -> Result<Self, OptionsError> {
        let provider = provider(&options.cipher_suites)?;
        let (certificates, key) = pem::identity(&options.identity)?;
        let builder = ServerConfig::builder_with_details(provider.clone(), Arc::new(Clock))
            .with_protocol_versions(&versions(&options.versions)?)
            .map_err(|error| OptionsError::Versions(error.to_string()))?;
        let verifier = match &options.client_certificates {
            ClientCertificates::Off => WebPkiClientVerifier::no_client_auth(),
            ClientCertificates::Optional(roots) | ClientCertificates::Required(roots) => {
                let roots = Arc::new(pem::roots(roots)?);
                let builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let optional =
                    matches!(options.client_certificates, ClientCertificates::Optional(_));
                let builder = match optional {
                    true => builder.allow_unauthenticated(),
                    false => builder,
                };
                let refused = |error| pem::refused("trusted certificates", format!("{error}"));
                builder.build().map_err(refused)?
            }
        };
        let mut config = builder
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates, key)
            .map_err(|error| pem::unusable(&options.identity, &error))?;
        config.alpn_protocols = options.protocols.clone();
        config.ignore_client_order = options.prefers_own_order;
        resume(&mut config, options.resumption)?;
        Ok(Self {
            config: Arc::new(config),
            handshake_timeout: options.handshake_timeout,
        })
    }

    /// The server's end of TLS over `stream`. Nothing is awaited: the handshake goes on in what the stream is waited
    /// for, or in [`TlsStream::handshake`]. Its time runs from now.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn accept(&self, stream: Stream) -> TlsStream {
        TlsStream::new(stream, self.session(), self.handshake_timeout)
    }

    pub(super) fn session(&self) -> Session {
        let connection = UnbufferedServerConnection::new(self.config.clone());
        Session::server(connection.expect("rustls takes the configurations that it has built"))
    }
}

/// Tickets and cache, or neither.
fn resume(config: &mut ServerConfig, resumption: Resumption) -> Result<(), OptionsError> {
    match resumption {
        Resumption::Off => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Resumption::On {
            cache_sessions,
            lifetime,
        } => {
            let seconds = lifetime.as_secs().clamp(1, u32::MAX.into()) as u32;
            let rotator = TicketRotator::new(seconds, tickets);
            let rotator = rotator.map_err(|error| OptionsError::Tickets(error.to_string()))?;
            config.session_storage = ServerSessionMemoryCache::new(cache_sessions.max(1));
            config.ticketer = Arc::new(rotator);
            // One is enough for clients that take a session up again once; it is a third of the handshake's last flight.
            config.send_tls13_tickets = 1;
        }
    }
    Ok(())
}

fn tickets() -> Result<Box<dyn ProducesTickets>, GetRandomFailed> {
    match ring::Ticketer::new() {
        Ok(tickets) => Ok(Box::new(Tickets(tickets))),
        Err(_) => Err(GetRandomFailed),
    }
}

/// Tickets under one key. rustls wants them owned where it changes the key in time, and gives them shared.
#[derive(Debug)]
struct Tickets(Arc<dyn ProducesTickets>);

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
