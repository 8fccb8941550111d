//! What a server and a client are told about TLS.

use std::path::PathBuf;
use std::time::Duration;

/// How long a handshake may take unless the options say otherwise.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where PEM is to be found: certificates and keys in text between `-----BEGIN …-----` and `-----END …-----`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// In all files of a folder; those without a certificate are passed over. For trusted certificates.
    Folder(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
}

/// What an end shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its certificate, and behind it those that lead up to the trusted one.
    pub certificates: Pem,
    /// The certificate's private key: RSA, ECDSA (P-256, P-384) or Ed25519; not encrypted.
    pub key: Pem,
}

/// What a server asks of its clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It does not ask.
    #[default]
    Off,
    /// Who shows one must have it from one of these; who shows none is let in.
    Optional(Vec<Pem>),
    /// Everyone must show one from one of these.
    Required(Vec<Pem>),
}

/// A version of the protocol. Older ones are not spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Version {
    /// All of them.
    pub const ALL: [Version; 2] = [Version::Tls12, Version::Tls13];

    /// As OpenSSL and Redis write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}

/// Whether and how clients may take up a session of before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// Every handshake is a full one.
    Off,
    /// By tickets that the client keeps, and for clients of TLS 1.2 that know no tickets by a cache.
    On {
        /// Sessions in the cache, over all shards that share an [`Acceptor`](super::Acceptor).
        cache_sessions: usize,
        /// How long the keys of tickets are used; a ticket is taken for twice as long at most.
        lifetime: Duration,
    },
}

impl Default for Resumption {
    fn default() -> Self {
        Self::On {
            cache_sessions: 20 * 1024,
            lifetime: Duration::from_secs(300),
        }
    }
}

/// How a server speaks TLS.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// What it shows.
    pub identity: Identity,
    /// What it asks of clients. Default: nothing.
    pub client_certificates: ClientCertificates,
    /// Versions that it speaks. Default: all.
    pub versions: Vec<Version>,
    /// Application protocols (ALPN), the preferred first. With any, a client that offers others only is refused. Default:
    /// none.
    pub protocols: Vec<Vec<u8>>,
    /// Cipher suites by OpenSSL's names, the preferred first; none is all. Default: all.
    pub cipher_suites: Vec<String>,
    /// Whether the own order of suites counts, and not the client's. Default: the client's.
    pub prefers_own_order: bool,
    /// Taking up sessions again. Default: on.
    pub resumption: Resumption,
    /// How long a handshake may take. Default: [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout: Duration,
}

impl ServerOptions {
    /// The defaults, for a server that shows `identity`.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            client_certificates: ClientCertificates::Off,
            versions: Version::ALL.to_vec(),
            protocols: Vec::new(),
            cipher_suites: Vec::new(),
            prefers_own_order: false,
            resumption: Resumption::default(),
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }
    }
}

/// Whom a client believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Servers with a certificate from one of these.
    Roots(Vec<Pem>),
    /// **Anybody.** Who sits between the two ends can read and change everything. For tests.
    InsecureAnybody,
}

/// How a client speaks TLS.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Whom it believes.
    pub trust: Trust,
    /// What it shows to servers that ask. Default: nothing.
    pub identity: Option<Identity>,
    /// Versions that it speaks. Default: all.
    pub versions: Vec<Version>,
    /// Application protocols (ALPN) that it offers, the preferred first. Default: none.
    pub protocols: Vec<Vec<u8>>,
    /// Cipher suites by OpenSSL's names, the preferred first; none is all. Default: all.
    pub cipher_suites: Vec<String>,
    /// Whether the server is told the name that is asked for (SNI). Default: yes.
    pub tells_name: bool,
    /// Sessions that are remembered, to take up again; 0 is none. Default: 256.
    pub remembered_sessions: usize,
    /// How long a handshake may take. Default: [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout: Duration,
}

impl ClientOptions {
    /// The defaults, for a client that believes `trust`.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            identity: None,
            versions: Version::ALL.to_vec(),
            protocols: Vec::new(),
            cipher_suites: Vec::new(),
            tells_name: true,
            remembered_sessions: 256,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }
    }
}

/// Options that make no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A file or folder could not be read, or what lies in it is of no use.
    #[error("{place}: {reason}")]
    Pem {
        /// The file, or what the bytes are for.
        place: String,
        /// What is wrong with it, and where there is something to do about it, what.
        reason: String,
    },
    /// There is no such cipher suite here.
    #[error("there is no cipher suite \"{name}\" here; there are {known}")]
    CipherSuite {
        /// The name that was given.
        name: String,
        /// Those that would do.
        known: String,
    },
    /// No version, or no suite for one of the versions.
    #[error("{0}")]
    Versions(String),
    /// A server's name that can be no name.
    #[error("\"{name}\" can be no server's name: neither a host name nor an IP address")]
    Name {
        /// The name that was given.
        name: String,
    },
    /// The system has no random numbers.
    #[error("no keys for session tickets: {0}")]
    Tickets(String),
}
