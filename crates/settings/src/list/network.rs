//! Settings: addresses and sockets.

use super::INT_MAX;
use crate::{Group::Network, Kind, Setting};

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
        Kind::Int { min: 0, max: 65_535 },
        "6379",
        "TCP port. 0 picks a free one, which the ready line names.",
    )
    .at_start()
    .main(),
    Setting::new("unixsocket", Network, Kind::Path, "", "Unix socket to listen on beside TCP.").at_start(),
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
        "tcp-keepalive",
        Network,
        Kind::Int { min: 0, max: INT_MAX },
        "300",
        "Silence after which TCP asks whether the client is still there; 0 never asks. New connections take a changed value.",
    )
    .unit("s"),
];
