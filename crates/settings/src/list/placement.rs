//! Settings: shards, processors, and how they do their I/O.

use crate::{Group::Placement, Kind, Setting};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "cpu-allocation",
        Placement,
        Kind::SomeText,
        "all",
        "Processors to put a shard on: `all`, a number (`4`), a range of processors (`2..8`), `numa:auto`, or `numa:nodes=0,1;cores=4;no_ht=true`. `corelane plan` shows what comes of it.",
    )
    .at_start()
    .main(),
    Setting::new(
        "io",
        Placement,
        Kind::Word(&["auto", "uring", "polling"]),
        "auto",
        "I/O backend: io_uring, the system's readiness polling, or io_uring where the kernel allows it.",
    )
    .at_start()
    .main(),
    Setting::new(
        "spin-us",
        Placement,
        Kind::Int { min: 0, max: 1_000 },
        "20",
        "How long a shard that waits for another shard's answer spins before it sleeps; 0 sleeps at once.",
    )
    .unit("µs")
    .at_start(),
    Setting::new(
        "stall-threshold-ms",
        Placement,
        Kind::Int { min: 0, max: 60_000 },
        "20",
        "A task that holds its shard for longer is logged with its name; 0 watches nothing.",
    )
    .unit("ms")
    .at_start(),
];
