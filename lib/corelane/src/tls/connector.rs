//! The client's end: options checked once, then connections.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::options::{ClientOptions, OptionsError, Trust};
use super::pem;
use super::provider::{Clock, provider, versions};
use super::session::Session;
use super::stream::TlsStream;
use crate::net::Stream;

/// Makes TLS connections of ones to a server. A value that cannot be changed and is cheap to clone. Sessions to take up
/// again are remembered in it, for all its clones.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    handshake_timeout: Duration,
}

/// A server's name: a host name or an IP address that its certificate must be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(ServerName<'static>);

impl std::str::FromStr for Name {
    type Err = OptionsError;

    fn from_str(name: &str) -> Result<Self, OptionsError> {
        let parsed = ServerName::try_from(name.to_owned());
        parsed.map(Self).map_err(|_| OptionsError::Name {
            name: name.to_owned(),
        })
    }
}

impl From<std::net::IpAddr> for Name {
    fn from(ip: std::net::IpAddr) -> Self {
        Self(ServerName::from(ip))
    }
}

impl Connector {
    /// Reads files and checks everything that can be checked. Blocks: at run time, call it through
    /// [`blocking`](crate::blocking).
    ///
    /// # Errors
    /// What is wrong, and in which file.
    pub fn new(options: &ClientOptions) -> Result<Self, OptionsError> {
        let provider = provider(&options.cipher_suites)?;
        let builder = ClientConfig::builder_with_details(provider.clone(), Arc::new(Clock))
            .with_protocol_versions(&versions(&options.versions)?)
            .map_err(|error| OptionsError::Versions(error.to_string()))?;
        let builder = match &options.trust {
            Trust::Roots(roots) => builder.with_root_certificates(pem::roots(roots)?),
            Trust::InsecureAnybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        };
        let mut config = match &options.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (certificates, key) = pem::identity(identity)?;
                builder
                    .with_client_auth_cert(certificates, key)
                    .map_err(|error| pem::unusable(identity, &error))?
            }
        };
        config.alpn_protocols = options.protocols.clone();
        config.enable_sni = options.tells_name;
        config.resumption = match options.remembered_sessions {
            0 => Resumption::disabled(),
            sessions => Resumption::in_memory_sessions(sessions),
        };
        Ok(Self {
            config: Arc::new(config),
            handshake_timeout: options.handshake_timeout,
        })
    }

    /// The client's end of TLS over `stream`, to a server that must be `name`. Nothing is awaited: the handshake begins
    /// with what the stream is waited for first, or with [`TlsStream::handshake`]. Its time runs from now.
    ///
    /// # Errors
    /// What rustls says where the options contradict each other.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn connect(&self, stream: Stream, name: &Name) -> Result<TlsStream, rustls::Error> {
        let session = self.session(name)?;
        Ok(TlsStream::new(stream, session, self.handshake_timeout))
    }

    pub(super) fn session(&self, name: &Name) -> Result<Session, rustls::Error> {
        let connection = UnbufferedClientConnection::new(self.config.clone(), name.0.clone())?;
        Ok(Session::client(connection))
    }
}

/// Believes whoever has the key of the certificate that is shown.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}
