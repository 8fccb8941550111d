//! What both ends have agreed on.

use rustls::{HandshakeKind, ProtocolVersion};
use rustls_pki_types::CertificateDer;

use super::options::Version;
use super::session::Session;
use super::suites;

/// What the two ends of a connection have agreed on; made by [`TlsStream::agreed`](super::TlsStream::agreed).
#[derive(Clone, Copy)]
pub struct Agreed<'a>(&'a rustls::CommonState);

impl<'a> Agreed<'a> {
    pub(super) fn of(session: &'a Session) -> Self {
        Self(session.common())
    }

    /// The version, once it is settled.
    #[must_use]
    pub fn version(self) -> Option<Version> {
        match self.0.protocol_version()? {
            ProtocolVersion::TLSv1_2 => Some(Version::Tls12),
            ProtocolVersion::TLSv1_3 => Some(Version::Tls13),
            _ => None,
        }
    }

    /// The cipher suite by the name that OpenSSL gives it, once it is settled.
    #[must_use]
    pub fn cipher_suite(self) -> Option<&'static str> {
        suites::name(self.0.negotiated_cipher_suite()?.suite())
    }

    /// The application protocol (ALPN), if both ends have one in common.
    #[must_use]
    pub fn protocol(self) -> Option<&'a [u8]> {
        self.0.alpn_protocol()
    }

    /// The other end's certificate and those above it, if it showed one.
    #[must_use]
    pub fn peer_certificates(self) -> &'a [CertificateDer<'static>] {
        self.0.peer_certificates().unwrap_or_default()
    }

    /// Whether a session of before was taken up again, which spares both ends most of the work.
    #[must_use]
    pub fn is_resumed(self) -> bool {
        self.0.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

impl std::fmt::Debug for Agreed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agreed")
            .field("version", &self.version())
            .field("cipher_suite", &self.cipher_suite())
            .field("resumed", &self.is_resumed())
            .finish_non_exhaustive()
    }
}
