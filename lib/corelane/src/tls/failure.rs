//! Why a TLS connection did not come about, or broke: for a log line, and by reason for a count.

use std::io;
use std::time::Duration;

use rustls::{CertificateError, InvalidMessage, OtherError};

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
    /// More came than any message has that belongs there, and it was no whole one yet.
    #[error("more than {} KiB came without a whole TLS message", .0 / 1024)]
    TooLong(usize),
    /// What the protocol says.
    #[error("{}", in_words(.0))]
    Tls(rustls::Error),
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
    /// The other end broke the protocol, or the bytes were changed on their way; [`Failure::TooLong`].
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
            Self::TooLong(_) => Reason::Protocol,
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

/// What rustls says, and in our words what nobody could read.
pub(super) fn in_words(error: &rustls::Error) -> String {
    match is_of_an_old_version(error) {
        true => "the certificate is not X.509 version 3, as those that `openssl x509 -req` makes without `-extfile` are \
                 not: sign it anew with a file of extensions"
            .to_owned(),
        false => error.to_string(),
    }
}

/// rustls has no name for it, and its verifier's is told by its text alone: the type is of a crate that is its own.
fn is_of_an_old_version(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
            reason.to_string() == "UnsupportedCertVersion"
        }
        _ => false,
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
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
            Failure::NotTls { .. } | Failure::TooLong(_) | Failure::Tls(_) => {
                io::ErrorKind::InvalidData
            }
        };
        match failure {
            Failure::System(error) => error,
            failure => io::Error::new(kind, failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;
    use rustls_pki_types::CertificateDer;

    use super::*;

    /// Version 3, as certificates have it.
    const VERSION_3: [u8; 5] = [0xa0, 3, 2, 1, 2];

    #[test]
    fn a_certificate_of_an_old_version_is_told_in_words() {
        let made = generate_simple_self_signed(["a.example".to_owned()]).expect("made");
        let mut der = made.cert.der().to_vec();
        let at = der.windows(5).position(|bytes| bytes == VERSION_3);
        der[at.expect("a version") + 4] = 0;
        let der = CertificateDer::from(der);
        let error = rustls::server::ParsedCertificate::try_from(&der).err();
        let failure = Failure::from(error.expect("not version 3"));
        assert_eq!(failure.reason(), Reason::CertificateRefused);
        let text = failure.to_string();
        assert!(
            text.starts_with("the certificate is not X.509 version 3"),
            "{text}"
        );
        let other = Failure::from(rustls::Error::NoCertificatesPresented);
        assert_eq!(other.to_string(), "peer sent no certificates");
    }
}
