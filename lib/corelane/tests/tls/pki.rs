//! Certificates, made once per run: a root and another, a server, clients of either.

use std::sync::OnceLock;

use corelane::tls::{
    Acceptor, ClientOptions, Connector, Identity, Name, Pem, ServerOptions, Trust,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ED25519,
};

pub(crate) const NAME: &str = "cache.example";

pub(crate) struct Pki {
    /// Has signed `server` and `client`.
    pub(crate) root: Pem,
    /// Has signed `stranger`.
    pub(crate) other_root: Pem,
    pub(crate) server: Identity,
    pub(crate) client: Identity,
    pub(crate) stranger: Identity,
}

pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| {
        let (root, other) = (root("a root"), root("another root"));
        Pki {
            root: Pem::Bytes(root.pem().into_bytes()),
            other_root: Pem::Bytes(other.pem().into_bytes()),
            server: identity(&root, &[NAME, "127.0.0.1"]),
            client: identity(&root, &["client.example"]),
            stranger: identity(&other, &["stranger.example"]),
        }
    })
}

/// Ed25519: signatures are as long each time, so that simulated runs are alike.
fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("a key")
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, key()).expect("a root")
}

fn identity(issuer: &CertifiedIssuer<'static, KeyPair>, names: &[&str]) -> Identity {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let params = CertificateParams::new(names).expect("names");
    let key = key();
    let certificate = params.signed_by(&key, issuer).expect("signed");
    Identity {
        certificates: Pem::Bytes(certificate.pem().into_bytes()),
        key: Pem::Bytes(key.serialize_pem().into_bytes()),
    }
}

pub(crate) fn name() -> Name {
    NAME.parse().expect("a host name")
}

pub(crate) fn server_options() -> ServerOptions {
    ServerOptions::new(pki().server.clone())
}

pub(crate) fn client_options() -> ClientOptions {
    ClientOptions::new(Trust::Roots(vec![pki().root.clone()]))
}

pub(crate) fn acceptor(change: impl FnOnce(&mut ServerOptions)) -> Acceptor {
    let mut options = server_options();
    change(&mut options);
    Acceptor::new(&options).expect("an acceptor")
}

pub(crate) fn connector(change: impl FnOnce(&mut ClientOptions)) -> Connector {
    let mut options = client_options();
    change(&mut options);
    Connector::new(&options).expect("a connector")
}
