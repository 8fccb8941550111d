//! Where to listen: settings become addresses that are known to be free before a shard starts.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use corelane::net::Addr;
use corelane_settings::Listen;

use crate::error::ServerError;

/// The addresses of a server.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// TCP addresses; every shard listens on each.
    pub tcp: Vec<SocketAddr>,
    /// A Unix socket. One shard listens on it: there is no `SO_REUSEPORT` for paths.
    pub unix: Option<PathBuf>,
    /// Its file mode.
    pub unix_mode: Option<u32>,
    /// Connections that may wait to be accepted, per shard.
    pub backlog: i32,
}

impl Addresses {
    /// Works the addresses out and makes sure that nobody else has them.
    ///
    /// Every shard binds with `SO_REUSEPORT`, which would share a port with another server of the
    /// same user without a word; so each address is first bound without it, for a moment. Port 0
    /// becomes a free port, the same for all addresses.
    ///
    /// # Errors
    /// [`ServerError::Listen`] names the address and what helps. An optional address that this
    /// machine does not have is left out.
    pub fn claim(listen: &Listen) -> Result<Self, ServerError> {
        let mut port = listen.port;
        let mut tcp = Vec::new();
        for bind in &listen.bind {
            let wanted = SocketAddr::new(bind.ip, port);
            match probe(wanted) {
                Ok(found) => {
                    port = found.port();
                    tcp.push(found);
                }
                Err(error) if bind.optional && error.kind() == io::ErrorKind::AddrNotAvailable => {
                    tracing::info!(address = %wanted, "not on this machine; left out");
                }
                Err(error) => return Err(refused(&wanted.to_string(), &error)),
            }
        }
        if let Some(path) = &listen.unixsocket {
            clear_stale_socket(path)?;
        }
        if tcp.is_empty() && listen.unixsocket.is_none() {
            let hint = "no address is left to listen on; see bind and unixsocket".to_owned();
            return Err(ServerError::Listen {
                address: "(none)".to_owned(),
                hint,
            });
        }
        Ok(Self {
            tcp,
            unix: listen.unixsocket.clone(),
            unix_mode: listen.unixsocket_mode,
            backlog: listen.backlog.try_into().unwrap_or(i32::MAX),
        })
    }

    /// What shard `shard` listens on.
    pub(crate) fn of_shard(&self, shard: usize) -> Vec<Addr> {
        let tcp = self.tcp.iter().map(|address| Addr::Tcp(*address));
        let unix = self
            .unix
            .iter()
            .filter(|_| shard == 0)
            .map(|path| Addr::Unix(path.clone()));
        tcp.chain(unix).collect()
    }

    /// The first address, as shown to people.
    pub fn shown(&self) -> String {
        match (self.tcp.first(), &self.unix) {
            (Some(address), _) => address.to_string(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => "nowhere".to_owned(),
        }
    }
}

fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
    TcpListener::bind(address)?.local_addr()
}

fn refused(address: &str, error: &io::Error) -> ServerError {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use by another process; stop it, or choose another with --port"
                .to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; see --bind".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need privileges, others work without".to_owned()
        }
        _ => error.to_string(),
    };
    ServerError::Listen {
        address: address.to_owned(),
        hint,
    }
}

/// Removes the socket that a killed server left behind; one that answers is left alone.
fn clear_stale_socket(path: &Path) -> Result<(), ServerError> {
    let listen_error = |hint: String| ServerError::Listen {
        address: path.display().to_string(),
        hint,
    };
    match UnixStream::connect(path) {
        Ok(_) => Err(listen_error(
            "another process listens on that socket".to_owned(),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
                .map_err(|error| listen_error(format!("the old socket cannot be removed: {error}")))
        }
        Err(error) => Err(listen_error(error.to_string())),
    }
}
