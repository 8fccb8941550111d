//! Settings: shards, processors, and how they do their I/O. What comes of them on this machine is
//! decided, and explained, by the topology's plan.

use corelane_topology::CpuAllocation;

use crate::{Group::Placement, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "cpu-allocation",
        Placement,
        Kind::SomeText,
        "all",
        "Processors to put a shard on: `all`, a number (`4`), a range of processors whose end is not part of it (`2..8`), `numa:auto`, or `numa:nodes=0,1;cores=4;no_ht=true`. `corelane plan` shows what comes of it.",
    )
    .at_start()
    .main()
    .check(cpu_allocation),
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
        "overprovisioned",
        Placement,
        Kind::Bool,
        "no",
        "Allows more shards than processors, to try many shards on a small machine. They are not pinned and do not spin.",
    )
    .at_start(),
    Setting::new(
        "spin-us",
        Placement,
        Kind::IntOrAuto { max: 1_000 },
        "auto",
        "How long a shard that waits for another shard's answer spins before it sleeps; 0 sleeps at once, `auto` is as `corelane plan` says.",
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

fn cpu_allocation(value: &Value) -> Result<(), String> {
    let Value::Text(text) = value else {
        return Ok(());
    };
    let parsed = text.parse::<CpuAllocation>().map(|_| ());
    // Where the value stands is said already.
    parsed.map_err(|e| {
        e.to_string()
            .trim_start_matches("cpu_allocation = ")
            .to_owned()
    })
}
