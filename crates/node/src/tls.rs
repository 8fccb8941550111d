//! TLS as the settings have it: what new connections are accepted with, changed on all shards at once.

mod secured;

use corelane::net::Peer;
use corelane::tls::{
    Acceptor, ClientCertificates, Failure, Identity, Pem, Reason, Resumption, ServerOptions,
    Version,
};
use corelane_settings::{ClientCertificates as Asked, Settings, Tls};

pub use self::secured::{Made, Secured};

use crate::change::{DECIDER, Unchanged};
use crate::node::{Gone, Node};
use crate::request::{Reply, Request};

/// What accepts TLS connections by these settings; `None`: nothing does. Reads files, and blocks for that.
///
/// # Errors
/// What is wrong, with the name of the file or of the setting.
pub fn acceptor(settings: &Settings) -> Result<Option<Acceptor>, String> {
    let Some(tls) = settings.tls() else {
        return Ok(None);
    };
    let acceptor = Acceptor::new(&options(&tls)?).map_err(|error| error.to_string())?;
    Ok(Some(acceptor))
}

fn options(tls: &Tls) -> Result<ServerOptions, String> {
    let file = |path: &Option<_>, name: &str| {
        let path = path.clone();
        path.map(Pem::File).ok_or_else(|| {
            format!("{name} must be given where there is a tls-port or a tls-shard-ports")
        })
    };
    let mut options = ServerOptions::new(Identity {
        certificates: file(&tls.cert_file, "tls-cert-file")?,
        key: file(&tls.key_file, "tls-key-file")?,
    });
    options.client_certificates = client_certificates(tls)?;
    options.versions = Version::ALL
        .into_iter()
        .filter(|version| match version {
            Version::Tls12 => tls.tls12,
            Version::Tls13 => tls.tls13,
        })
        .collect();
    options.cipher_suites = cipher_suites(tls);
    options.prefers_own_order = tls.prefers_own_order;
    options.resumption = tls
        .resumption
        .map_or(Resumption::Off, |(cache_sessions, lifetime)| {
            Resumption::On {
                cache_sessions,
                lifetime,
            }
        });
    Ok(options)
}

fn client_certificates(tls: &Tls) -> Result<ClientCertificates, String> {
    let file = tls.ca_file.clone().map(Pem::File);
    let roots: Vec<Pem> = file
        .into_iter()
        .chain(tls.ca_dir.clone().map(Pem::Folder))
        .collect();
    match tls.client_certificates {
        Asked::No => Ok(ClientCertificates::Off),
        _ if roots.is_empty() => Err(
            "either tls-ca-cert-file or tls-ca-cert-dir must be given, or tls-auth-clients no"
                .to_owned(),
        ),
        Asked::Yes => Ok(ClientCertificates::Required(roots)),
        Asked::Optional => Ok(ClientCertificates::Optional(roots)),
    }
}

/// Each version has a setting of its own, where nothing means all of that version.
fn cipher_suites(tls: &Tls) -> Vec<String> {
    if tls.ciphers12.is_empty() && tls.ciphers13.is_empty() {
        return Vec::new();
    }
    let all = corelane::tls::cipher_suites();
    let of = |named: &[String], version| match named.is_empty() {
        false => named.to_vec(),
        true => all
            .iter()
            .filter(|(_, of)| *of == version)
            .map(|(name, _)| (*name).to_owned())
            .collect(),
    };
    let mut suites = of(&tls.ciphers13, Version::Tls13);
    suites.extend(of(&tls.ciphers12, Version::Tls12));
    suites
}

impl Node {
    /// What TLS connections are accepted with on this shard at this moment.
    pub fn tls(&self) -> Option<Acceptor> {
        self.mesh().with(|shard| shard.tls.acceptor.clone())
    }

    /// Counts a handshake that failed, and tells the log: a line per second at most, for strangers decide how many there
    /// are.
    pub fn note_tls_failure(&self, peer: &Peer, failure: &Failure) {
        let now_ms = corelane::time::unix_ms();
        let reason = failure.reason();
        let tells = self.mesh().with(|shard| {
            shard.stats.count_tls_failure(reason);
            // Who looks whether the port is open, and leaves.
            reason != Reason::Left && shard.tls_quiet.tells(now_ms)
        });
        match tells {
            false => tracing::debug!(%peer, "TLS handshake failed: {failure}"),
            true => tracing::warn!(
                %peer,
                "TLS handshake failed: {failure} (further ones of this second are counted in INFO only)"
            ),
        }
    }

    /// What is to accept TLS connections under `settings`, made off the shard, for files are read. `follows` was in force
    /// before.
    ///
    /// # Errors
    /// As [`acceptor`].
    pub(crate) async fn make_tls(&self, settings: &Settings, follows: u64) -> Result<Made, String> {
        let (from, settings) = (settings.tls(), settings.clone());
        let made = corelane::blocking::run(move || acceptor(&settings)).await;
        made.map(|acceptor| Made {
            acceptor,
            from,
            follows,
        })
    }

    /// The revision in force at the shard that decides.
    pub(crate) async fn tls_revision(&self) -> Result<u64, Gone> {
        match self.call(DECIDER, Request::TellTls).await? {
            Reply::Tls(secured) => Ok(secured.revision),
            _ => Err(Gone),
        }
    }

    /// Takes over what is in force, before this shard accepts: it may have slept while that changed.
    pub async fn learn_tls(&self) {
        if self.tls().is_none() {
            return;
        }
        if let Ok(Reply::Tls(secured)) = self.call(DECIDER, Request::TellTls).await {
            self.mesh().with(|shard| shard.tls.renew(secured));
        }
    }

    /// Reads the files of TLS anew, as `CONFIG SET` of the settings that name them; the log says what came of it. What
    /// was in force stays where they are not as they should be.
    pub(crate) async fn reload_tls(self) {
        if self.tls().is_none() {
            tracing::info!("no TLS is spoken: there are no certificates to read anew");
            return;
        }
        match self.change(Vec::new(), true).await {
            Ok(()) => {
                tracing::info!("certificates were read anew, for new connections");
                self.with_stats(|stats| stats.tls_reloads += 1);
            }
            Err(Unchanged::Refused(reason)) => {
                tracing::error!(
                    "certificates could not be read anew, and stay as they were: {reason}"
                );
                self.with_stats(|stats| stats.tls_reloads_failed += 1);
            }
            Err(Unchanged::Gone) => tracing::debug!("the node ends before certificates were read"),
        }
    }
}
