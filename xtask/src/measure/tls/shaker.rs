//! Shakes hands with a server, over and over: connect, handshake, one PING, close.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
    StreamOwned, SupportedProtocolVersion,
};

/// How long one handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client is like.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) version: &'static SupportedProtocolVersion,
    /// Whether it takes its sessions up again.
    pub(super) resumes: bool,
}

/// Shakes hands for so long; returns how often.
///
/// # Errors
/// If a handshake fails, or is full where it should not be.
pub(super) fn shake(port: u16, manner: Manner, time: Duration) -> Result<u64, String> {
    let config = Arc::new(config(manner));
    let began = Instant::now();
    let mut count = 0;
    // The first has nothing to take up.
    once(port, &config)?;
    while began.elapsed() < time {
        let kind = once(port, &config)?;
        if (kind == Some(HandshakeKind::Resumed)) != manner.resumes {
            return Err(format!("a handshake was {kind:?}, which was not meant"));
        }
        count += 1;
    }
    Ok(count)
}

fn once(port: u16, config: &Arc<ClientConfig>) -> Result<Option<HandshakeKind>, String> {
    let shake = || -> std::io::Result<Option<HandshakeKind>> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::clone(config), name);
        let mut stream = StreamOwned::new(connection.expect("a client"), socket);
        stream.write_all(b"PING\r\n")?;
        // The ticket of TLS 1.3 comes before it.
        stream.read_exact(&mut [0; 7])?;
        Ok(stream.conn.handshake_kind())
    };
    shake().map_err(|error| format!("a handshake failed: {error}"))
}

fn config(manner: Manner) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[manner.version])
        .expect("suites of that version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.resumption = match manner.resumes {
        true => Resumption::in_memory_sessions(64),
        false => Resumption::disabled(),
    };
    config
}

/// The certificates are self-signed, and chains are not what is measured.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
