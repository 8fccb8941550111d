//! Settings: databases, expiry and deletion.

use super::INT_MAX;
use crate::{Group::Keyspace, Kind, Setting};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "databases",
        Keyspace,
        Kind::Int { min: 1, max: 65_535 },
        "16",
        "Databases that `SELECT` can choose from.",
    )
    .at_start(),
    Setting::new(
        "hz",
        Keyspace,
        Kind::Int { min: 1, max: 500 },
        "10",
        "How often each shard looks for expired keys and idle clients.",
    )
    .unit("Hz"),
    Setting::new(
        "active-expire-effort",
        Keyspace,
        Kind::Int { min: 1, max: 10 },
        "1",
        "How much time each look for expired keys may take: 1 the least, 10 the most.",
    ),
    Setting::new(
        "dynamic-hz",
        Keyspace,
        Kind::Bool,
        "yes",
        "Looks more often with many clients. Each shard always does its background work in small slices here.",
    )
    .no_effect(),
    Setting::new("activerehashing", Keyspace, Kind::Bool, "yes", "Tables grow step by step here, whatever this says.")
        .no_effect(),
    Setting::new("lazyfree-lazy-eviction", Keyspace, Kind::Bool, "no", "Frees evicted values in the background.")
        .no_effect(),
    Setting::new("lazyfree-lazy-expire", Keyspace, Kind::Bool, "no", "Frees expired values in the background.")
        .no_effect(),
    Setting::new("lazyfree-lazy-server-del", Keyspace, Kind::Bool, "no", "Frees overwritten values in the background.")
        .no_effect(),
    Setting::new("lazyfree-lazy-user-del", Keyspace, Kind::Bool, "no", "Makes `DEL` free as `UNLINK` does.")
        .no_effect(),
    Setting::new(
        "lazyfree-lazy-user-flush",
        Keyspace,
        Kind::Bool,
        "no",
        "Makes `FLUSHALL`, `FLUSHDB` and `FUNCTION FLUSH` free as with `ASYNC`.",
    )
    .no_effect(),
    Setting::new(
        "key-load-delay",
        Keyspace,
        Kind::Int { min: -INT_MAX, max: INT_MAX },
        "0",
        "Slows loading down, for tests.",
    )
    .unit("µs")
    .no_effect()
    .hidden(),
];
