//! Where to listen: settings become sockets that listen before a shard starts.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use corelane::net::{Addr, ListenOptions, Listener, SharedListener};
use corelane::sim::World;
use corelane_settings::Listen;

use crate::error::ServerError;

/// The addresses of a server, and the sockets that listen there: every shard accepts on each of them.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// TCP addresses.
    pub tcp: Vec<SocketAddr>,
    /// A Unix socket.
    pub unix: Option<PathBuf>,
    sockets: Vec<SharedListener>,
}

/// Makes a socket that listens: a real one, or one of a simulated world.
type Bind<'a> = &'a dyn Fn(&Addr, &ListenOptions) -> io::Result<SharedListener>;

impl Addresses {
    /// Works the addresses out and listens on them: from here on nobody else can have them. Port 0 becomes a free
    /// port, the same for all addresses.
    ///
    /// # Errors
    /// [`ServerError::Listen`] names the address and what helps. An optional address that this
    /// machine does not have is left out.
    pub fn claim(listen: &Listen) -> Result<Self, ServerError> {
        Self::claim_by(listen, &SharedListener::bind)
    }

    /// As [`claim`](Self::claim), in a simulated world.
    ///
    /// # Errors
    /// The address is taken in that world.
    pub fn claim_in(world: &World, listen: &Listen) -> Result<Self, ServerError> {
        Self::claim_by(listen, &|addr, options| {
            SharedListener::bind_in(world, addr, options)
        })
    }

    fn claim_by(listen: &Listen, bind: Bind<'_>) -> Result<Self, ServerError> {
        let mut addresses = Self::default();
        addresses.claim_tcp(listen, bind)?;
        addresses.claim_unix(listen, bind)?;
        if addresses.sockets.is_empty() {
            let hint = "no address is left to listen on; see bind and unixsocket".to_owned();
            return Err(ServerError::Listen {
                address: "(none)".to_owned(),
                hint,
            });
        }
        Ok(addresses)
    }

    fn claim_tcp(&mut self, listen: &Listen, bind: Bind<'_>) -> Result<(), ServerError> {
        let options = options(listen);
        let mut port = listen.port;
        for wanted in &listen.bind {
            let address = SocketAddr::new(wanted.ip, port);
            match bind(&Addr::Tcp(address), &options) {
                Ok(socket) => {
                    if let Addr::Tcp(found) = socket.local_addr() {
                        port = found.port();
                        self.tcp.push(*found);
                    }
                    self.sockets.push(socket);
                }
                Err(error)
                    if wanted.optional && error.kind() == io::ErrorKind::AddrNotAvailable =>
                {
                    tracing::info!(%address, "not on this machine; left out");
                }
                Err(error) => return Err(refused(&address.to_string(), &error)),
            }
        }
        Ok(())
    }

    fn claim_unix(&mut self, listen: &Listen, bind: Bind<'_>) -> Result<(), ServerError> {
        let Some(path) = &listen.unixsocket else {
            return Ok(());
        };
        let socket = bind(&Addr::Unix(path.clone()), &options(listen))
            .map_err(|error| refused_path(path, &error))?;
        self.unix = Some(path.clone());
        self.sockets.push(socket);
        Ok(())
    }

    /// Listeners on all of them, on this shard; none where they are closed already, for the node stops.
    ///
    /// # Errors
    /// There are no descriptors left; the text names the address.
    pub(crate) fn listeners(&self) -> Result<Vec<Listener>, String> {
        let listener = |socket: &SharedListener| {
            let address = socket.local_addr();
            match socket.listener() {
                Ok(listener) => Some(Ok(listener)),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
                Err(error) => Some(Err(format!("cannot listen on {address}: {error}"))),
            }
        };
        self.sockets.iter().filter_map(listener).collect()
    }

    /// Lets go of the sockets: once the shards' listeners are gone nobody can connect any more.
    pub(crate) fn close(&self) {
        self.sockets.iter().for_each(SharedListener::close);
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

fn options(listen: &Listen) -> ListenOptions {
    ListenOptions {
        reuse_port: false,
        backlog: listen.backlog.try_into().unwrap_or(i32::MAX),
        unix_mode: listen.unixsocket_mode,
    }
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

fn refused_path(path: &std::path::Path, error: &io::Error) -> ServerError {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens on that socket".to_owned(),
        io::ErrorKind::NotFound => "its directory does not exist; see --unixsocket".to_owned(),
        _ => error.to_string(),
    };
    ServerError::Listen {
        address: path.display().to_string(),
        hint,
    }
}
