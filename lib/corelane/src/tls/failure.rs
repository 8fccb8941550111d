//! Why a TLS connection did not come about, or broke: for a log line, and by reason for a count.

use std::io;
use std::time::Duration;

use rustls::InvalidMessage;

/// A TLS connection that failed. `recv` and `sent` give it within an [`io::Error`]; [`Failure::of`] finds it there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The handshake was not over in time.
    #[error("the TLS handshake took longer than {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The other end left during the handshake.
    #[error("the other end closed the connection during the TLS handshake")]
    Left,
    /// The other end ended the connection without saying goodbye: what it sent may have been cut short.
    #[error("the connection ended without TLS's close_notify: what came may have been cut short")]
    Truncated,
    /// The other end does not speak TLS.
    #[error("this is not TLS: it begins with \"{}\"", begins_with.escape_ascii())]
    NotTls {
        /// Its first bytes, up to 16.
        begins_with: Vec<u8>,
    },
    /// What the protocol says.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// What the system says.
    #[error(transparent)]
    System(io::Error),
}

/// Kinds of [`Failure`], for a count of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// [`Failure::Timeout`].
    Timeout,
    /// [`Failure::Left`] and [`Failure::Truncated`].
    Left,
    /// [`Failure::NotTls`].
    NotTls,
    /// No version, cipher suite, group or protocol that both ends have.
    Incompatible,
    /// A certificate was required, and none came.
    CertificateMissing,
    /// The other end's certificate was not accepted.
    CertificateRefused,
    /// The other end did not accept what it was shown, and said so.
    RefusedByPeer,
    /// The other end broke the protocol, or the bytes were changed on their way.
    Protocol,
    /// The system's.
    System,
}

impl Failure {
    /// Most of a stranger's first bytes that are shown.
    pub(super) const SHOWN_BYTES: usize = 16;

    /// Its kind.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Timeout(_) => Reason::Timeout,
            Self::Left | Self::Truncated => Reason::Left,
            Self::NotTls { .. } => Reason::NotTls,
            Self::System(_) => Reason::System,
            Self::Tls(error) => Reason::of(error),
        }
    }

    /// The TLS failure in an error that a stream gave, if it is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Failure> {
        error.get_ref()?.downcast_ref()
    }
}

impl Reason {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Reason; 9] = [
        Self::Timeout,
        Self::Left,
        Self::NotTls,
        Self::Incompatible,
        Self::CertificateMissing,
        Self::CertificateRefused,
        Self::RefusedByPeer,
        Self::Protocol,
        Self::System,
    ];

    /// As metrics and reports name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Left => "left",
            Self::NotTls => "not_tls",
            Self::Incompatible => "incompatible",
            Self::CertificateMissing => "certificate_missing",
            Self::CertificateRefused => "certificate_refused",
            Self::RefusedByPeer => "refused_by_peer",
            Self::Protocol => "protocol",
            Self::System => "system",
        }
    }

    fn of(error: &rustls::Error) -> Self {
        use rustls::Error;
        match error {
            Error::NoCertificatesPresented => Self::CertificateMissing,
            Error::InvalidCertificate(_) => Self::CertificateRefused,
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Self::Incompatible,
            Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => Self::Incompatible,
            Error::AlertReceived(_) => Self::RefusedByPeer,
            _ => Self::Protocol,
        }
    }
}

impl From<io::Error> for Failure {
    /// The failure within, where there is one.
    fn from(error: io::Error) -> Self {
        match error.downcast() {
            Ok(failure) => failure,
            Err(error) => Self::System(error),
        }
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::System(error) => error.kind(),
            Failure::Timeout(_) => io::ErrorKind::TimedOut,
            Failure::Left | Failure::Truncated => io::ErrorKind::UnexpectedEof,
            Failure::NotTls { .. } | Failure::Tls(_) => io::ErrorKind::InvalidData,
        };
        match failure {
            Failure::System(error) => error,
            failure => io::Error::new(kind, failure),
        }
    }
}
