//! Settings: addresses and sockets.

use super::INT_MAX;
use crate::{Group::Network, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "bind",
        Network,
        Kind::Addresses,
        "127.0.0.1",
        "Addresses to listen on. `*` is every IPv4 address and `::*` every IPv6 address; a leading `-` lets the server start without that address; nothing at all leaves only the Unix socket. An address that other machines can reach needs `requirepass`, or `protected-mode no`.",
    )
    .at_start()
    .main(),
    Setting::new(
        "port",
        Network,
        Kind::IntOrAuto { max: 65_535 },
        "6379",
        "TCP port. `auto` picks a free one, which the ready line names; so does 0, but beside `tls-port` or `unixsocket`, where it is none.",
    )
    .at_start()
    .main(),
    Setting::new(
        "shard-ports",
        Network,
        Kind::IntOrAuto { max: 65_535 },
        "0",
        "A port for each shard, for clients of Redis Cluster: shard 0 listens on this one, shard 1 on the next, and `CLUSTER SLOTS` names them, so that a client goes straight to the core that owns a key. `auto` picks free ones, 0 has none.",
    )
    .at_start()
    .main(),
    Setting::new(
        "cluster-announce-ip",
        Network,
        Kind::Text,
        "",
        "IP address at which cluster clients are told to reach the shard ports; without it, the one at which each client has reached the server. Needed where addresses are translated on the way, as for containers.",
    )
    .check(announced_ip),
    Setting::new(
        "cluster-announce-port",
        Network,
        Kind::Int { min: 0, max: 65_535 },
        "0",
        "Port that cluster clients are told for shard 0, the next for shard 1, and so on, where ports are translated on the way; 0 tells the shard ports themselves.",
    ),
    Setting::new(
        "cluster-announce-tls-port",
        Network,
        Kind::Int { min: 0, max: 65_535 },
        "0",
        "The same of `tls-shard-ports`.",
    ),
    Setting::new(
        "cluster-announce-hostname",
        Network,
        Kind::Text,
        "",
        "Host name that cluster clients are told beside the IP address, or instead of it: see `cluster-preferred-endpoint-type`.",
    )
    .check(announced_hostname),
    Setting::new(
        "cluster-preferred-endpoint-type",
        Network,
        Kind::Word(&["ip", "hostname", "unknown-endpoint"]),
        "ip",
        "What cluster clients are told to connect to: the IP address, the host name, or the host that they know already.",
    ),
    Setting::new("unixsocket", Network, Kind::Path, "", "Unix socket to listen on beside TCP, or instead of it with `port 0`.").at_start(),
    Setting::new(
        "unixsocketperm",
        Network,
        Kind::Mode,
        "0",
        "File mode of the Unix socket, in octal; 0 leaves what the umask gives.",
    )
    .at_start(),
    Setting::new(
        "tcp-backlog",
        Network,
        Kind::Int { min: 1, max: 65_535 },
        "511",
        "Connections that may wait to be accepted, per address; the kernel caps it at `net.core.somaxconn`.",
    )
    .at_start(),
    Setting::new(
        "proxy-protocol",
        Network,
        Kind::Bool,
        "no",
        "Whether TCP connections begin with a header of the PROXY protocol, version 2, by which a load balancer says whose connection it is. Only behind one: whoever reaches a port can then claim any address, this machine's own too. Others are refused.",
    )
    .at_start(),
    Setting::new(
        "proxy-protocol-from",
        Network,
        Kind::Addresses,
        "",
        "The addresses of the load balancers whose headers are believed; connections from others are refused. Nothing at all believes everybody who reaches the port.",
    )
    .at_start(),
    Setting::new(
        "tcp-keepalive",
        Network,
        Kind::Int { min: 0, max: INT_MAX },
        "300",
        "Silence after which TCP asks whether the client is still there, three times in thirds of it; 0 never asks. New connections take a changed value.",
    )
    .unit("s"),
];

/// What stands in one line of `CLUSTER NODES` between other words.
fn announced_ip(value: &Value) -> Result<(), String> {
    match value {
        Value::Text(text) if !text.is_empty() && text.parse::<std::net::IpAddr>().is_err() => {
            Err("not an IP address, such as 192.0.2.7 or 2001:db8::7".to_owned())
        }
        _ => Ok(()),
    }
}

/// The longest host name, as Redis has it.
const HOSTNAME_BYTES: usize = 255;

fn announced_hostname(value: &Value) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    match value {
        Value::Text(text) if text.len() > HOSTNAME_BYTES => Err(format!(
            "Hostnames must be less than {} characters",
            HOSTNAME_BYTES + 1
        )),
        Value::Text(text) if !text.bytes().all(fits) => {
            Err("Hostnames may only contain alphanumeric characters, hyphens or dots".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_fits_into_a_line() {
        #[track_caller]
        fn check(of: fn(&Value) -> Result<(), String>, text: &str, fine: bool) {
            assert_eq!(of(&Value::Text(text.to_owned())).is_ok(), fine, "{text:?}");
        }
        check(announced_ip, "", true);
        check(announced_ip, "192.0.2.7", true);
        check(announced_ip, "2001:db8::7", true);
        check(announced_ip, "example.org", false);
        check(announced_ip, "192.0.2.7 ", false);
        check(announced_hostname, "", true);
        check(announced_hostname, "shards.example-1.org", true);
        check(announced_hostname, "two words", false);
        check(announced_hostname, "a,b", false);
        check(announced_hostname, &"a".repeat(256), false);
    }
}
