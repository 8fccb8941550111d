//! Every fake machine read, planned and printed: snapshots of what `corelane plan` would say, and of what
//! every profile comes to, a file per machine.

use corelane_topology::{Layout, Machine, Plan, Profile, Request};

use crate::tree::Tree;

/// The machine's table and the plan's, as two snapshots, and the plan as JSON.
fn check(name: &str) {
    let machine = Tree::of(name).read().expect("a fixture is a machine");
    insta::assert_snapshot!(format!("{name}.profiles"), profiles(&machine));
    let plan = Plan::new(&machine, &Request::default()).expect("every machine has a plan");
    insta::assert_snapshot!(
        format!("{name}.table"),
        format!("{}\n{}", machine.table(), plan.explain())
    );
    let json = serde_json::to_string_pretty(&plan).expect("a plan has a JSON form");
    insta::assert_snapshot!(format!("{name}.json"), json);
}

/// Every profile's plan in words, and then the split layout.
fn profiles(machine: &Machine) -> String {
    let plans = Profile::ALL.map(|profile| Plan::for_profile(machine, profile).explain());
    let split = Request {
        layout: Some(Layout::Split { io_shards: 2 }),
        ..Request::default()
    };
    let split = match Plan::new(machine, &split) {
        Ok(plan) => plan.explain(),
        Err(error) => format!("error: {error}\n"),
    };
    format!("{}\n\n{split}", plans.join("\n\n"))
}

#[test]
fn the_first_machine() {
    check("vm-2cpu");
}

#[test]
fn two_sockets_with_hardware_threads() {
    check("two-sockets");
}

#[test]
fn a_container_with_one_and_a_half_cpus() {
    check("container");
}

#[test]
fn a_container_under_version_1() {
    check("container-v1");
}

#[test]
fn both_versions_of_control_groups() {
    check("hybrid");
}

#[test]
fn an_arm_board_with_cores_switched_off() {
    check("arm-sparse");
}

#[test]
fn a_machine_has_a_json_form() {
    let machine = Tree::of("hybrid").read().expect("a fixture is a machine");
    let json = serde_json::to_string_pretty(&machine).expect("a machine has a JSON form");
    insta::assert_snapshot!("hybrid.machine", json);
}
