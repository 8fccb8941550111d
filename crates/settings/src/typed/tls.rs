//! The settings of TLS as a plain struct.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Settings, ShardPorts, Value};

/// How the server speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// TCP port of the server; 0 picks a free one, and `None` is none: the shards' own ports alone speak TLS.
    pub port: Option<u16>,
    /// The certificate; none is a mistake.
    pub cert_file: Option<PathBuf>,
    /// Its key; none is a mistake.
    pub key_file: Option<PathBuf>,
    /// Certificates that clients' ones come from.
    pub ca_file: Option<PathBuf>,
    /// A folder of such.
    pub ca_dir: Option<PathBuf>,
    /// Whether clients show certificates.
    pub client_certificates: ClientCertificates,
    /// Whether TLS 1.2 is spoken.
    pub tls12: bool,
    /// Whether TLS 1.3 is spoken.
    pub tls13: bool,
    /// Cipher suites by OpenSSL's names; none is all of that version.
    pub ciphers12: Vec<String>,
    /// The same for TLS 1.3.
    pub ciphers13: Vec<String>,
    /// Whether the own order of suites counts.
    pub prefers_own_order: bool,
    /// Taking up sessions again: how many are remembered, and for how long.
    pub resumption: Option<(usize, Duration)>,
}

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    No,
    /// They must.
    Yes,
    /// They may.
    Optional,
}

/// Sessions that Redis remembers where 0 are asked for.
const DEFAULT_SESSIONS: usize = 20 * 1024;

impl Settings {
    /// How TLS is spoken; `None`: it is not.
    pub fn tls(&self) -> Option<Tls> {
        let port = match self.value("tls-port") {
            Value::Int(0) if self.listen().tls_shard_ports == ShardPorts::Off => return None,
            Value::Int(0) => None,
            Value::Auto => Some(0),
            _ => Some(self.number("tls-port")),
        };
        let file = |name| Some(self.path(name)).filter(|path| !path.as_os_str().is_empty());
        let suites = |name| {
            let names = self.text(name).split(':').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let protocols = self.text("tls-protocols");
        let speaks = |name| protocols.trim().is_empty() || protocols.contains(name);
        let sessions: usize = self.number("tls-session-cache-size");
        let sessions = if sessions == 0 {
            DEFAULT_SESSIONS
        } else {
            sessions
        };
        let lifetime = Duration::from_secs(self.number("tls-session-cache-timeout"));
        Some(Tls {
            port,
            cert_file: file("tls-cert-file"),
            key_file: file("tls-key-file"),
            ca_file: file("tls-ca-cert-file"),
            ca_dir: file("tls-ca-cert-dir"),
            client_certificates: match self.text("tls-auth-clients") {
                "no" => ClientCertificates::No,
                "optional" => ClientCertificates::Optional,
                _ => ClientCertificates::Yes,
            },
            tls12: speaks("TLSv1.2"),
            tls13: speaks("TLSv1.3"),
            ciphers12: suites("tls-ciphers"),
            ciphers13: suites("tls-ciphersuites"),
            prefers_own_order: self.bool("tls-prefer-server-ciphers"),
            resumption: self
                .bool("tls-session-caching")
                .then_some((sessions, lifetime)),
        })
    }

    /// Whether a name given to `CONFIG SET` is one of TLS's: its files are read anew then.
    pub fn concerns_tls(name: &[u8]) -> bool {
        name.len() > 4 && name[..3].eq_ignore_ascii_case(b"tls") && matches!(name[3], b'-' | b'_')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, find};

    fn tls(port: Value, pairs: &[(&str, &str)]) -> Option<Tls> {
        let pairs: Vec<(&[u8], &[u8])> = pairs
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let mut settings = Settings::default();
        let (index, _) = find("tls-port").expect("it is listed");
        settings.put(index, port, Source::ConfigSet);
        settings.set(&pairs).expect("values");
        settings.tls()
    }

    #[test]
    fn without_a_port_there_is_none() {
        assert_eq!(tls(Value::Int(0), &[("tls-cert-file", "a.pem")]), None);
        assert_eq!(tls(Value::Auto, &[]).expect("TLS").port, Some(0));
        assert_eq!(tls(Value::Int(6380), &[]).expect("TLS").port, Some(6380));
    }

    #[test]
    fn the_shards_own_ports_are_enough() {
        let mut settings = Settings::default();
        let (index, _) = find("tls-shard-ports").expect("it is listed");
        settings.put(index, Value::Int(7000), Source::ConfigSet);
        assert_eq!(settings.tls().expect("TLS").port, None);
        assert_eq!(settings.listen().tls_shard_ports, ShardPorts::From(7000));
    }

    #[test]
    fn texts_become_lists() {
        let found = tls(
            Value::Auto,
            &[
                ("tls-protocols", " TLSv1.3 "),
                (
                    "tls-ciphersuites",
                    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
                ),
                ("tls-session-cache-size", "0"),
            ],
        );
        let found = found.expect("TLS");
        assert!(found.tls13 && !found.tls12);
        assert_eq!(found.ciphers13.len(), 2);
        assert!(found.ciphers12.is_empty());
        let lifetime = Duration::from_secs(300);
        assert_eq!(found.resumption, Some((20_480, lifetime)));
        assert_eq!(found.client_certificates, ClientCertificates::Yes);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        let refused = |name: &str, value: &str| {
            let set = Settings::default().set(&[(name.as_bytes(), value.as_bytes())]);
            set.expect_err("refused").to_string()
        };
        let text = refused("tls-protocols", "TLSv1.1 TLSv1.2");
        assert!(
            text.ends_with("'TLSv1.1' is not spoken here; TLSv1.2 and TLSv1.3 are"),
            "{text}"
        );
        let text = refused("tls-key-file-pass", "secret");
        assert!(text.contains("encrypted keys are not supported"), "{text}");
    }
}
