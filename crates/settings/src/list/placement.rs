//! Settings: shards, processors, and how they do their I/O. What comes of them on this machine is
//! decided, and explained, by the topology's plan.

use corelane_topology::{CpuAllocation, MAX_SHARDS};

use crate::{Group::Placement, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "profile",
        Placement,
        Kind::Word(&[
            "production",
            "development",
            "testing",
            "low-latency",
            "throughput",
            "minimal",
        ]),
        "production",
        "What the server is for: decides about shards, memory, spinning and the like wherever no other setting does. `corelane plan` shows what comes of it.",
    )
    .at_start(),
    Setting::new(
        "cpu-allocation",
        Placement,
        Kind::SomeText,
        "auto",
        "Processors to put a shard on: `all`, a number (`4`), a range of processors whose end is not part of it (`2..8`), `numa:auto`, or `numa:nodes=0,1;cores=4;no_ht=true`; `auto` is as the profile has it: all, in production. `corelane plan` shows what comes of it.",
    )
    .at_start()
    .main()
    .check(cpu_allocation),
    Setting::new(
        "shards",
        Placement,
        Kind::IntOrAuto {
            max: MAX_SHARDS as i64,
        },
        "auto",
        "How many shards serve. `CONFIG SET` moves data and connections while clients run, up to `max-shards`; `auto` is one for each processor that `cpu-allocation` comes to.",
    )
    .main()
    .check(at_least_one),
    Setting::new(
        "max-shards",
        Placement,
        Kind::IntOrAuto {
            max: MAX_SHARDS as i64,
        },
        "auto",
        "How many shards there is room for. Those beyond `shards` sleep until they are wanted. More than there are processors need `overprovisioned`; `auto` is one for each processor that `cpu-allocation` comes to.",
    )
    .at_start()
    .check(at_least_one),
    Setting::new(
        "io-shards",
        Placement,
        Kind::Int {
            min: 0,
            max: MAX_SHARDS as i64 - 1,
        },
        "0",
        "How many of the shards own connections and no data, while the others own data and no connections: for machines with many cores. Their threads give way to those for data. 0 lets every shard own both.",
    )
    .at_start(),
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
        "routing",
        Placement,
        Kind::Word(&["hop", "migrate", "adaptive"]),
        "adaptive",
        "What a connection does about commands for other shards: `hop` sends them there in batches and stays where it is; `migrate` moves the connection to the shard of each of its commands; `adaptive` moves it where that is cheaper than hopping. `CLIENT ROUTING` chooses for one connection.",
    )
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
        Kind::IntOrAuto { max: 60_000 },
        "auto",
        "A task that holds its shard for longer is logged with its name; 0 watches nothing, `auto` is as `corelane plan` says.",
    )
    .unit("ms")
    .at_start(),
];

fn at_least_one(value: &Value) -> Result<(), String> {
    match value {
        Value::Int(0) => Err("a node has at least one shard".to_owned()),
        _ => Ok(()),
    }
}

fn cpu_allocation(value: &Value) -> Result<(), String> {
    let Value::Text(text) = value else {
        return Ok(());
    };
    if text == "auto" {
        return Ok(());
    }
    let parsed = text.parse::<CpuAllocation>().map(|_| ());
    // Where the value stands is said already.
    parsed.map_err(|e| {
        e.to_string()
            .trim_start_matches("cpu_allocation = ")
            .to_owned()
    })
}
