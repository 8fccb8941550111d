//! Settings: scripts, notifications and tracking.

use super::LONG_MAX;
use crate::{Group::Features, Kind, Setting};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "notify-keyspace-events",
        Features,
        Kind::Events,
        "",
        "Classes of events that are published about keys.",
    )
    .no_effect(),
    Setting::new(
        "busy-reply-threshold",
        Features,
        Kind::Int {
            min: 0,
            max: LONG_MAX as i64,
        },
        "5000",
        "How long a script may run before others are answered `-BUSY`.",
    )
    .aliases(&["lua-time-limit"])
    .unit("ms")
    .no_effect(),
    Setting::new(
        "tracking-table-max-keys",
        Features,
        Kind::Int {
            min: 0,
            max: LONG_MAX as i64,
        },
        "1000000",
        "Keys remembered for client-side caching.",
    )
    .no_effect(),
];
