//! One row of ports, a shard's each: those without TLS, or those with it.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::Range;

use corelane_settings::ShardPorts as Asked;

use crate::error::ServerError;

/// Ports of one kind.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What asks for them.
    pub(super) setting: &'static str,
    pub(super) speaks_tls: bool,
    pub(super) asked: Asked,
    /// By shard; 0 for one without.
    pub(super) ports: Vec<u16>,
}

/// Free ports are looked for so often before that is given up: another address may lack one that the first has.
const TRIES: usize = 64;

impl Row {
    /// What `setting` names, free ones still to be found; `None`: nothing.
    pub(super) fn planned(
        setting: &'static str,
        speaks_tls: bool,
        asked: Asked,
        shards: &Range<usize>,
    ) -> Result<Option<Self>, ServerError> {
        let ports = match asked {
            Asked::Off => return Ok(None),
            Asked::From(first) => run(setting, first, shards)?,
            Asked::Auto => vec![0; shards.start],
        };
        Ok(Some(Self {
            setting,
            speaks_tls,
            asked,
            ports,
        }))
    }

    /// Refuses what cannot be beside the server's own addresses.
    pub(super) fn check(&self, taken: &[SocketAddr]) -> Result<(), ServerError> {
        let setting = self.setting;
        if taken.is_empty() {
            let hint = format!("{setting} needs an IP address to listen on; see bind");
            return Err(refused("(none)".to_owned(), hint));
        }
        for own in taken {
            if let Some(shard) = self.shard_of(own.port()) {
                let hint = format!(
                    "{setting} gives shard {shard} the server's own port; choose other ports with \
                     --{setting} or --port"
                );
                return Err(refused(own.to_string(), hint));
            }
        }
        Ok(())
    }

    /// Refuses what cannot be beside the other row.
    pub(super) fn check_beside(&self, other: &Self) -> Result<(), ServerError> {
        let mine = self
            .ports
            .iter()
            .enumerate()
            .filter(|(_, port)| **port != 0);
        for (shard, port) in mine {
            if let Some(others) = other.shard_of(*port) {
                let hint = format!(
                    "{} gives it to shard {shard} and {} to shard {others}; set them further apart, for \
                     there may be {} shards",
                    self.setting,
                    other.setting,
                    self.ports.len()
                );
                return Err(refused(format!("port {port}"), hint));
            }
        }
        Ok(())
    }

    fn shard_of(&self, port: u16) -> Option<usize> {
        self.ports.iter().position(|own| *own == port)
    }

    /// One port that is free on every address.
    pub(super) fn find(
        &self,
        ips: &[IpAddr],
        taken: &[SocketAddr],
    ) -> Result<(u16, Vec<TcpListener>), ServerError> {
        let mut failed = None;
        for _ in 0..TRIES {
            let mut port = 0;
            let mut sockets = Vec::new();
            for ip in ips {
                let bound = TcpListener::bind((*ip, port));
                match bound.and_then(|socket| Ok((socket.local_addr()?.port(), socket))) {
                    Ok((found, socket)) => {
                        port = found;
                        sockets.push(socket);
                    }
                    Err(error) => failed = Some((SocketAddr::new(*ip, port), error)),
                }
            }
            let new = taken.iter().all(|own| own.port() != port);
            if sockets.len() == ips.len() && new {
                return Ok((port, sockets));
            }
        }
        let (address, hint) = match failed {
            Some((address, error)) => (address.to_string(), error.to_string()),
            None => ("(any)".to_owned(), "no port is free".to_owned()),
        };
        Err(refused(address, format!("{} = auto: {hint}", self.setting)))
    }

    /// What went wrong at the port of a shard, and what helps.
    pub(super) fn hint(&self, error: &io::Error, shard: usize) -> String {
        let setting = self.setting;
        let what = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "it is in use by another process; stop it, or choose other ports with --{setting}"
            ),
            io::ErrorKind::PermissionDenied => {
                "not permitted; ports below 1024 need privileges, others work without".to_owned()
            }
            _ => error.to_string(),
        };
        format!("{setting} gives this port to shard {shard}: {what}")
    }

    /// Those of the first `shards` shards for people; `None` where there are none.
    pub(super) fn shown(&self, shards: usize) -> Option<String> {
        let ports = &self.ports[..shards.min(self.ports.len())];
        let none = ports.iter().take_while(|port| **port == 0).count();
        let ports = &ports[none..];
        if ports.is_empty() {
            return None;
        }
        let runs = ports.chunk_by(|one, next| one.checked_add(1) == Some(*next));
        let tls = if self.speaks_tls { "tls " } else { "" };
        let mut shown = format!("{tls}shard ports");
        for run in runs {
            // Writing to a string cannot fail.
            let _ = match run {
                [one] => write!(shown, " {one}"),
                [first, .., last] => write!(shown, " {first}-{last}"),
                [] => Ok(()),
            };
        }
        Some(shown)
    }
}

/// The ports from `first`, shard 0's, on.
fn run(setting: &str, first: u16, shards: &Range<usize>) -> Result<Vec<u16>, ServerError> {
    let mut ports: Vec<u16> = (first..=u16::MAX).take(shards.end).collect();
    if ports.len() == shards.end {
        ports[..shards.start].fill(0);
        return Ok(ports);
    }
    let shards = shards.end;
    let hint = format!(
        "{setting} = {first} leaves no port for shard {}: there may be {shards} shards, and ports end at \
         65535; choose a lower first port",
        ports.len()
    );
    Err(refused(
        format!("port {}", usize::from(first) + ports.len()),
        hint,
    ))
}

pub(super) fn refused(address: String, hint: impl Into<String>) -> ServerError {
    ServerError::Listen {
        address,
        hint: hint.into(),
    }
}
