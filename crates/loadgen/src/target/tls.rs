//! TLS to the server, as the options have it.

use corelane::net::Stream;
use corelane::tls::{ClientOptions, Connector, Failure, Identity, Name, Pem, Transport, Trust};

use super::options::TlsOptions;
use crate::error::Error;

/// How connections speak TLS, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    connector: Connector,
    server: Name,
}

impl Tls {
    /// Reads the files; `None`: no TLS.
    ///
    /// # Errors
    /// [`Error::Option`] names the option that is wrong, and the file.
    pub(super) fn new(options: &TlsOptions, host: &str) -> Result<Option<Self>, Error> {
        if !options.tls {
            return Ok(None);
        }
        let refuse = |option, problem: String| Error::Option { option, problem };
        let name = options.sni.as_deref().unwrap_or(host);
        let server: Name = name
            .parse()
            .map_err(|error| refuse("--sni", format!("{error}")))?;
        let connector = Connector::new(&client_options(options)?)
            .map_err(|error| refuse("--tls", error.to_string()))?;
        Ok(Some(Self { connector, server }))
    }

    /// Makes TLS of a connection.
    pub(super) async fn over(&self, stream: Stream) -> Result<Transport, Failure> {
        let mut stream = self.connector.connect(stream, &self.server)?;
        stream.handshake().await?;
        Ok(stream.into())
    }
}

fn client_options(options: &TlsOptions) -> Result<ClientOptions, Error> {
    let file = options.cacert.clone().map(Pem::File);
    let roots: Vec<Pem> = file
        .into_iter()
        .chain(options.cacertdir.clone().map(Pem::Folder))
        .collect();
    if roots.is_empty() && !options.insecure {
        return Err(Error::Option {
            option: "--tls",
            problem:
                "say whom to believe: --cacert FILE, --cacertdir DIR, or --insecure for anybody"
                    .to_owned(),
        });
    }
    let mut client = ClientOptions::new(match options.insecure {
        true => Trust::InsecureAnybody,
        false => Trust::Roots(roots),
    });
    if let (Some(cert), Some(key)) = (&options.cert, &options.key) {
        client.identity = Some(Identity {
            certificates: Pem::File(cert.clone()),
            key: Pem::File(key.clone()),
        });
    }
    let suites = options
        .tls_ciphersuites
        .iter()
        .flat_map(|names| names.split(':'));
    client.cipher_suites = suites.map(str::to_owned).collect();
    Ok(client)
}
