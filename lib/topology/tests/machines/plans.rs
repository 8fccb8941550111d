//! What every form of request gives on the fake machines, and what it says where it cannot.

use corelane_topology::{CpuSet, Io, IoRequest, Machine, MemoryRequest, Plan, Probe, Request};

use crate::tree::Tree;

fn machine(name: &str) -> Machine {
    Tree::of(name).read().expect("a fixture is a machine")
}

fn asking_for(allocation: &str) -> Request {
    Request {
        cpu_allocation: Some(allocation.parse().expect(allocation)),
        ..Request::default()
    }
}

/// The CPUs that `allocation` is given, in the order of the shards and as few runs as can be, or
/// `N unpinned`, or the error.
fn check(machine: &Machine, allocation: &str, expected: &str) {
    let got = match Plan::new(machine, &asking_for(allocation)) {
        Ok(plan) => placed(&plan),
        Err(error) => error.to_string(),
    };
    assert_eq!(got, expected, "cpu_allocation = {allocation}");
}

fn placed(plan: &Plan) -> String {
    let shards = &plan.shards.value;
    if !plan.pinned.value {
        assert!(
            shards
                .iter()
                .all(|shard| shard.cpu.is_none() && shard.node.is_none())
        );
        return format!("{} unpinned", shards.len());
    }
    let nodes: CpuSet = shards.iter().filter_map(|shard| shard.node).collect();
    let of_node = |node| -> CpuSet {
        shards
            .iter()
            .filter(|shard| shard.node == Some(node))
            .filter_map(|shard| shard.cpu)
            .collect()
    };
    let numbered = shards
        .iter()
        .enumerate()
        .all(|(at, shard)| usize::from(shard.shard) == at);
    assert!(
        numbered && shards.is_sorted_by_key(|shard| (shard.node, shard.cpu)),
        "shards in order"
    );
    let placed: Vec<String> = nodes
        .iter()
        .map(|node| format!("{node}: {}", of_node(node)))
        .collect();
    placed.join(" | ")
}

#[test]
fn two_sockets_give_what_is_asked_for() {
    let machine = machine("two-sockets");
    check(&machine, "all", "0: 0-11,24-35 | 1: 12-23,36-47");
    check(&machine, "1", "0: 0");
    check(&machine, "4", "0: 0-3");
    // Separate cores come before hardware threads, and one node is filled before the next.
    check(&machine, "13", "0: 0-11 | 1: 12");
    check(&machine, "24", "0: 0-11 | 1: 12-23");
    check(&machine, "25", "0: 0-11,24 | 1: 12-23");
    check(&machine, "48", "0: 0-11,24-35 | 1: 12-23,36-47");
    check(&machine, "2..8", "0: 2-7");
    check(&machine, "10..26", "0: 10-11,24-25 | 1: 12-23");
    check(&machine, "numa:auto", "0: 0-11 | 1: 12-23");
    check(
        &machine,
        "numa:nodes=0,1;cores=4;no_ht=true",
        "0: 0-3 | 1: 12-15",
    );
    check(&machine, "numa:nodes=1", "1: 12-23,36-47");
    check(&machine, "numa:nodes=1;no_ht=true", "1: 12-23");
    check(&machine, "numa:cores=13", "0: 0-11,24 | 1: 12-23,36");
    check(&machine, "numa:cores=1", "0: 0 | 1: 12");
}

#[test]
fn what_two_sockets_do_not_have_is_refused() {
    let machine = machine("two-sockets");
    check(
        &machine,
        "49",
        "cpu_allocation asks for 49 shards, but this process may use 48 CPUs (0-47); \
         write `all` or a number up to 48, or allow overprovisioning",
    );
    check(
        &machine,
        "300",
        "cpu_allocation asks for 300 shards, but a node has at most 256",
    );
    check(
        &machine,
        "40..50",
        "cpu_allocation names CPUs that cannot be had: 48-49 not in this machine; \
         `0..48` would work, or a number up to 48",
    );
    check(
        &machine,
        "numa:nodes=0-3",
        "cpu_allocation names NUMA nodes without a CPU for this process: 2-3; nodes with such CPUs are 0-1",
    );
    check(
        &machine,
        "numa:nodes=1;cores=13;no_ht=true",
        "cpu_allocation asks for 13 cores of every node, but NUMA node 1 has 12 physical cores for this \
         process; write cores=12 or fewer, or no_ht=false to use hardware threads",
    );
    check(
        &machine,
        "numa:cores=25",
        "cpu_allocation asks for 25 cores of every node, but NUMA node 0 has 24 CPUs for this process; \
         write cores=24 or fewer",
    );
}

#[test]
fn sparse_cpus_are_never_remapped() {
    let machine = machine("arm-sparse");
    check(&machine, "all", "0: 0,2,4-6");
    check(&machine, "3", "0: 0,2,4");
    check(&machine, "4..7", "0: 4-6");
    check(&machine, "numa:auto", "0: 0,2,4-6");
    check(
        &machine,
        "0..9",
        "cpu_allocation names CPUs that cannot be had: 8 not in this machine, 1,3,7 offline; \
         `4..7` would work, or a number up to 5",
    );
}

#[test]
fn a_set_outside_of_ours_is_refused() {
    let mut tree = Tree::of("two-sockets");
    tree.set("/proc/self/status", "Cpus_allowed_list:\t3,12-15,36\n");
    let machine = tree.read().expect("a machine");
    check(&machine, "all", "0: 3 | 1: 12-15,36");
    // Node 1 has more for us, and 36 shares a core with 12.
    check(&machine, "4", "1: 12-15");
    check(&machine, "5", "0: 3 | 1: 12-15");
    check(&machine, "12..16", "1: 12-15");
    check(
        &machine,
        "2..5",
        "cpu_allocation names CPUs that cannot be had: 2,4 outside the CPU set of this process; \
         `12..16` would work, or a number up to 6",
    );
    check(
        &machine,
        "numa:cores=2",
        "cpu_allocation asks for 2 cores of every node, but NUMA node 0 has 1 CPUs for this process; \
         write cores=1 or fewer",
    );
}

#[test]
fn rationed_cpu_time_cuts_wishes_and_unpins() {
    let container = machine("container");
    check(&container, "all", "1 unpinned");
    check(&container, "numa:auto", "1 unpinned");
    check(&container, "4", "4 unpinned");
    check(&container, "2..4", "0: 2-3");
    check(&container, "numa:nodes=0;cores=2", "0: 0-1");
    check(
        &container,
        "17",
        "cpu_allocation asks for 17 shards, but this process may use 16 CPUs (0-15); \
         write `all` or a number up to 16, or allow overprovisioning",
    );
    check(&machine("container-v1"), "all", "2 unpinned");
    check(&machine("hybrid"), "all", "3 unpinned");
}

#[test]
fn the_edges_of_a_ration() {
    let quota = "/sys/fs/cgroup/kubepods.slice/pod7.slice/cpu.max";
    for (text, expected) in [
        ("1000 100000", "1 unpinned"),
        ("100000 100000", "1 unpinned"),
        ("199999 100000", "1 unpinned"),
        ("1100000 100000", "11 unpinned"),
        // The grandparent's 12 CPUs are the lowest then.
        ("1600000 100000", "12 unpinned"),
        ("max 100000", "12 unpinned"),
        // Without a sensible period it is no quota.
        ("150000 0", "12 unpinned"),
    ] {
        let mut tree = Tree::of("container");
        tree.set(quota, text);
        let machine = tree.read().expect("a machine");
        check(&machine, "all", expected);
    }
    // A quota of as many CPUs as the set has is no ration: the CPUs are ours.
    let mut tree = Tree::of("container");
    tree.set(quota, "400000 100000");
    tree.set("/proc/self/status", "Cpus_allowed_list:\t4-7\n");
    check(&tree.read().expect("a machine"), "all", "0: 4-7");
}

#[test]
fn overprovisioning_is_for_those_who_ask() {
    let machine = machine("vm-2cpu");
    let request = Request {
        overprovisioned: true,
        ..asking_for("4")
    };
    let plan = Plan::new(&machine, &request).expect("allowed");
    assert_eq!(placed(&plan), "4 unpinned");
    assert_eq!(plan.spin_us.value, 0);
    assert_eq!(
        plan.spin_us.reason,
        "4 shards share 2 CPUs, and spinning would spend it"
    );
    let plan = Plan::new(
        &machine,
        &Request {
            overprovisioned: true,
            ..asking_for("2")
        },
    );
    assert_eq!(placed(&plan.expect("needs no permission")), "0: 0-1");
}

#[test]
fn more_cpus_than_shards_can_be() {
    let mut tree = Tree::of("vm-2cpu");
    tree.set("/sys/devices/system/cpu/online", "0-299\n");
    tree.set("/sys/devices/system/cpu/possible", "0-299\n");
    tree.set("/proc/self/status", "Cpus_allowed_list:\t0-299\n");
    let machine = tree.read().expect("a machine");
    check(&machine, "all", "0: 0-255");
    check(
        &machine,
        "0..257",
        "cpu_allocation asks for 257 shards, but a node has at most 256",
    );
    check(&machine, "44..300", "0: 44-299");
}

#[test]
fn spinning_is_for_shards_that_own_their_cpus() {
    for (name, allocation, expected) in [
        ("vm-2cpu", "all", 20),
        ("vm-2cpu", "1", 0),
        ("two-sockets", "all", 20),
        ("container", "4", 0),
        ("container", "2..4", 0),
        ("arm-sparse", "4..7", 20),
    ] {
        let plan = Plan::new(&machine(name), &asking_for(allocation)).expect("a plan");
        assert_eq!(
            plan.spin_us.value, expected,
            "{allocation} on {name}: {}",
            plan.spin_us.reason
        );
    }
}

#[test]
fn memory_is_a_share_of_what_we_may_use() {
    let mib = 1 << 20;
    for (name, request, expected, notes) in [
        (
            "container",
            MemoryRequest::Auto,
            Some(512 * mib / 100 * 80),
            "",
        ),
        (
            "container",
            MemoryRequest::Bytes(100 * mib),
            Some(100 * mib),
            "",
        ),
        (
            "container",
            MemoryRequest::Bytes(600 * mib),
            Some(600 * mib),
            "is above 512 MiB, the limit in /sys/fs",
        ),
        (
            "container",
            MemoryRequest::Unlimited,
            None,
            "until the kernel ends the process",
        ),
        (
            "vm-2cpu",
            MemoryRequest::Bytes(1 << 40),
            Some(1 << 40),
            "is above 23.5 GiB, this machine's memory",
        ),
        (
            "container-v1",
            MemoryRequest::Auto,
            Some(768 * mib / 100 * 80),
            "only 605.5 MiB is available now",
        ),
    ] {
        let request = Request {
            maxmemory: request,
            ..Request::default()
        };
        let plan = Plan::new(&machine(name), &request).expect("a plan");
        assert_eq!(
            plan.maxmemory_bytes.value, expected,
            "{request:?} on {name}"
        );
        let parts: u64 = plan
            .shards
            .value
            .iter()
            .filter_map(|shard| shard.memory_bytes)
            .sum();
        let lost = expected.unwrap_or(0) - parts;
        assert!(
            lost < plan.shards.value.len() as u64,
            "{lost} bytes are nobody's"
        );
        let said = plan.notes.join("; ");
        assert!(
            said.contains(notes) && (notes.is_empty() == said.is_empty()),
            "{name}: {said}"
        );
    }
}

#[test]
fn the_backend_is_what_works_or_what_was_asked_for() {
    let with = |probe: Probe, switch: &str, io| {
        let mut tree = Tree::of("vm-2cpu");
        tree.probe = probe;
        tree.set("/proc/sys/kernel/io_uring_disabled", switch);
        let machine = tree.read().expect("a machine");
        match Plan::new(
            &machine,
            &Request {
                io,
                ..Request::default()
            },
        ) {
            Ok(plan) => (Some(plan.io.value), plan.io.reason),
            Err(error) => (None, error.to_string()),
        }
    };
    let refused = || Probe::Refused("WHY".to_owned());
    let stood = "a ring with SINGLE_ISSUER and DEFER_TASKRUN could be set up";
    let off = "it is switched off for everybody (kernel.io_uring_disabled = 2); \
               `sysctl kernel.io_uring_disabled=0` switches it on";
    let few = "only privileged users and the group kernel.io_uring_group may use it here \
               (kernel.io_uring_disabled = 1)";
    for (probe, switch, io, backend, reason) in [
        (
            Probe::Works,
            "0",
            IoRequest::Auto,
            Some(Io::IoUring),
            stood.to_owned(),
        ),
        (
            Probe::Works,
            "1",
            IoRequest::Auto,
            Some(Io::IoUring),
            stood.to_owned(),
        ),
        (
            Probe::Works,
            "junk",
            IoRequest::Uring,
            Some(Io::IoUring),
            format!("asked for: io = uring, and {stood}"),
        ),
        (
            Probe::Works,
            "0",
            IoRequest::Polling,
            Some(Io::Polling),
            "asked for: io = polling".to_owned(),
        ),
        (
            refused(),
            "0",
            IoRequest::Auto,
            Some(Io::Polling),
            "io_uring cannot be used: WHY".to_owned(),
        ),
        (
            refused(),
            "1",
            IoRequest::Auto,
            Some(Io::Polling),
            format!("io_uring cannot be used: {few}"),
        ),
        (
            Probe::NotTried,
            "2",
            IoRequest::Auto,
            Some(Io::Polling),
            format!("io_uring cannot be used: {off}"),
        ),
        (
            Probe::NotTried,
            "0",
            IoRequest::Auto,
            Some(Io::Polling),
            "io_uring cannot be used: it was not tried: this is not the machine we run on"
                .to_owned(),
        ),
        (
            refused(),
            "0",
            IoRequest::Uring,
            None,
            "io = uring, but io_uring cannot be used: WHY; `io = auto` falls back to polling"
                .to_owned(),
        ),
    ] {
        let asked = format!("{probe:?}, switch {switch}, {io:?}");
        assert_eq!(with(probe, switch, io), (backend, reason), "{asked}");
    }
}

#[test]
fn backends_are_asked_for_by_name() {
    assert_eq!("auto".parse(), Ok(IoRequest::Auto));
    assert_eq!("uring".parse(), Ok(IoRequest::Uring));
    assert_eq!("polling".parse(), Ok(IoRequest::Polling));
    let refused = "epoll".parse::<IoRequest>();
    assert_eq!(
        refused,
        Err("io = `epoll`: write auto, uring or polling".to_owned())
    );
}
