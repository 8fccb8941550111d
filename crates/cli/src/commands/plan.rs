//! `corelane plan`: what this machine has, how the server would lie on it, and why.

use clap::{Arg, ArgAction, ArgMatches};
use corelane_settings::{Effect, Group, Setting};

use super::Subcommand;
use crate::failure::Failure;
use crate::{flags, output, start};

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "plan",
    about: "Show this machine, and the shards, memory and I/O planned for it",
    define,
    run,
};

fn define(command: clap::Command) -> clap::Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("As JSON");
    command.arg(json).args(flags::of(bears_on_plan))
}

/// The plan reads the same file and variables as the server; these are its flags.
fn bears_on_plan(setting: &Setting) -> bool {
    let placement = setting.group == Group::Placement && setting.effect == Effect::Acts;
    placement || ["maxmemory", "config"].contains(&setting.name)
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let settings = start::settings(&flags::given(matches))?.settings;
    let (machine, plan) = corelane_server::plan(&settings)?;
    if !matches.get_flag("json") {
        return output::print(&format!("{}\n{}", machine.table(), plan.explain()));
    }
    let both = serde_json::json!({ "machine": machine, "plan": plan });
    output::print(&format!("{both:#}\n"))
}
