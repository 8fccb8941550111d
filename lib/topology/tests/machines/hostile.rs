//! Broken files: whatever they hold, reading ends, within bounds and without a panic, and whatever
//! machine comes of it can be planned for and printed.

use corelane_topology::{CpuAllocation, MAX_CPUS, MAX_SHARDS, Machine, Plan, Profile, Request};
use proptest::prelude::*;

use crate::tree::Tree;

/// What a broken file holds; a description, so that a failing case prints in a line.
#[derive(Clone, Debug)]
enum Content {
    Text(&'static str),
    Bytes(Vec<u8>),
    Repeated(u8, usize),
}

impl Content {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => bytes,
            Self::Repeated(byte, len) => vec![byte; len],
        }
    }
}

/// Contents that some reader might trip over, random bytes, and much of one byte.
fn broken() -> impl Strategy<Value = Content> {
    let known = [
        "",
        "\n",
        "0",
        "-1",
        "max",
        "0-",
        "0-4294967295",
        "0-18446744073709551615",
        "0-8191",
        "1,3,5,7",
        "18446744073709551615",
        "9223372036854775807 1",
        "1 18446744073709551615",
        "0 0",
        "Data",
        "K",
        "0x",
        "0x03ffffff",
        "[",
        "][",
        "MemTotal: 18446744073709551615 kB",
        "MemTotal: 0 kB",
        "Cpus_allowed_list:\t4-99",
        "Cpus_allowed_list:",
        "0::/../../..",
        "0::",
        "4:memory:/a\\",
        "1 1 0:1 /.. /sys - cgroup2 c rw",
        "1 1 0:1 / / - cgroup x cpu,memory",
        "- - - -",
        "hierarchical_memory_limit 1",
        "\u{0}\u{0}",
        "ⅷ",
    ];
    prop_oneof![
        12 => prop::sample::select(known.to_vec()).prop_map(Content::Text),
        4 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Content::Bytes),
        1 => (any::<u8>(), 0..5_000_000usize).prop_map(|(byte, len)| Content::Repeated(byte, len)),
    ]
}

/// Drops the files of all CPUs but 0 and 1: they are most of a tree, and two are as good as sixteen.
fn leave_two_cpus(tree: &mut Tree) {
    tree.files.retain(|(path, _)| {
        let id = path
            .strip_prefix("/sys/devices/system/cpu/cpu")
            .and_then(|rest| rest.split('/').next());
        id.is_none_or(|id| matches!(id, "0" | "1"))
    });
}

fn check(machine: &Machine) -> Result<(), TestCaseError> {
    prop_assert!(!machine.allowed.is_empty() && machine.cpus.len() <= MAX_CPUS);
    prop_assert!(machine.usable().count() == machine.allowed.len());
    prop_assert!(machine.nodes.iter().any(|node| !node.cpus.is_empty()));
    prop_assert!(machine.table().len() < 1 << 20);
    for allocation in [
        "all",
        "2",
        "0..2",
        "numa:auto",
        "numa:cores=1",
        "numa:nodes=0;no_ht=true",
    ] {
        let cpu_allocation: CpuAllocation = allocation.parse().expect("a form");
        if let Ok(plan) = Plan::new(
            machine,
            &Request {
                cpu_allocation: Some(cpu_allocation),
                ..Request::default()
            },
        ) {
            let shards = &plan.shards.value;
            prop_assert!((1..=MAX_SHARDS).contains(&shards.len()));
            prop_assert!(
                shards
                    .iter()
                    .filter_map(|shard| shard.cpu)
                    .all(|cpu| machine.allowed.contains(cpu))
            );
            prop_assert!(!plan.explain().is_empty());
        } else {
            prop_assert!(
                !matches!(allocation, "all" | "numa:auto"),
                "a wish always has a plan"
            );
        }
    }
    for profile in Profile::ALL {
        let plan = Plan::for_profile(machine, profile);
        prop_assert!((1..=MAX_SHARDS).contains(&plan.shards.value.len()));
        prop_assert!(!plan.explain().is_empty());
    }
    Ok(())
}

/// Found by the property below: a cell of the table wider than a format string can pad to.
#[test]
fn a_list_of_64_kib_of_nothing_can_be_printed() {
    let mut tree = Tree::of("container");
    tree.set(
        "/proc/self/status",
        &format!("Cpus_allowed_list:{}", "\0".repeat(65_386)),
    );
    tree.set("/sys/devices/system/cpu/possible", &"\0".repeat(65_386));
    let machine = tree.read().expect("the other files suffice");
    assert_eq!(machine.warnings.len(), 2);
    assert!(machine.table().lines().all(|line| line.len() < 1000));
}

proptest! {
    #[test]
    fn broken_files_break_nothing(
        name in prop::sample::select(vec!["vm-2cpu", "container", "container-v1", "hybrid", "arm-sparse"]),
        faults in prop::collection::vec((any::<prop::sample::Index>(), broken()), 1..12),
    ) {
        let mut tree = Tree::of(name);
        leave_two_cpus(&mut tree);
        for (index, content) in faults {
            let at = index.index(tree.files.len());
            if !tree.files[at].0.ends_with('/') {
                tree.files[at].1 = content.bytes();
            }
        }
        if let Ok(machine) = tree.read() {
            check(&machine)?;
        }
    }

    #[test]
    fn missing_files_break_nothing(
        name in prop::sample::select(vec!["vm-2cpu", "container-v1", "hybrid"]),
        kept in prop::collection::vec(any::<bool>(), 100),
    ) {
        let mut tree = Tree::of(name);
        leave_two_cpus(&mut tree);
        let mut kept = kept.into_iter();
        tree.files.retain(|_| kept.next().unwrap_or(true));
        if let Ok(machine) = tree.read() {
            check(&machine)?;
        }
    }
}
