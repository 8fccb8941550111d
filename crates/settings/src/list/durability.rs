//! Settings: what is on disk and how safe it is.

use super::{INT_MAX, LONG_MAX};
use crate::{Group::Durability, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "dir",
        Durability,
        Kind::Path,
        ".",
        "Directory for everything the server keeps on disk.",
    )
    .at_start()
    .main(),
    Setting::new(
        "save",
        Durability,
        Kind::SavePoints,
        "",
        "When to take a snapshot: pairs of seconds and changes.",
    )
    .no_effect(),
    Setting::new(
        "dbfilename",
        Durability,
        Kind::SomeText,
        "dump.rdb",
        "File name of snapshots in Redis's format.",
    )
    .at_start()
    .no_effect()
    .check(file_name),
    Setting::new(
        "rdbcompression",
        Durability,
        Kind::Bool,
        "yes",
        "Compresses strings in snapshots.",
    )
    .no_effect(),
    Setting::new(
        "rdbchecksum",
        Durability,
        Kind::Bool,
        "yes",
        "Ends snapshots with a checksum.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "rdb-del-sync-files",
        Durability,
        Kind::Bool,
        "no",
        "Deletes snapshots that only replication needed.",
    )
    .no_effect(),
    Setting::new(
        "rdb-save-incremental-fsync",
        Durability,
        Kind::Bool,
        "yes",
        "Flushes snapshots while they are written.",
    )
    .no_effect(),
    Setting::new(
        "rdb-key-save-delay",
        Durability,
        Kind::Int {
            min: -INT_MAX,
            max: INT_MAX,
        },
        "0",
        "Slows snapshots down, for tests.",
    )
    .unit("µs")
    .no_effect()
    .hidden(),
    Setting::new(
        "stop-writes-on-bgsave-error",
        Durability,
        Kind::Bool,
        "yes",
        "Refuses writes when the last snapshot failed.",
    )
    .no_effect(),
    Setting::new(
        "sanitize-dump-payload",
        Durability,
        Kind::Word(&["no", "yes", "clients"]),
        "no",
        "Checks every byte of restored values.",
    )
    .no_effect(),
    Setting::new(
        "loading-process-events-interval-bytes",
        Durability,
        Kind::Int {
            min: 1024,
            max: INT_MAX,
        },
        "2097152",
        "How often clients are answered while data is loaded.",
    )
    .unit("bytes")
    .no_effect()
    .hidden(),
    Setting::new(
        "appendonly",
        Durability,
        Kind::Bool,
        "no",
        "Keeps a log of all writes.",
    )
    .no_effect(),
    Setting::new(
        "appendfsync",
        Durability,
        Kind::Word(&["everysec", "always", "no"]),
        "everysec",
        "When the log is flushed to stable storage.",
    )
    .no_effect(),
    Setting::new(
        "appendfilename",
        Durability,
        Kind::SomeText,
        "appendonly.aof",
        "File name of the log in Redis's format.",
    )
    .at_start()
    .no_effect()
    .check(file_name),
    Setting::new(
        "appenddirname",
        Durability,
        Kind::SomeText,
        "appendonlydir",
        "Directory of the log in Redis's format.",
    )
    .at_start()
    .no_effect()
    .check(file_name),
    Setting::new(
        "no-appendfsync-on-rewrite",
        Durability,
        Kind::Bool,
        "no",
        "Does not flush while the log is rewritten.",
    )
    .no_effect(),
    Setting::new(
        "auto-aof-rewrite-percentage",
        Durability,
        Kind::Int {
            min: 0,
            max: INT_MAX,
        },
        "100",
        "Growth at which the log is rewritten.",
    )
    .unit("%")
    .no_effect(),
    Setting::new(
        "auto-aof-rewrite-min-size",
        Durability,
        Kind::Bytes {
            min: 0,
            max: LONG_MAX,
        },
        "64mb",
        "Least size at which the log is rewritten.",
    )
    .no_effect(),
    Setting::new(
        "aof-load-truncated",
        Durability,
        Kind::Bool,
        "yes",
        "Loads a log whose end is torn.",
    )
    .no_effect(),
    Setting::new(
        "aof-use-rdb-preamble",
        Durability,
        Kind::Bool,
        "yes",
        "Starts a rewritten log with a snapshot.",
    )
    .no_effect(),
    Setting::new(
        "aof-timestamp-enabled",
        Durability,
        Kind::Bool,
        "no",
        "Notes times in the log.",
    )
    .no_effect(),
    Setting::new(
        "aof-rewrite-incremental-fsync",
        Durability,
        Kind::Bool,
        "yes",
        "Flushes a rewritten log while it is written.",
    )
    .no_effect(),
    Setting::new(
        "aof-disable-auto-gc",
        Durability,
        Kind::Bool,
        "no",
        "Keeps old log files, for tests.",
    )
    .no_effect()
    .hidden(),
    Setting::new(
        "shutdown-timeout",
        Durability,
        Kind::Int {
            min: 0,
            max: INT_MAX,
        },
        "10",
        "How long a stop waits for replicas.",
    )
    .unit("s")
    .no_effect(),
    Setting::new(
        "shutdown-on-sigint",
        Durability,
        Kind::Words(&["default", "save", "nosave", "now", "force"]),
        "default",
        "How SIGINT stops the server.",
    )
    .no_effect()
    .check(save_or_nosave),
    Setting::new(
        "shutdown-on-sigterm",
        Durability,
        Kind::Words(&["default", "save", "nosave", "now", "force"]),
        "default",
        "How SIGTERM stops the server.",
    )
    .no_effect()
    .check(save_or_nosave),
];

fn file_name(value: &Value) -> Result<(), String> {
    match value {
        Value::Text(name) if name.contains(['/', '\\']) => {
            Err("it can't be a path, just a file name".to_owned())
        }
        _ => Ok(()),
    }
}

fn save_or_nosave(value: &Value) -> Result<(), String> {
    match value {
        Value::Words(words) if words.contains(&"save") && words.contains(&"nosave") => {
            Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned())
        }
        _ => Ok(()),
    }
}
