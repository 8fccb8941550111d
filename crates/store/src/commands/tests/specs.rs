//! Every command's spec fits its handler and the other specs.

use std::collections::HashSet;

use corelane_wire::spec::Flags;
use corelane_wire::{Args, CommandSpec};

use crate::commands::COMMANDS;
use crate::commands::steps::{Request, plan};
use crate::commands::testing::join;
use crate::exec::{Command, Limits, Split};

fn name(command: &Command) -> String {
    command.spec.full_name()
}

#[test]
fn names_are_unique_and_subcommands_have_their_container() {
    let mut seen = HashSet::new();
    for command in COMMANDS {
        assert!(
            seen.insert(name(command)),
            "{} is listed twice",
            name(command)
        );
        assert_eq!(name(command), name(command).to_ascii_lowercase());
        if let Some(parent) = command.spec.parent {
            let is_container = |c: &&Command| c.spec.name == parent && c.spec.container;
            assert!(
                COMMANDS.iter().copied().any(|c| is_container(&c)),
                "{parent} is no container"
            );
        }
    }
}

#[test]
fn every_command_is_documented() {
    for CommandSpec {
        name,
        summary,
        complexity,
        since,
        ..
    } in COMMANDS.iter().map(|c| &c.spec)
    {
        assert!(
            !summary.is_empty() && !complexity.is_empty() && !since.is_empty(),
            "{name}"
        );
        assert!(summary.ends_with('.'), "{name}: a summary is a sentence");
    }
}

#[test]
fn a_command_either_reads_or_writes() {
    for command in COMMANDS {
        let (reads, writes) = (
            command.spec.flags.has(Flags::READONLY),
            command.spec.flags.has(Flags::WRITE),
        );
        let neither = command.spec.container || command.spec.name == "help";
        assert!(neither || reads != writes, "{}", name(command));
    }
}

#[test]
fn how_a_command_is_split_fits_its_keys() {
    for command in COMMANDS {
        let has_keys = !command.spec.keys.is_empty();
        let fits = match command.split {
            Split::AllShards(_) | Split::Cursor => !has_keys,
            Split::Sum | Split::AllOk | Split::InOrder | Split::Steps => has_keys,
            Split::Single => true,
        };
        assert!(fits, "{}", name(command));
    }
}

#[test]
fn every_command_that_takes_steps_has_a_plan() {
    let limits = Limits::default();
    for command in COMMANDS
        .iter()
        .filter(|command| command.split == Split::Steps)
    {
        let (bytes, spans) = join(&[command.spec.name, "a", "b"]);
        let args = Args::new(&bytes, &spans);
        assert!(command.spec.arity_ok(args.len()));
        let request = Request {
            args,
            db: 0,
            databases: 16,
            limits: &limits,
        };
        assert!(plan(command, &request).is_ok(), "{}", name(command));
    }
}
