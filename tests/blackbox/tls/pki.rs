//! Certificates for tests, and servers that have them.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::conn::TlsConn;
use crate::server::Server;

/// Files in PEM: a root, and what it has signed.
pub(super) struct Pki {
    folder: tempfile::TempDir,
    pub(super) root: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub(super) fn new() -> Self {
        let pki = Self {
            folder: tempfile::tempdir().expect("a folder"),
            root: root("a root"),
        };
        pki.write("ca.pem", &pki.root.pem());
        pki.issue("server", &pki.root);
        pki.issue("client", &pki.root);
        let other = root("another root");
        pki.write("other-ca.pem", &other.pem());
        pki.issue("stranger", &other);
        pki
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// A certificate and its key, as `name.pem` and `name.key`; signed by `issuer`.
    pub(super) fn issue(&self, name: &str, issuer: &CertifiedIssuer<'static, KeyPair>) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, issuer).expect("signed");
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// A server on a TLS port alone, with these settings beside.
    pub(super) fn serve(&self, more: &[(&str, &str)]) -> Server {
        let (certificate, key, ca) = (
            self.text("server.pem"),
            self.text("server.key"),
            self.text("ca.pem"),
        );
        let mut settings = vec![
            ("tls-port", "auto"),
            ("tls-cert-file", &certificate[..]),
            ("tls-key-file", &key),
            ("tls-ca-cert-file", &ca),
        ];
        settings.extend_from_slice(more);
        Server::start(&settings)
    }

    /// What makes Redis's tools speak TLS.
    pub(super) fn tool_args(&self) -> Vec<String> {
        let files = [
            ("--cacert", "ca.pem"),
            ("--cert", "client.pem"),
            ("--key", "client.key"),
        ];
        let files = files.map(|(name, file)| [name.to_owned(), self.text(file)]);
        [&["--tls".to_owned()], &files.concat()[..]].concat()
    }

    pub(super) fn connect(
        &self,
        server: &Server,
        identity: Option<&str>,
    ) -> std::io::Result<TlsConn> {
        TlsConn::open(server.address, self.config(identity))
    }

    /// A client's configuration that believes the root.
    pub(super) fn config(&self, identity: Option<&str>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(self.path("ca.pem")).expect("PEM");
        roots.add(root).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let certificate = CertificateDer::from_pem_file(self.path(&format!("{name}.pem")));
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key")));
                builder
                    .with_client_auth_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
                    .expect("an identity")
            }
        })
    }
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}
