//! Cipher suites by the names that OpenSSL, and so Redis, gives them.

use rustls::{CipherSuite, SupportedCipherSuite};

use super::options::{OptionsError, Version};

/// OpenSSL's name, and rustls's. All that there are: those of TLS 1.2 have forward secrecy and authenticated
/// encryption, others are not offered.
const NAMES: [(&str, CipherSuite); 9] = [
    (
        "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_AES_256_GCM_SHA384,
    ),
    (
        "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_128_GCM_SHA256,
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// The cipher suites there are, by OpenSSL's names, and the version that each is of.
#[must_use]
pub fn cipher_suites() -> [(&'static str, Version); 9] {
    NAMES.map(|(name, _)| match name.starts_with("TLS_") {
        true => (name, Version::Tls13),
        false => (name, Version::Tls12),
    })
}

/// The name that OpenSSL gives a suite.
pub(super) fn name(suite: CipherSuite) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(_, known)| *known == suite)
        .map(|(name, _)| *name)
}

/// Of `all` those that `names` names, in its order; all where it names none.
pub(super) fn choose(
    all: &[SupportedCipherSuite],
    names: &[String],
) -> Result<Vec<SupportedCipherSuite>, OptionsError> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    names
        .iter()
        .map(|name| find(all, name).ok_or_else(|| unknown(name)))
        .collect()
}

fn find(all: &[SupportedCipherSuite], name: &str) -> Option<SupportedCipherSuite> {
    let (_, wanted) = NAMES.iter().find(|(known, _)| *known == name)?;
    all.iter().copied().find(|suite| suite.suite() == *wanted)
}

fn unknown(name: &str) -> OptionsError {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    OptionsError::CipherSuite {
        name: name.to_owned(),
        known: known.join(", "),
    }
}
