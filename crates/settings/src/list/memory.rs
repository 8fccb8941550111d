//! Settings: the memory limit, and what happens at it.

use super::INT_MAX;
use crate::{Group::Memory, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "maxmemory",
        Memory,
        Kind::BytesOrAuto,
        "auto",
        "Memory for data, over all shards; writes that need more are refused with `-OOM`. `auto` takes a share of what the machine and its cgroup allow; 0 is no limit.",
    )
    .main(),
    Setting::new(
        "maxmemory-policy",
        Memory,
        Kind::Word(&[
            "noeviction",
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
        ]),
        "noeviction",
        "What happens at `maxmemory`. This version evicts nothing, so that only `noeviction` is taken.",
    )
    .check(only_noeviction),
    Setting::new(
        "maxmemory-samples",
        Memory,
        Kind::Int { min: 1, max: INT_MAX },
        "5",
        "Keys looked at for one eviction.",
    )
    .no_effect(),
    Setting::new(
        "maxmemory-eviction-tenacity",
        Memory,
        Kind::Int { min: 0, max: 100 },
        "10",
        "How much time eviction may take.",
    )
    .no_effect(),
    Setting::new(
        "lfu-log-factor",
        Memory,
        Kind::Int { min: 0, max: INT_MAX },
        "10",
        "How slowly a key's access counter grows.",
    )
    .no_effect(),
    Setting::new(
        "lfu-decay-time",
        Memory,
        Kind::Int { min: 0, max: INT_MAX },
        "1",
        "How often a key's access counter is halved.",
    )
    .unit("min")
    .no_effect(),
    Setting::new(
        "activedefrag",
        Memory,
        Kind::Bool,
        "no",
        "Moves values together to give memory back. Not available here.",
    )
    .no_effect()
    .check(no_defrag),
    Setting::new(
        "jemalloc-bg-thread",
        Memory,
        Kind::Bool,
        "yes",
        "Background purging by jemalloc, which is not used here.",
    )
    .no_effect(),
];

/// A server that promises eviction and then answers `-OOM` would surprise at the worst moment.
fn only_noeviction(value: &Value) -> Result<(), String> {
    match value {
        Value::Word("noeviction") => Ok(()),
        other => Err(format!(
            "'{other}' is not available: this version evicts nothing, use noeviction"
        )),
    }
}

fn no_defrag(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(true) => {
            Err("active defragmentation is not available in this server".to_owned())
        }
        _ => Ok(()),
    }
}
