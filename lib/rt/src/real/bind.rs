//! Making a listening socket, and removing a Unix socket's file when it is gone.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::net::{Addr, ListenOptions};

/// A socket that listens, and the file that is to go with it.
pub(super) fn listen(
    addr: &Addr,
    options: &ListenOptions,
) -> io::Result<(Socket, Option<SocketFile>)> {
    match addr {
        Addr::Tcp(addr) => {
            let socket = bind_tcp(*addr, options)?;
            socket.listen(options.backlog)?;
            Ok((socket, None))
        }
        Addr::Unix(path) => {
            let socket = bind_unix(path)?;
            let file = SocketFile::new(path)?;
            // Before it listens: until then nobody can connect.
            if let Some(mode) = options.unix_mode {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
            }
            socket.listen(options.backlog)?;
            Ok((socket, Some(file)))
        }
    }
}

/// A Unix socket's file; removed on drop, unless another has taken its place.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    made: (u64, u64),
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(SocketFile {
            path: path.to_owned(),
            made: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|there| there == self.made) {
            // Somebody else may remove it first; either way it is gone.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn bind_tcp(addr: std::net::SocketAddr, options: &ListenOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(options.reuse_port)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// A socket file that nobody answers on is a dead process's: it is replaced. Any other file is somebody's, and stays.
fn bind_unix(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let addr = SockAddr::unix(path)?;
    match socket.bind(&addr) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_dead_socket(path)? => {
            std::fs::remove_file(path)?;
            socket.bind(&addr)?;
        }
        bound => bound?,
    }
    Ok(socket)
}

fn is_dead_socket(path: &Path) -> io::Result<bool> {
    // Who connects to a file of another kind is refused, too, as by a socket that is dead.
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        let text = "the file exists and is not a socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    Ok(std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}
