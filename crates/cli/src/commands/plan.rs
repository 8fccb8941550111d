//! `corelane plan`: what this machine has, how the server would lie on it, and why.

use clap::{Arg, ArgAction, ArgMatches};
use corelane_settings::{Effect, Group, Setting, ShardPorts};
use corelane_topology::{Layout, Plan};

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
    placement || ["maxmemory", "shard-ports", "tls-shard-ports", "config"].contains(&setting.name)
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let settings = start::settings(&flags::given(matches))?.settings;
    let (machine, plan) = corelane_server::plan(&settings)?;
    let listen = settings.listen();
    let plain = shard_ports(listen.shard_ports, &plan);
    let tls = shard_ports(listen.tls_shard_ports, &plan);
    if !matches.get_flag("json") {
        let line = |kind, ports: Option<String>| match ports {
            Some(ports) => format!("{kind}shard ports: {ports}\n"),
            None => String::new(),
        };
        let ports = line("", plain) + &line("tls ", tls);
        let gap = if ports.is_empty() { "" } else { "\n" };
        let (machine, plan) = (machine.table(), plan.explain());
        return output::print(&format!("{machine}\n{plan}{gap}{ports}"));
    }
    let all = serde_json::json!({
        "machine": machine,
        "plan": plan,
        "shard_ports": plain,
        "tls_shard_ports": tls,
    });
    output::print(&format!("{all:#}\n"))
}

/// The shards' own ports as they would be, if there are to be any.
fn shard_ports(asked: ShardPorts, plan: &Plan) -> Option<String> {
    let io_shards = match plan.layout.value {
        Layout::Unified => 0,
        Layout::Split { io_shards } => io_shards,
    };
    let shards = plan.shards.value.len();
    match asked {
        ShardPorts::Off => None,
        ShardPorts::Auto => Some("free ones, chosen when the server starts".to_owned()),
        ShardPorts::From(first) => {
            let port = |shard: usize| usize::from(first) + shard;
            Some(format!("{} to {}", port(io_shards), port(shards - 1)))
        }
    }
}
