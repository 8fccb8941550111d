//! Encrypted connections: a certificate made for one run, and clients that believe it.

use std::fs;
use std::io::{self, Error};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::wire::Wire;

/// What a server and its clients need to speak TLS.
pub struct Credentials {
    /// The server's certificate, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
    config: Arc<ClientConfig>,
}

impl Credentials {
    /// Makes a certificate for this machine, and writes it and its key into `folder`.
    ///
    /// # Errors
    /// The files cannot be written, or what was made cannot be used.
    pub fn make(folder: &Path) -> io::Result<Self> {
        let names = vec!["localhost".to_owned()];
        let made = generate_simple_self_signed(names).map_err(Error::other)?;
        let CertifiedKey { cert, signing_key } = made;
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        fs::write(&certificate, cert.pem())?;
        fs::write(&key, signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).map_err(Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            certificate,
            key,
            config: Arc::new(config),
        })
    }

    /// Speaks TLS over a connection.
    ///
    /// # Errors
    /// There is no client of this configuration.
    pub fn secure(&self, stream: TcpStream) -> io::Result<Box<dyn Wire>> {
        let name = "localhost".try_into().map_err(Error::other)?;
        let client = ClientConnection::new(Arc::clone(&self.config), name);
        let client = client.map_err(Error::other)?;
        Ok(Box::new(StreamOwned::new(client, stream)))
    }
}
