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
    /// TCP addresses where TLS is spoken.
    pub tls: Vec<SocketAddr>,
    /// A Unix socket.
    pub unix: Option<PathBuf>,
    sockets: Vec<Socket>,
}

/// A socket that listens, and what is spoken there.
#[derive(Debug, Clone)]
struct Socket {
    listener: SharedListener,
    speaks_tls: bool,
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
    pub fn claim(listen: &Listen, tls_port: Option<u16>) -> Result<Self, ServerError> {
        Self::claim_by(listen, tls_port, &SharedListener::bind)
    }

    /// As [`claim`](Self::claim), in a simulated world.
    ///
    /// # Errors
    /// The address is taken in that world.
    pub fn claim_in(
        world: &World,
        listen: &Listen,
        tls_port: Option<u16>,
    ) -> Result<Self, ServerError> {
        Self::claim_by(listen, tls_port, &|addr, options| {
            SharedListener::bind_in(world, addr, options)
        })
    }

    fn claim_by(
        listen: &Listen,
        tls_port: Option<u16>,
        bind: Bind<'_>,
    ) -> Result<Self, ServerError> {
        let mut addresses = Self::default();
        if let Some(port) = listen.port {
            addresses.tcp = addresses.claim_tcp(listen, port, false, bind)?;
        }
        if let Some(port) = tls_port {
            addresses.tls = addresses.claim_tcp(listen, port, true, bind)?;
        }
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

    /// Listens on one port of all addresses; returns what could be had.
    fn claim_tcp(
        &mut self,
        listen: &Listen,
        mut port: u16,
        speaks_tls: bool,
        bind: Bind<'_>,
    ) -> Result<Vec<SocketAddr>, ServerError> {
        let options = options(listen);
        let mut claimed = Vec::new();
        for wanted in &listen.bind {
            let address = SocketAddr::new(wanted.ip, port);
            match bind(&Addr::Tcp(address), &options) {
                Ok(listener) => {
                    if let Addr::Tcp(found) = listener.local_addr() {
                        port = found.port();
                        claimed.push(*found);
                    }
                    self.sockets.push(Socket {
                        listener,
                        speaks_tls,
                    });
                }
                Err(error)
                    if wanted.optional && error.kind() == io::ErrorKind::AddrNotAvailable =>
                {
                    tracing::info!(%address, "not on this machine; left out");
                }
                Err(error) => return Err(refused(&address.to_string(), &error)),
            }
        }
        Ok(claimed)
    }

    fn claim_unix(&mut self, listen: &Listen, bind: Bind<'_>) -> Result<(), ServerError> {
        let Some(path) = &listen.unixsocket else {
            return Ok(());
        };
        let listener = bind(&Addr::Unix(path.clone()), &options(listen))
            .map_err(|error| refused_path(path, &error))?;
        self.unix = Some(path.clone());
        self.sockets.push(Socket {
            listener,
            speaks_tls: false,
        });
        Ok(())
    }

    /// Listeners on all of them, on this shard, and whether TLS is spoken there; none where they are closed already, for
    /// the node stops.
    ///
    /// # Errors
    /// There are no descriptors left; the text names the address.
    pub(crate) fn listeners(&self) -> Result<Vec<(Listener, bool)>, String> {
        let listener = |socket: &Socket| {
            let address = socket.listener.local_addr();
            match socket.listener.listener() {
                Ok(listener) => Some(Ok((listener, socket.speaks_tls))),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
                Err(error) => Some(Err(format!("cannot listen on {address}: {error}"))),
            }
        };
        self.sockets.iter().filter_map(listener).collect()
    }

    /// How many sockets there are.
    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Lets go of the sockets: once the shards' listeners are gone nobody can connect any more.
    pub(crate) fn close(&self) {
        let listeners = self.sockets.iter().map(|socket| &socket.listener);
        listeners.for_each(SharedListener::close);
    }

    /// All addresses but the Unix socket's.
    pub(crate) fn ip(&self) -> Vec<SocketAddr> {
        [&self.tcp[..], &self.tls].concat()
    }

    /// The first address, as shown to people, and the first of TLS.
    pub fn shown(&self) -> String {
        match (self.tcp.first(), self.tls.first(), &self.unix) {
            (Some(plain), Some(tls), _) => format!("{plain}, tls {tls}"),
            (Some(plain), None, _) => plain.to_string(),
            (None, Some(tls), _) => format!("tls {tls}"),
            (None, None, Some(path)) => path.display().to_string(),
            (None, None, None) => "nowhere".to_owned(),
        }
    }

    /// The port that `INFO` names: the plain one, if there is one.
    pub(crate) fn port(&self) -> u16 {
        let first = self.tcp.first().or(self.tls.first());
        first.map_or(0, SocketAddr::port)
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
        io::ErrorKind::AlreadyExists => {
            format!("{error}; move it away, or choose another path with --unixsocket")
        }
        io::ErrorKind::NotFound => "its directory does not exist; see --unixsocket".to_owned(),
        _ => error.to_string(),
    };
    ServerError::Listen {
        address: path.display().to_string(),
        hint,
    }
}
