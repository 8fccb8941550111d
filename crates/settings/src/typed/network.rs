//! Where to listen, and what is said of that to clients.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::{BindAddress, Settings, Value};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Addresses; none leaves the Unix socket alone.
    pub bind: Vec<BindAddress>,
    /// TCP port; 0 picks a free one. None where TLS or a Unix socket is all that is served.
    pub port: Option<u16>,
    /// A port of its own for each shard.
    pub shard_ports: ShardPorts,
    /// The same for TLS.
    pub tls_shard_ports: ShardPorts,
    /// Unix socket beside TCP.
    pub unixsocket: Option<PathBuf>,
    /// Its file mode, unless the umask decides.
    pub unixsocket_mode: Option<u32>,
    /// Connections that may wait to be accepted.
    pub backlog: u32,
}

/// `shard-ports` or `tls-shard-ports`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardPorts {
    /// None.
    Off,
    /// Free ones.
    Auto,
    /// Shard 0's; each further shard has the next.
    From(u16),
}

/// What cluster clients are told of where the shard ports are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// IP address, where it is not the one at which the client has reached the server.
    pub ip: Option<IpAddr>,
    /// Shard 0's port, where it is not the one on which it listens.
    pub port: Option<u16>,
    /// The same of its port for TLS.
    pub tls_port: Option<u16>,
    /// Host name; empty for none.
    pub hostname: String,
    /// Which of them a client is to use.
    pub preferred: Endpoint,
}

/// `cluster-preferred-endpoint-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The IP address.
    Ip,
    /// The host name.
    Hostname,
    /// What the client knows already.
    Unknown,
}

/// Connections that begin with a load balancer's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// Whose headers are believed; none is everybody's.
    pub from: Vec<IpAddr>,
}

impl Settings {
    /// Where to listen.
    pub fn listen(&self) -> Listen {
        let shard_ports = |name| match self.value(name) {
            Value::Auto => ShardPorts::Auto,
            Value::Int(0) => ShardPorts::Off,
            _ => ShardPorts::From(self.number(name)),
        };
        Listen {
            bind: match self.value("bind") {
                Value::Addresses(addresses) => addresses.clone(),
                other => unreachable!("bind holds {other:?}"),
            },
            port: self.port(),
            shard_ports: shard_ports("shard-ports"),
            tls_shard_ports: shard_ports("tls-shard-ports"),
            unixsocket: Some(self.path("unixsocket")).filter(|path| !path.as_os_str().is_empty()),
            unixsocket_mode: match self.value("unixsocketperm") {
                Value::Mode(mode) if *mode != 0 => Some(*mode),
                _ => None,
            },
            backlog: self.number("tcp-backlog"),
        }
    }

    /// 0 is none, as in Redis, where there is another way in.
    fn port(&self) -> Option<u16> {
        let serves_tls = !matches!(self.value("tls-port"), Value::Int(0));
        let has_socket = !self.path("unixsocket").as_os_str().is_empty();
        match self.value("port") {
            Value::Auto => Some(0),
            Value::Int(0) if serves_tls || has_socket => None,
            _ => Some(self.number("port")),
        }
    }

    /// What cluster clients are told.
    pub fn announce(&self) -> Announce {
        let port = |name| Some(self.number(name)).filter(|port| *port != 0);
        Announce {
            ip: self.text("cluster-announce-ip").parse().ok(),
            port: port("cluster-announce-port"),
            tls_port: port("cluster-announce-tls-port"),
            hostname: self.text("cluster-announce-hostname").to_owned(),
            preferred: match self.text("cluster-preferred-endpoint-type") {
                "hostname" => Endpoint::Hostname,
                "unknown-endpoint" => Endpoint::Unknown,
                _ => Endpoint::Ip,
            },
        }
    }

    /// Whether TCP connections begin with a header of the PROXY protocol, and from whom.
    pub fn proxy_protocol(&self) -> Option<ProxyProtocol> {
        let from = match self.value("proxy-protocol-from") {
            Value::Addresses(addresses) => addresses.iter().map(|address| address.ip).collect(),
            other => unreachable!("proxy-protocol-from holds {other:?}"),
        };
        self.bool("proxy-protocol")
            .then_some(ProxyProtocol { from })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, find};

    #[track_caller]
    fn check(given: &[(&str, Value)], port: Option<u16>) {
        let mut settings = Settings::default();
        for (name, value) in given {
            let (index, _) = find(name).expect("it is listed");
            settings.put(index, value.clone(), Source::ConfigSet);
        }
        assert_eq!(settings.listen().port, port, "{given:?}");
    }

    #[test]
    fn port_0_is_none_where_there_is_another_way_in() {
        let zero = || ("port", Value::Int(0));
        let socket = || ("unixsocket", Value::Path("/run/s".into()));
        let tls = |port| ("tls-port", port);
        check(&[], Some(6379));
        check(&[zero()], Some(0));
        check(&[zero(), socket()], None);
        check(&[zero(), tls(Value::Int(6380))], None);
        check(&[zero(), tls(Value::Auto)], None);
        check(&[zero(), tls(Value::Int(0))], Some(0));
        check(
            &[("port", Value::Auto), socket(), tls(Value::Auto)],
            Some(0),
        );
        check(&[("port", Value::Int(7)), socket()], Some(7));
    }
}
