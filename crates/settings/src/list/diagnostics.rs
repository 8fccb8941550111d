//! Settings: what is logged and what is measured.

use super::LONG_MAX;
use crate::{Group::Diagnostics, Kind, Setting};

const MANY: i64 = LONG_MAX as i64;

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "log",
        Diagnostics,
        Kind::Text,
        "",
        "What to log on standard error, as a filter such as `info` or `warn,corelane_node=debug`. `RUST_LOG` says the same where nothing nearer does; when nothing is said, `loglevel` decides.",
    )
    .at_start()
    .main(),
    Setting::new(
        "loglevel",
        Diagnostics,
        Kind::Word(&["debug", "verbose", "notice", "warning"]),
        "notice",
        "Redis's name for how much is logged; `log`, when given, goes before it. A value that `CONFIG SET` gave acts from the next start on.",
    ),
    Setting::new("logfile", Diagnostics, Kind::Path, "", "File for the log. It goes to standard error here.")
        .at_start()
        .no_effect(),
    Setting::new(
        "slowlog-log-slower-than",
        Diagnostics,
        Kind::Int { min: -1, max: MANY },
        "10000",
        "Commands that take longer go to `SLOWLOG`; 0 takes all, -1 none.",
    )
    .unit("µs")
    .no_effect(),
    Setting::new("slowlog-max-len", Diagnostics, Kind::Int { min: 0, max: MANY }, "128", "Commands that `SLOWLOG` keeps.")
        .no_effect(),
    Setting::new(
        "latency-monitor-threshold",
        Diagnostics,
        Kind::Int { min: 0, max: MANY },
        "0",
        "Events that take longer go to `LATENCY`; 0 keeps none.",
    )
    .unit("ms")
    .no_effect(),
    Setting::new("latency-tracking", Diagnostics, Kind::Bool, "yes", "Measures the latency of each command.").no_effect(),
    Setting::new(
        "latency-tracking-info-percentiles",
        Diagnostics,
        Kind::Percentiles,
        "50 99 99.9",
        "Percentiles that `INFO latencystats` shows.",
    )
    .no_effect(),
    Setting::new("crash-log-enabled", Diagnostics, Kind::Bool, "yes", "Logs details of a crash.").no_effect(),
    Setting::new("crash-memcheck-enabled", Diagnostics, Kind::Bool, "yes", "Tests memory after a crash.").no_effect(),
    Setting::new("use-exit-on-panic", Diagnostics, Kind::Bool, "no", "Exits instead of aborting, for tests.")
        .no_effect()
        .hidden(),
    Setting::new(
        "watchdog-period",
        Diagnostics,
        Kind::Int { min: 0, max: super::INT_MAX },
        "0",
        "Logs where a slow command spends its time; see `stall-threshold-ms`.",
    )
    .unit("ms")
    .no_effect()
    .hidden(),
];
