//! A port of its own for each shard: which ones, and listening there. A shard listens on its port as long as it serves;
//! its neighbours' are theirs.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::Range;

use corelane::net::{Addr, ListenOptions, Listener};
use corelane_settings::{Listen, ShardPorts as Asked};

use crate::error::ServerError;

/// The ports of all shards that may come to serve, on every address that the server listens on.
#[derive(Debug, Clone, Default)]
pub struct ShardPorts {
    ips: Vec<IpAddr>,
    /// By shard; 0 for one without.
    ports: Vec<u16>,
    backlog: i32,
}

/// Free ports are looked for so often before that is given up: another address may lack one that the first has.
const TRIES: usize = 64;

impl ShardPorts {
    /// Works the ports of `shards`, which own data, out and makes sure that nobody else has them, `taken` the server's own
    /// addresses.
    ///
    /// # Errors
    /// [`ServerError::Listen`] names the shard, its address and what helps.
    pub fn claim(
        listen: &Listen,
        taken: &[SocketAddr],
        shards: Range<usize>,
    ) -> Result<Self, ServerError> {
        let mut claimed = Self::planned(listen, taken, &shards)?;
        // Held until all are found: else two shards could be given the same.
        let mut held = Vec::new();
        match listen.shard_ports {
            Asked::Off => {}
            Asked::From(_) => {
                for shard in shards {
                    held.extend(claimed.probe(shard)?);
                }
            }
            Asked::Auto => {
                for _ in shards {
                    let (port, sockets) = claimed.find(taken)?;
                    claimed.ports.push(port);
                    held.extend(sockets);
                }
            }
        }
        Ok(claimed)
    }

    /// The same for a simulated world, where every address is there and free.
    ///
    /// # Errors
    /// The ports asked for are none.
    pub fn simulated(
        listen: &Listen,
        taken: &[SocketAddr],
        shards: Range<usize>,
    ) -> Result<Self, ServerError> {
        let mut planned = Self::planned(listen, taken, &shards)?;
        if listen.shard_ports == Asked::Auto {
            let first = taken.iter().map(SocketAddr::port).max().unwrap_or(0) + 1;
            planned.ports.extend((first..).take(shards.len()));
        }
        Ok(planned)
    }

    /// The ports that the setting names, looked at on paper.
    fn planned(
        listen: &Listen,
        taken: &[SocketAddr],
        shards: &Range<usize>,
    ) -> Result<Self, ServerError> {
        if listen.shard_ports == Asked::Off {
            return Ok(Self::default());
        }
        let planned = Self {
            ips: taken.iter().map(SocketAddr::ip).collect(),
            ports: match listen.shard_ports {
                Asked::From(first) => run(first, shards)?,
                Asked::Off | Asked::Auto => vec![0; shards.start],
            },
            backlog: listen.backlog.try_into().unwrap_or(i32::MAX),
        };
        if planned.ips.is_empty() {
            let hint = "shard-ports needs an IP address to listen on; see bind";
            return Err(refused("(none)".to_owned(), hint));
        }
        for own in taken {
            if let Some(shard) = planned.ports.iter().position(|port| *port == own.port()) {
                let hint = format!(
                    "shard-ports gives shard {shard} the server's own port; choose other ports with \
                     --shard-ports or --port"
                );
                return Err(refused(own.to_string(), hint));
            }
        }
        Ok(planned)
    }

    /// One port that is free on every address.
    fn find(&self, taken: &[SocketAddr]) -> Result<(u16, Vec<TcpListener>), ServerError> {
        let mut failed = None;
        for _ in 0..TRIES {
            let mut port = 0;
            let mut sockets = Vec::new();
            for ip in &self.ips {
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
            if sockets.len() == self.ips.len() && new {
                return Ok((port, sockets));
            }
        }
        let (address, hint) = match failed {
            Some((address, error)) => (address.to_string(), error.to_string()),
            None => ("(any)".to_owned(), "no port is free".to_owned()),
        };
        Err(refused(address, format!("shard-ports = auto: {hint}")))
    }

    /// Makes sure that nobody else has the port of a shard: as long as what is returned lives, nobody can take it.
    ///
    /// # Errors
    /// As for [`claim`](Self::claim).
    pub(crate) fn probe(&self, shard: usize) -> Result<Vec<TcpListener>, ServerError> {
        let bind = |address: SocketAddr| {
            TcpListener::bind(address).map_err(|error| {
                let hint = hint(&error, shard);
                refused(address.to_string(), hint)
            })
        };
        self.of_shard(shard).map(bind).collect()
    }

    /// Listens on the port of a shard, which calls this itself.
    ///
    /// # Errors
    /// The reason, with the address.
    pub(crate) fn listen(&self, shard: usize) -> Result<Vec<Listener>, String> {
        let options = ListenOptions {
            backlog: self.backlog,
            ..ListenOptions::default()
        };
        let bind = |address: SocketAddr| {
            Listener::bind(&Addr::Tcp(address), &options)
                .map_err(|error| refused(address.to_string(), hint(&error, shard)).to_string())
        };
        self.of_shard(shard).map(bind).collect()
    }

    fn of_shard(&self, shard: usize) -> impl Iterator<Item = SocketAddr> + '_ {
        let port = self.ports.get(shard).copied().filter(|port| *port != 0);
        let ips = self.ips.iter();
        ips.filter_map(move |ip| Some(SocketAddr::new(*ip, port?)))
    }

    /// By shard, 0 for one without; empty where there are none.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The ports of the first `shards` shards for people: `7000-7003`, `7000 7004-7005`; `None` where there are none.
    pub fn shown(&self, shards: usize) -> Option<String> {
        let ports = &self.ports[..shards.min(self.ports.len())];
        let none = ports.iter().take_while(|port| **port == 0).count();
        let ports = &ports[none..];
        let runs = ports.chunk_by(|one, next| one.checked_add(1) == Some(*next));
        let mut shown = String::new();
        for run in runs {
            let space = if shown.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = match run {
                [one] => write!(shown, "{space}{one}"),
                [first, .., last] => write!(shown, "{space}{first}-{last}"),
                [] => Ok(()),
            };
        }
        Some(shown).filter(|shown| !shown.is_empty())
    }
}

/// The ports from `first`, shard 0's, on.
fn run(first: u16, shards: &Range<usize>) -> Result<Vec<u16>, ServerError> {
    let mut ports: Vec<u16> = (first..=u16::MAX).take(shards.end).collect();
    if ports.len() == shards.end {
        ports[..shards.start].fill(0);
        return Ok(ports);
    }
    let shards = shards.end;
    let hint = format!(
        "shard-ports = {first} leaves no port for shard {}: there may be {shards} shards, and ports end at \
         65535; choose a lower first port",
        ports.len()
    );
    Err(refused(
        format!("port {}", usize::from(first) + ports.len()),
        hint,
    ))
}

fn hint(error: &io::Error, shard: usize) -> String {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "it is in use by another process; stop it, or choose other ports with --shard-ports"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need privileges, others work without".to_owned()
        }
        _ => error.to_string(),
    };
    format!("shard-ports gives this port to shard {shard}: {what}")
}

fn refused(address: String, hint: impl Into<String>) -> ServerError {
    ServerError::Listen {
        address,
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use corelane_settings::Settings;

    use super::*;

    fn listen(asked: Asked) -> Listen {
        Listen {
            shard_ports: asked,
            ..Settings::default().listen()
        }
    }

    fn own(port: u16) -> [SocketAddr; 1] {
        [SocketAddr::from(([127, 0, 0, 1], port))]
    }

    #[track_caller]
    fn why(claimed: Result<ShardPorts, ServerError>) -> String {
        claimed.expect_err("refused").to_string()
    }

    #[test]
    fn free_ports_are_different_ones() {
        let ports = ShardPorts::claim(&listen(Asked::Auto), &own(1), 0..8).expect("free ports");
        let mut found = ports.ports().to_vec();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 8);
        assert!(!found.contains(&0));
    }

    #[test]
    fn none_are_none() {
        let ports = ShardPorts::claim(&listen(Asked::Off), &own(1), 0..8).expect("nothing to do");
        assert_eq!((ports.ports().len(), ports.shown(8)), (0, None));
    }

    #[test]
    fn shards_without_data_have_none() {
        let ports = ShardPorts::simulated(&listen(Asked::From(7000)), &own(1), 1..3);
        assert_eq!(ports.expect("on paper").ports(), [0, 7001, 7002]);
        let ports = ShardPorts::claim(&listen(Asked::Auto), &own(1), 1..3).expect("free ports");
        assert_eq!((ports.ports().len(), ports.ports()[0]), (3, 0));
    }

    #[test]
    fn a_port_in_use_is_named_with_its_shard_and_setting() {
        let other = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = other.local_addr().expect("its address").port();
        let said = why(ShardPorts::claim(&listen(Asked::From(port)), &own(1), 0..1));
        let want = format!(
            "cannot listen on 127.0.0.1:{port}: shard-ports gives this port to shard 0: it is in use"
        );
        assert!(said.starts_with(&want), "{said}");
        assert!(said.contains("--shard-ports"), "{said}");
    }

    #[test]
    fn ports_that_cannot_be_are_refused_on_paper() {
        let said = why(ShardPorts::simulated(
            &listen(Asked::From(65_535)),
            &own(1),
            0..2,
        ));
        assert!(said.contains("leaves no port for shard 1"), "{said}");
        let said = why(ShardPorts::simulated(
            &listen(Asked::From(7000)),
            &own(7001),
            0..2,
        ));
        assert!(
            said.contains("gives shard 1 the server's own port"),
            "{said}"
        );
        let said = why(ShardPorts::simulated(&listen(Asked::From(7000)), &[], 0..2));
        assert!(said.contains("needs an IP address"), "{said}");
    }

    #[test]
    fn people_see_runs() {
        let ports = |ports: &[u16]| ShardPorts {
            ports: ports.to_vec(),
            ..ShardPorts::default()
        };
        let rows: [(&[u16], usize, Option<&str>); 6] = [
            (&[0, 7001, 7002], 3, Some("7001-7002")),
            (&[], 2, None),
            (&[7000], 1, Some("7000")),
            (&[7000, 7001, 7002], 3, Some("7000-7002")),
            (&[7000, 7001, 7002], 1, Some("7000")),
            (&[7000, 7004, 7005], 3, Some("7000 7004-7005")),
        ];
        for (list, shards, want) in rows {
            assert_eq!(ports(list).shown(shards).as_deref(), want, "{list:?}");
        }
    }
}
