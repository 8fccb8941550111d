//! Settings: replicas and clusters as Redis has them. None acts; tools ask for them, and a test
//! suite sets some.

use super::{INT_MAX, LONG_MAX};
use crate::{Group::Replication, Kind, Setting, Value};

const SECONDS: Kind = Kind::Int {
    min: 1,
    max: INT_MAX,
};
const COUNT: Kind = Kind::Int {
    min: 0,
    max: INT_MAX,
};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "cluster-enabled",
        Replication,
        Kind::Bool,
        "no",
        "Whether this is a cluster node.",
    )
    .at_start()
    .no_effect()
    .check(no_cluster),
    Setting::new(
        "replicaof",
        Replication,
        Kind::Text,
        "",
        "The server that this one copies.",
    )
    .aliases(&["slaveof"])
    .at_start()
    .no_effect()
    .check(no_replica),
    Setting::new(
        "masterauth",
        Replication,
        Kind::Secret,
        "",
        "Password for that server.",
    )
    .no_effect(),
    Setting::new(
        "masteruser",
        Replication,
        Kind::Text,
        "",
        "User name for that server.",
    )
    .no_effect(),
    Setting::new(
        "replica-read-only",
        Replication,
        Kind::Bool,
        "yes",
        "Refuses writes on a replica.",
    )
    .aliases(&["slave-read-only"])
    .no_effect(),
    Setting::new(
        "replica-serve-stale-data",
        Replication,
        Kind::Bool,
        "yes",
        "Answers while the link is down.",
    )
    .aliases(&["slave-serve-stale-data"])
    .no_effect(),
    Setting::new(
        "replica-priority",
        Replication,
        COUNT,
        "100",
        "Which replica is promoted first.",
    )
    .aliases(&["slave-priority"])
    .no_effect(),
    Setting::new(
        "min-replicas-to-write",
        Replication,
        COUNT,
        "0",
        "Replicas without which writes are refused.",
    )
    .aliases(&["min-slaves-to-write"])
    .no_effect(),
    Setting::new(
        "min-replicas-max-lag",
        Replication,
        COUNT,
        "10",
        "Lag after which a replica no longer counts.",
    )
    .aliases(&["min-slaves-max-lag"])
    .unit("s")
    .no_effect(),
    Setting::new(
        "repl-timeout",
        Replication,
        SECONDS,
        "60",
        "Silence after which the link counts as lost.",
    )
    .unit("s")
    .no_effect(),
    Setting::new(
        "repl-ping-replica-period",
        Replication,
        SECONDS,
        "10",
        "How often replicas are pinged.",
    )
    .aliases(&["repl-ping-slave-period"])
    .unit("s")
    .no_effect(),
    Setting::new(
        "repl-backlog-size",
        Replication,
        Kind::Bytes {
            min: 1,
            max: LONG_MAX,
        },
        "1mb",
        "Writes kept for replicas that come back.",
    )
    .no_effect(),
    Setting::new(
        "repl-backlog-ttl",
        Replication,
        Kind::Int {
            min: 0,
            max: LONG_MAX as i64,
        },
        "3600",
        "How long they are kept without replicas.",
    )
    .unit("s")
    .no_effect(),
    Setting::new(
        "repl-diskless-sync",
        Replication,
        Kind::Bool,
        "yes",
        "Sends a full copy without a file.",
    )
    .no_effect(),
    Setting::new(
        "repl-diskless-sync-delay",
        Replication,
        COUNT,
        "5",
        "Waits for more replicas before a full copy.",
    )
    .unit("s")
    .no_effect(),
    Setting::new(
        "repl-diskless-load",
        Replication,
        Kind::Word(&["disabled", "on-empty-db", "swapdb"]),
        "disabled",
        "Loads a full copy without a file.",
    )
    .no_effect(),
    Setting::new(
        "propagation-error-behavior",
        Replication,
        Kind::Word(&["ignore", "panic", "panic-on-replicas"]),
        "ignore",
        "What a replica does about a command it cannot apply.",
    )
    .no_effect(),
];

/// Said at start rather than found out later: data that should be copied would not be.
fn no_cluster(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(true) => Err(
            "clusters of several servers are not available in this version; for cluster clients of \
             this one, see shard-ports"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn no_replica(value: &Value) -> Result<(), String> {
    match value {
        Value::Text(of) if !of.is_empty() && of != "no one" => {
            Err("replication from another server is not available in this version".to_owned())
        }
        _ => Ok(()),
    }
}
