//! Ports of their own for each shard, with TLS and without: which ones, and listening there. A shard listens on its ports
//! as long as it serves; its neighbours' are theirs.

mod row;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::Range;

use corelane::net::{Addr, ListenOptions, Listener};
use corelane_settings::{Listen, ShardPorts as Asked};

use self::row::{Row, refused};
use crate::error::ServerError;

/// The ports of all shards that may come to serve, on every address that the server listens on.
#[derive(Debug, Clone, Default)]
pub struct ShardPorts {
    ips: Vec<IpAddr>,
    /// Those that were asked for.
    rows: Vec<Row>,
    backlog: i32,
}

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
        for shard in shards.clone() {
            held.extend(claimed.probe(shard)?);
        }
        let Self { ips, rows, .. } = &mut claimed;
        for row in rows.iter_mut().filter(|row| row.asked == Asked::Auto) {
            for _ in shards.clone() {
                let (port, sockets) = row.find(ips, taken)?;
                row.ports.push(port);
                held.extend(sockets);
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
        let given = planned.rows.iter().flat_map(|row| &row.ports);
        let highest = taken.iter().map(SocketAddr::port).chain(given.copied());
        let mut free = highest.max().unwrap_or(0) + 1..;
        for row in &mut planned.rows {
            if row.asked == Asked::Auto {
                row.ports.extend(free.by_ref().take(shards.len()));
            }
        }
        Ok(planned)
    }

    /// The ports that the settings name, looked at on paper.
    fn planned(
        listen: &Listen,
        taken: &[SocketAddr],
        shards: &Range<usize>,
    ) -> Result<Self, ServerError> {
        let rows = [
            Row::planned("shard-ports", false, listen.shard_ports, shards)?,
            Row::planned("tls-shard-ports", true, listen.tls_shard_ports, shards)?,
        ];
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let mut ips: Vec<IpAddr> = Vec::new();
        for ip in taken.iter().map(SocketAddr::ip) {
            // The server's ports with TLS and without are on the same ones.
            if !ips.contains(&ip) {
                ips.push(ip);
            }
        }
        for row in &rows {
            row.check(taken)?;
        }
        if let [plain, tls] = &rows[..] {
            tls.check_beside(plain)?;
        }
        Ok(Self {
            ips,
            rows,
            backlog: listen.backlog.try_into().unwrap_or(i32::MAX),
        })
    }

    /// Makes sure that nobody else has the ports of a shard: as long as what is returned lives, nobody can take them.
    ///
    /// # Errors
    /// As for [`claim`](Self::claim).
    pub(crate) fn probe(&self, shard: usize) -> Result<Vec<TcpListener>, ServerError> {
        let bind = |(row, address): (&Row, SocketAddr)| {
            TcpListener::bind(address)
                .map_err(|error| refused(address.to_string(), row.hint(&error, shard)))
        };
        self.of_shard(shard).map(bind).collect()
    }

    /// Listens on the ports of a shard, which calls this itself; with each whether TLS is spoken there.
    ///
    /// # Errors
    /// The reason, with the address.
    pub(crate) fn listen(&self, shard: usize) -> Result<Vec<(Listener, bool)>, String> {
        let options = ListenOptions {
            backlog: self.backlog,
            ..ListenOptions::default()
        };
        let bind = |(row, address): (&Row, SocketAddr)| {
            let listener = Listener::bind(&Addr::Tcp(address), &options).map_err(|error| {
                refused(address.to_string(), row.hint(&error, shard)).to_string()
            })?;
            Ok((listener, row.speaks_tls))
        };
        self.of_shard(shard).map(bind).collect()
    }

    /// On how many sockets a shard listens that has all its ports.
    pub(crate) fn of_each(&self) -> usize {
        self.rows.len() * self.ips.len()
    }

    fn of_shard(&self, shard: usize) -> impl Iterator<Item = (&Row, SocketAddr)> {
        let rows = self.rows.iter();
        rows.flat_map(move |row| {
            let port = row.ports.get(shard).copied().filter(|port| *port != 0);
            let address = move |ip: &IpAddr| Some((row, SocketAddr::new(*ip, port?)));
            self.ips.iter().filter_map(address)
        })
    }

    /// Those without TLS by shard, 0 for a shard without; empty where there are none.
    pub fn plain(&self) -> &[u16] {
        self.kind(false)
    }

    /// The same with TLS.
    pub fn tls(&self) -> &[u16] {
        self.kind(true)
    }

    fn kind(&self, speaks_tls: bool) -> &[u16] {
        let row = self.rows.iter().find(|row| row.speaks_tls == speaks_tls);
        row.map_or(&[], |row| &row.ports)
    }

    /// The ports of the first `shards` shards for people, a text for each kind that there is: `shard ports 7000-7003`,
    /// `tls shard ports 7100 7104-7105`.
    pub fn shown(&self, shards: usize) -> Vec<String> {
        let rows = self.rows.iter();
        rows.filter_map(|row| row.shown(shards)).collect()
    }
}

#[cfg(test)]
mod tests;
