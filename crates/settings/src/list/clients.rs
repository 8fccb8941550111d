//! Settings: limits on each client and on all of them.

use super::{INT_MAX, LONG_MAX};
use crate::{Group::Clients, Kind, Setting};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "maxclients",
        Clients,
        Kind::Int {
            min: 1,
            max: u32::MAX as i64,
        },
        "10000",
        "Clients connected at once, over all shards; one more is refused with an error and closed. Lowered at start to what the system's limit of open files leaves.",
    ),
    Setting::new(
        "timeout",
        Clients,
        Kind::Int {
            min: 0,
            max: INT_MAX,
        },
        "0",
        "Idle time after which a client is disconnected; 0 is never.",
    )
    .unit("s"),
    Setting::new(
        "client-query-buffer-limit",
        Clients,
        Kind::Bytes {
            min: 1 << 20,
            max: LONG_MAX,
        },
        "1gb",
        "Unfinished request bytes that a client may leave in the server before it is disconnected.",
    ),
    Setting::new(
        "proto-max-bulk-len",
        Clients,
        Kind::Bytes {
            min: 1 << 20,
            max: LONG_MAX,
        },
        "512mb",
        "Longest single argument, and longest string value.",
    ),
    Setting::new(
        "client-output-buffer-limit",
        Clients,
        Kind::OutputLimits,
        "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60",
        "Unread output after which a client is disconnected: for each class a hard limit, and a soft limit with the seconds it may last; 0 is no limit.",
    ),
    Setting::new(
        "maxmemory-clients",
        Clients,
        Kind::BytesOrPercent,
        "0",
        "Memory that all clients together may hold, in bytes or as a part of maxmemory, before the largest are disconnected; 0 is no limit.",
    ),
];
