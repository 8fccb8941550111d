//! The reference page of commands, written from the joined lists.

use std::fmt::Write;

use corelane_front::resp::{Entry, Run};
use corelane_store::Split;
use corelane_wire::spec::{Arg, ArgKind, CommandSpec, Group};

use crate::assemble::registry;

/// The text of `docs/reference/commands.md`.
///
/// # Panics
/// If two commands have one name: the lists are static, and a test joins them.
pub fn reference_page() -> String {
    let registry = registry();
    let mut page = String::from(INTRODUCTION);
    for (group, title) in CHAPTERS {
        let of_group = registry.entries().iter().flat_map(runnable);
        let mut of_group = of_group.filter(|(spec, _)| spec.group == *group).peekable();
        if of_group.peek().is_some() {
            let _ = write!(page, "\n## {title}\n");
        }
        of_group.for_each(|(spec, run)| command(&mut page, spec, run));
    }
    page
}

const INTRODUCTION: &str = "\
<!-- Written from the lists of commands by the tests of corelane-server; do not edit it by hand.
     UPDATE=1 cargo test -p corelane-server writes it anew. -->

# Commands

Every command that the server has, by chapter. Names, arguments and replies are those of Redis 7.0;
*since* is the version of Redis that brought the command. `COMMAND DOCS` tells the same to programs.

*Runs on* says where a command is executed, and so what it does not promise:

- **the key's shard**: all of it at once, on the shard that owns its (first) key. Atomic.
- **the shards of its keys**: where all keys lie on one shard, at once and atomic. Otherwise it is cut
  into one command per shard, and the replies are put together. **Not atomic across shards yet**:
  another client may see some parts done and others not.
- **the shards of its keys, in steps**: the same, but with looks and changes that follow one another.
  **Not atomic across shards yet**: another client may see the state between two steps.
- **all shards**: on each shard, the replies folded into one. **Not atomic across shards yet**: what
  others do meanwhile may be seen on one shard and not on the next.
- **the cursor's shard**: the shard that owns the slot in which the cursor stands.
- **the connection's shard**: where the connection is; it concerns the connection, or no key at all.
- **the node**: begun where the connection is; asks the other shards where it needs them.

Keys with one hash tag (`{user:1}:name`, `{user:1}:mail`) lie in one slot, and so on one shard.
";

/// Chapters in the order of the page. A test sees to it that none is missing.
const CHAPTERS: &[(Group, &str)] = &[
    (Group::String, "Strings"),
    (Group::Generic, "Keys"),
    (Group::Connection, "Connection"),
    (Group::Server, "Server"),
    (Group::Cluster, "Cluster"),
    (Group::Scripting, "Scripts and functions"),
];

/// The entry and its subcommands, without containers that do nothing themselves.
fn runnable(entry: &Entry) -> impl Iterator<Item = (&'static CommandSpec, Run)> {
    let all = std::iter::once(entry).chain(&entry.subcommands);
    all.filter(|entry| !entry.spec.container)
        .filter_map(|entry| Some((entry.spec, entry.run?)))
}

fn command(page: &mut String, spec: &CommandSpec, run: Run) {
    let flags: Vec<&str> = spec.flags.names().collect();
    let flags = match flags.is_empty() {
        true => String::new(),
        false => format!(" Flags: {}.", flags.join(", ")),
    };
    let cost = match spec.complexity {
        "" => String::new(),
        cost => format!(" {}.", cost.trim_end_matches('.')),
    };
    let _ = write!(
        page,
        "\n### {}\n\n`{}`\n\n{}.\n\nSince {}.{cost}{flags} Runs on: {}.\n",
        title(spec),
        synopsis(spec),
        spec.summary.trim_end_matches('.'),
        spec.since,
        place(spec, run),
    );
}

fn title(spec: &CommandSpec) -> String {
    spec.full_name().replace('|', " ").to_uppercase()
}

fn place(spec: &CommandSpec, run: Run) -> &'static str {
    match run {
        Run::Session(_) => "the connection's shard",
        Run::Wait(_) => "the node",
        Run::Data(command) => match command.split {
            Split::Single if spec.keys.is_empty() => "the connection's shard",
            Split::Single => "the key's shard",
            Split::Sum | Split::AllOk | Split::InOrder => {
                "the shards of its keys, not atomic across shards yet"
            }
            Split::Steps => "the shards of its keys, in steps, not atomic across shards yet",
            Split::Cursor => "the cursor's shard",
            Split::AllShards(_) => "all shards, not atomic across shards yet",
        },
    }
}

/// The command as one types it.
fn synopsis(spec: &CommandSpec) -> String {
    let mut words = vec![title(spec)];
    words.extend(spec.args.iter().map(argument));
    if spec.args.is_empty() && spec.arity < 0 {
        // It takes more and its docs do not say what; its HELP does.
        words.push("[argument ...]".to_owned());
    }
    words.join(" ")
}

fn argument(arg: &Arg) -> String {
    let one = one(arg);
    let with_token = match (arg.kind, arg.token) {
        (ArgKind::PureToken, _) | (_, None) => one.clone(),
        (_, Some(token)) => format!("{token} {one}"),
    };
    let all = match (arg.multiple, arg.multiple_token) {
        (false, _) => with_token,
        (true, false) => format!("{with_token} [{one} ...]"),
        (true, true) => format!("{with_token} [{with_token} ...]"),
    };
    match (arg.optional, arg.kind) {
        (true, _) => format!("[{all}]"),
        (false, ArgKind::OneOf) => format!("<{all}>"),
        (false, _) => all,
    }
}

/// The argument without its token and its brackets.
fn one(arg: &Arg) -> String {
    let members = |between: &str| {
        let members: Vec<String> = arg.args.iter().map(argument).collect();
        members.join(between)
    };
    match arg.kind {
        ArgKind::PureToken => arg.token.unwrap_or(arg.name).to_owned(),
        ArgKind::OneOf => members(" | "),
        ArgKind::Block => members(" "),
        _ => arg.name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_the_lists() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/commands.md"
        );
        let page = reference_page();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == page,
            "docs/reference/commands.md is out of date: UPDATE=1 cargo test -p corelane-server"
        );
    }

    #[test]
    fn every_command_that_runs_stands_on_it_once() {
        let page = reference_page();
        for (_, spec) in registry()
            .catalog()
            .iter()
            .filter(|(_, spec)| !spec.container)
        {
            let heading = format!("\n### {}\n", title(spec));
            assert_eq!(page.matches(&heading).count(), 1, "{}", spec.full_name());
        }
    }

    #[test]
    fn synopses() {
        const WORDS: &[Arg] = &[Arg::word("nx", "NX"), Arg::integer("seconds").token("EX")];
        const PAIR: &[Arg] = &[Arg::key("key", 0), Arg::string("value")];
        #[track_caller]
        fn check(arg: Arg, expected: &str) {
            assert_eq!(argument(&arg), expected);
        }
        check(Arg::key("key", 0), "key");
        check(Arg::key("key", 0).multiple(), "key [key ...]");
        check(Arg::word("get", "GET").optional(), "[GET]");
        check(
            Arg::pattern("pattern").token("MATCH").optional(),
            "[MATCH pattern]",
        );
        check(Arg::one_of("how", WORDS), "<NX | EX seconds>");
        check(Arg::one_of("how", WORDS).optional(), "[NX | EX seconds]");
        check(
            Arg::block("data", PAIR).multiple(),
            "key value [key value ...]",
        );
        check(Arg::integer("id").token("ID").multiple(), "ID id [id ...]");
        check(
            Arg::integer("id").token("ID").multiple_token(),
            "ID id [ID id ...]",
        );
    }
}
