//! The split layout and the profiles on the fake machines: who lies where, and what is refused in which
//! words.

use std::sync::LazyLock;

use corelane_topology::{CpuSet, Layout, Machine, Plan, Profile, Request, Role};
use proptest::prelude::*;

use crate::tree::Tree;

fn machine(name: &str) -> Machine {
    Tree::of(name).read().expect("a fixture is a machine")
}

fn asking_for(allocation: &str, layout: &str) -> Request {
    Request {
        cpu_allocation: Some(allocation.parse().expect(allocation)),
        layout: Some(layout.parse().expect(layout)),
        ..Request::default()
    }
}

fn cpus(plan: &Plan, role: Role) -> CpuSet {
    let shards = plan.shards.value.iter();
    shards
        .filter(|shard| shard.role == role)
        .filter_map(|shard| shard.cpu)
        .collect()
}

/// The CPUs of data and of connections, or how many of each, or the error.
fn check(machine: &Machine, allocation: &str, layout: &str, expected: &str) {
    let got = match Plan::new(machine, &asking_for(allocation, layout)) {
        Err(error) => error.to_string(),
        Ok(plan) if plan.pinned.value => {
            format!("{} | {}", cpus(&plan, Role::Data), cpus(&plan, Role::Io))
        }
        Ok(plan) => {
            let data = plan.data_shards().count();
            format!("{data} | {}", plan.shards.value.len() - data)
        }
    };
    assert_eq!(got, expected, "{allocation}, {layout}");
}

#[test]
fn connections_lie_beside_the_data_of_their_node() {
    let two_sockets = machine("two-sockets");
    // Second hardware threads, half of them on each node.
    check(&two_sockets, "all", "split:8", "0-31,36-43 | 32-35,44-47");
    check(&two_sockets, "all", "split:1", "0-34,36-47 | 35");
    check(
        &two_sockets,
        "numa:nodes=1",
        "split:2",
        "12-23,36-45 | 46-47",
    );
    // No second threads among the chosen: cores of their own.
    check(&two_sockets, "24", "split:4", "0-9,12-21 | 10-11,22-23");
    check(&two_sockets, "13", "split:2", "0-9,12 | 10-11");
    // More than there are second threads.
    check(&two_sockets, "25", "split:3", "0-10,12-22 | 11,23-24");
    let vm = machine("vm-2cpu");
    check(&vm, "all", "split:1", "0 | 1");
    // Nobody is pinned: the kernel decides.
    check(&machine("hybrid"), "all", "split:1", "2 | 1");
}

#[test]
fn a_layout_without_room_is_refused_with_what_would_work() {
    let vm = machine("vm-2cpu");
    check(
        &vm,
        "all",
        "split:2",
        "layout = split:2 needs a shard for connections and one for data at least, but 2 shards are planned \
         (one for each CPU this process may use (0-1)); write `split:1`, or ask for more shards",
    );
    check(
        &vm,
        "1",
        "split:1",
        "layout = split:1 needs a shard for connections and one for data at least, but 1 shard is planned \
         (asked for: cpu_allocation = 1); write `unified`, or ask for more shards",
    );
    check(
        &machine("two-sockets"),
        "4",
        "split:9",
        "layout = split:9 needs a shard for connections and one for data at least, but 4 shards are planned \
         (asked for: cpu_allocation = 4); write `split:3` or fewer, or ask for more shards",
    );
    let none = Request {
        layout: Some(Layout::Split { io_shards: 0 }),
        ..Request::default()
    };
    let error = Plan::new(&vm, &none).unwrap_err().to_string();
    assert!(error.ends_with("write `unified` for none"), "{error}");
}

#[test]
fn shards_for_connections_own_no_memory_and_give_way() {
    let plan = Plan::new(&machine("two-sockets"), &asking_for("all", "split:8")).expect("a plan");
    let (io, data) = plan.shards.value.split_at(8);
    assert!(
        data.iter()
            .all(|shard| (shard.role, shard.nice) == (Role::Data, 0))
    );
    assert!(
        io.iter()
            .all(|shard| (shard.role, shard.nice) == (Role::Io, 5))
    );
    assert!(io.iter().all(|shard| shard.memory_bytes == Some(0)));
    let all = plan.maxmemory_bytes.value.expect("a limit");
    assert_eq!(data[0].memory_bytes, Some(all / 40));
}

#[test]
fn what_is_asked_for_goes_before_the_profile() {
    let machine = machine("two-sockets");
    let request = Request {
        seed: Some(7),
        ..asking_for("8", "split:2")
    };
    for profile in Profile::ALL {
        let plan = Plan::new(
            &machine,
            &Request {
                profile,
                ..request.clone()
            },
        )
        .expect("a plan");
        assert_eq!(plan.shards.value.len(), 8, "{profile}");
        assert_eq!(
            plan.layout.value,
            Layout::Split { io_shards: 2 },
            "{profile}"
        );
        assert_eq!(plan.seed.value, Some(7), "{profile}");
    }
}

proptest! {
    /// Whatever is asked for: each shard once, connections first, on chosen CPUs, and each node has its part of
    /// connections, to the nearest shard.
    #[test]
    fn splits_are_fair(shards in 1..49usize, io_shards in 0..60usize) {
        // Its tree has a thousand files: read once.
        static MACHINE: LazyLock<Machine> = LazyLock::new(|| machine("two-sockets"));
        let machine = &*MACHINE;
        let request = Request {
            layout: Some(Layout::Split { io_shards }),
            ..asking_for(&shards.to_string(), "unified")
        };
        let unified = asking_for(&shards.to_string(), "unified");
        let all = cpus(&Plan::new(machine, &unified).expect("a plan"), Role::Both);
        let Ok(plan) = Plan::new(machine, &request) else {
            prop_assert!(io_shards == 0 || io_shards >= shards);
            return Ok(());
        };
        let (data, io) = (cpus(&plan, Role::Data), cpus(&plan, Role::Io));
        prop_assert_eq!((data.len(), io.len()), (shards - io_shards, io_shards));
        prop_assert!(data.intersection(&io).is_empty());
        prop_assert_eq!(data.iter().chain(io.iter()).collect::<CpuSet>(), all.clone());
        prop_assert!(plan.shards.value.is_sorted_by_key(|shard| (shard.role == Role::Data, shard.node, shard.cpu)));
        for node in 0..2 {
            let of_node = |set: &CpuSet| {
                let on = |cpu| machine.cpus.iter().any(|known| known.id == cpu && known.node == node);
                set.iter().filter(|&cpu| on(cpu)).count()
            };
            let exact = of_node(&all) as f64 * io_shards as f64 / shards as f64;
            prop_assert!((of_node(&io) as f64 - exact).abs() < 1.0);
        }
    }
}
