//! `COMMAND`: what commands there are. Everything comes from their specs.

use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};
use corelane_wire::{Args, Reply, glob};

use crate::resp::registry::{Entry, Registry};
use crate::resp::state::{Command, Run, SessionState};

/// What the subcommands have in common.
const BASE: CommandSpec = CommandSpec {
    parent: Some("command"),
    flags: Flags::of(&[Flags::LOADING, Flags::STALE]),
    group: Group::Server,
    since: "2.8.13",
    complexity: "O(commands)",
    ..CommandSpec::BASE
};

/// `COMMAND`: every command's row.
pub(super) static COMMAND: Command = Command {
    spec: CommandSpec {
        name: "command",
        parent: None,
        arity: -1,
        summary: "All commands, a row each.",
        tips: &["nondeterministic_output_order"],
        ..BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        let entries = session.registry.entries();
        reply.array(entries.len());
        entries.iter().for_each(|entry| write_info(entry, reply));
    })),
};

/// `COMMAND COUNT`.
pub(super) static COUNT: Command = Command {
    spec: CommandSpec {
        name: "count",
        arity: 2,
        summary: "How many commands there are.",
        complexity: "O(1)",
        ..BASE
    },
    run: Some(Run::Session(|session, _, reply| {
        reply.int(session.registry.entries().len() as i64);
    })),
};

/// `COMMAND LIST [FILTERBY MODULE m | ACLCAT c | PATTERN p]`.
pub(super) static LIST: Command = Command {
    spec: CommandSpec {
        name: "list",
        arity: -2,
        since: "7.0.0",
        summary: "Names of the commands, all or filtered.",
        args: &[Arg::one_of(
            "filterby",
            &[
                Arg::string("module-name").token("MODULE"),
                Arg::string("category").token("ACLCAT"),
                Arg::pattern("pattern").token("PATTERN"),
            ],
        )
        .token("FILTERBY")
        .optional()],
        tips: &["nondeterministic_output_order"],
        ..BASE
    },
    run: Some(Run::Session(list)),
};

/// `COMMAND INFO [name …]`.
pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        arity: -2,
        summary: "Rows of the named commands, or of all.",
        args: &[Arg::string("command-name").optional().multiple()],
        history: &[("7.0.0", "Without names it gives all commands.")],
        tips: &["nondeterministic_output_order"],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        if args.len() == 2 {
            let entries = session.registry.entries();
            reply.array(entries.len());
            entries.iter().for_each(|entry| write_info(entry, reply));
            return;
        }
        reply.array(args.len() - 2);
        for name in args.iter().skip(2) {
            match find(session.registry, name) {
                Some(entry) => write_info(entry, reply),
                None => reply.null_array(),
            }
        }
    })),
};

/// `COMMAND DOCS [name …]`.
pub(super) static DOCS: Command = Command {
    spec: CommandSpec {
        name: "docs",
        arity: -2,
        since: "7.0.0",
        summary: "Documentation of the named commands, or of all.",
        args: &[Arg::string("command-name").optional().multiple()],
        tips: &["nondeterministic_output_order"],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let chosen: Vec<&Entry> = match args.len() {
            2 => session.registry.entries().iter().collect(),
            _ => args
                .iter()
                .skip(2)
                .filter_map(|name| find(session.registry, name))
                .collect(),
        };
        reply.map(chosen.len());
        for entry in chosen {
            reply.bulk(entry.spec.full_name().as_bytes());
            entry
                .spec
                .write_docs(entry.subcommands.iter().map(|sub| sub.spec), reply);
        }
    })),
};

/// `COMMAND GETKEYS command …`.
pub(super) static GETKEYS: Command = Command {
    spec: CommandSpec {
        name: "getkeys",
        arity: -4,
        summary: "The keys of a whole command line.",
        complexity: "O(arguments)",
        args: &[
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..BASE
    },
    run: Some(Run::Session(|session, args, reply| {
        let line = args.tail(2);
        match resolve(session.registry, line) {
            Some(entry) => entry.spec.write_keys(&line, reply),
            None => reply.error("ERR Invalid command specified"),
        }
    })),
};

/// `COMMAND GETKEYSANDFLAGS command …`.
pub(super) static GETKEYSANDFLAGS: Command = Command {
    spec: CommandSpec {
        name: "getkeysandflags",
        arity: -4,
        since: "7.0.0",
        summary: "The keys of a whole command line, and what the command does with each.",
        complexity: "O(arguments)",
        args: &[
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..BASE
    },
    run: Some(Run::Session(keys_and_flags)),
};

/// `COMMAND HELP`.
pub(super) static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        arity: 2,
        since: "5.0.0",
        summary: "The subcommands of COMMAND.",
        complexity: "O(1)",
        ..BASE
    },
    run: Some(Run::Session(|_, _, reply| {
        const LINES: &[&str] = &[
            "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
            "(no subcommand)",
            "    A row for each command.",
            "COUNT | LIST [FILTERBY <MODULE|ACLCAT|PATTERN> <value>]",
            "    How many commands there are; their names.",
            "INFO [<name> ...] | DOCS [<name> ...]",
            "    Rows, or documentation, of some commands or all.",
            "GETKEYS <command line> | GETKEYSANDFLAGS <command line>",
            "    The keys of a whole command line.",
            "HELP",
            "    This help.",
        ];
        reply.array(LINES.len());
        LINES.iter().for_each(|line| reply.simple(line));
    })),
};

fn write_info(entry: &Entry, reply: &mut Reply<'_>) {
    entry
        .spec
        .write_info(entry.subcommands.iter().map(|sub| sub.spec), reply);
}

/// A command by name; `config|get` names a subcommand.
fn find<'r>(registry: &'r Registry, name: &[u8]) -> Option<&'r Entry> {
    match name.iter().position(|byte| *byte == b'|') {
        None => registry.get(name),
        Some(bar) => {
            let sub = &name[bar + 1..];
            let subcommands = &registry.get(&name[..bar])?.subcommands;
            subcommands
                .iter()
                .find(|entry| entry.spec.name.as_bytes().eq_ignore_ascii_case(sub))
        }
    }
}

/// The command, or subcommand, that a whole command line calls.
fn resolve<'r>(registry: &'r Registry, line: Args<'_>) -> Option<&'r Entry> {
    let entry = registry.get(line.name())?;
    if entry.subcommands.is_empty() {
        return Some(entry);
    }
    let Some(sub) = line.get(1) else {
        return Some(entry);
    };
    entry
        .subcommands
        .iter()
        .find(|entry| entry.spec.name.as_bytes().eq_ignore_ascii_case(sub))
}

fn list(session: &mut SessionState, args: Args<'_>, reply: &mut Reply<'_>) {
    let all = || {
        session
            .registry
            .entries()
            .iter()
            .flat_map(|e| std::iter::once(e).chain(&e.subcommands))
    };
    let chosen: Vec<String> = match args.len() {
        2 => session
            .registry
            .entries()
            .iter()
            .map(|entry| entry.spec.full_name())
            .collect(),
        5 if args[2].eq_ignore_ascii_case(b"filterby") => {
            let value = &args[4];
            let accepts: Box<dyn Fn(&CommandSpec) -> bool> =
                match args[3].to_ascii_lowercase().as_slice() {
                    b"module" => Box::new(|_| false),
                    b"aclcat" => match corelane_wire::spec::Categories::by_name(value) {
                        Some(category) => Box::new(move |spec| spec.all_categories().has(category)),
                        None => Box::new(|_| false),
                    },
                    b"pattern" => {
                        Box::new(|spec| glob::matches(value, spec.full_name().as_bytes(), true))
                    }
                    _ => return reply.error("ERR syntax error"),
                };
            all()
                .filter(|entry| accepts(entry.spec))
                .map(|entry| entry.spec.full_name())
                .collect()
        }
        _ => return reply.error("ERR syntax error"),
    };
    reply.set(chosen.len());
    chosen.iter().for_each(|name| reply.bulk(name.as_bytes()));
}

fn keys_and_flags(session: &mut SessionState, args: Args<'_>, reply: &mut Reply<'_>) {
    let line = args.tail(2);
    let Some(entry) = resolve(session.registry, line) else {
        return reply.error("ERR Invalid command specified");
    };
    if entry.spec.keys.is_empty() {
        return reply.error("ERR The command has no key arguments");
    }
    if !entry.spec.arity_ok(line.len()) {
        return reply.error("ERR Invalid number of arguments specified for command");
    }
    let mut found = Vec::new();
    let told = entry
        .spec
        .keys_with_flags(&line, |at, flags| found.push((at, flags)));
    if told.is_err() || found.is_empty() {
        return reply.error("ERR Invalid arguments specified for command");
    }
    reply.array(found.len());
    for (at, flags) in found {
        reply.array(2);
        reply.bulk(&line[at]);
        reply.array(flags.names().count());
        flags.names().for_each(|name| reply.simple(name));
    }
}
