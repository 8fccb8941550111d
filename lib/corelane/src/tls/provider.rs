//! Cryptography, chance and time as rustls asks for them.

use std::sync::{Arc, OnceLock};

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, GetRandomFailed, SecureRandom, ring};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use super::options::{OptionsError, Version};
use super::suites;
use crate::{Backend, random, time};

/// ring, with the suites that are wanted.
pub(super) fn provider(cipher_suites: &[String]) -> Result<Arc<CryptoProvider>, OptionsError> {
    let mut provider = ring::default_provider();
    provider.cipher_suites = suites::choose(&provider.cipher_suites, cipher_suites)?;
    let system = provider.secure_random;
    provider.secure_random = CHANCE.get_or_init(|| Chance { system });
    Ok(Arc::new(provider))
}

/// As rustls names versions.
pub(super) fn versions(
    wanted: &[Version],
) -> Result<Vec<&'static SupportedProtocolVersion>, OptionsError> {
    if wanted.is_empty() {
        let text = "no version of TLS: name TLSv1.2, TLSv1.3 or both".to_owned();
        return Err(OptionsError::Versions(text));
    }
    let versions = wanted.iter().map(|version| match version {
        Version::Tls12 => &rustls::version::TLS12,
        Version::Tls13 => &rustls::version::TLS13,
    });
    Ok(versions.collect())
}

/// The system's random numbers; the world's in a simulated one, so that session ids and nonces follow from its seed.
/// Keys and signatures do not, as ring draws its own: they differ in their bytes, and in their length only if they are
/// ECDSA signatures.
#[derive(Debug)]
struct Chance {
    system: &'static dyn SecureRandom,
}

static CHANCE: OnceLock<Chance> = OnceLock::new();

impl SecureRandom for Chance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        if is_simulated() {
            random::fill(bytes);
            return Ok(());
        }
        self.system.fill(bytes)
    }
}

/// The runtime's clock, for what certificates and tickets say of time; the system's outside one.
#[derive(Debug)]
pub(super) struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        if corelane_rt::is_inside() {
            let since = std::time::Duration::from_millis(time::unix_ms());
            return Some(UnixTime::since_unix_epoch(since));
        }
        Some(UnixTime::now())
    }
}

fn is_simulated() -> bool {
    corelane_rt::is_inside() && crate::backend() == Backend::Sim
}
