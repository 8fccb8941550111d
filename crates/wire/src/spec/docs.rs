//! The answer to `COMMAND DOCS`: one map per command.

use super::arg::{Arg, ArgKind};
use super::command::CommandSpec;
use super::flags::write_words;
use crate::reply::Reply;

impl CommandSpec {
    /// Writes the command's map of documentation (not the name before it); `subcommands` are the specs whose parent
    /// it is.
    pub fn write_docs<'s, S>(&self, subcommands: S, reply: &mut Reply<'_>)
    where
        S: IntoIterator<Item = &'s CommandSpec, IntoIter: Clone>,
    {
        let subcommands = subcommands.into_iter();
        let subcommand_count = subcommands.clone().count();
        let replaced_by = self
            .deprecated
            .map_or("", |deprecated| deprecated.replaced_by);
        let texts = [("summary", self.summary), ("since", self.since)];
        let fields = texts.iter().filter(|(_, text)| !text.is_empty()).count()
            + 1
            + usize::from(!self.complexity.is_empty())
            + 2 * usize::from(self.deprecated.is_some())
            + usize::from(!replaced_by.is_empty())
            + usize::from(!self.history.is_empty())
            + usize::from(!self.args.is_empty())
            + usize::from(subcommand_count > 0);
        reply.map(fields);
        for (name, text) in texts {
            write_text(name, text, reply);
        }
        write_text("group", self.group.name(), reply);
        write_text("complexity", self.complexity, reply);
        if let Some(deprecated) = self.deprecated {
            reply.bulk_str("doc_flags");
            write_words(["deprecated"].into_iter(), reply);
            reply.bulk_str("deprecated_since");
            reply.bulk_str(deprecated.since);
            write_text("replaced_by", deprecated.replaced_by, reply);
        }
        self.write_history(reply);
        if !self.args.is_empty() {
            reply.bulk_str("arguments");
            write_args(self.args, reply);
        }
        if subcommand_count > 0 {
            reply.bulk_str("subcommands");
            reply.map(subcommand_count);
            for spec in subcommands {
                reply.bulk_str(&spec.full_name());
                spec.write_docs([], reply);
            }
        }
    }

    fn write_history(&self, reply: &mut Reply<'_>) {
        if self.history.is_empty() {
            return;
        }
        reply.bulk_str("history");
        reply.set(self.history.len());
        for (version, change) in self.history {
            reply.array(2);
            reply.bulk_str(version);
            reply.bulk_str(change);
        }
    }
}

fn write_args(args: &[Arg], reply: &mut Reply<'_>) {
    reply.array(args.len());
    for arg in args {
        write_arg(arg, reply);
    }
}

fn write_arg(arg: &Arg, reply: &mut Reply<'_>) {
    let flags = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ];
    let flags = flags
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name);
    let has_flags = flags.clone().next().is_some();
    let has_members = matches!(arg.kind, ArgKind::OneOf | ArgKind::Block);
    let fields = 2
        + usize::from(arg.key_spec.is_some())
        + usize::from(arg.token.is_some())
        + usize::from(arg.since.is_some())
        + usize::from(arg.deprecated_since.is_some())
        + usize::from(has_flags)
        + usize::from(has_members);
    reply.map(fields);
    write_text("name", arg.name, reply);
    write_text("type", arg.kind.name(), reply);
    if let Some(index) = arg.key_spec {
        reply.bulk_str("key_spec_index");
        reply.int(index.into());
    }
    // Unlike other texts, a token that is there may be empty and is shown all the same.
    for (name, text) in [
        ("token", arg.token),
        ("since", arg.since),
        ("deprecated_since", arg.deprecated_since),
    ] {
        if let Some(text) = text {
            reply.bulk_str(name);
            reply.bulk_str(text);
        }
    }
    if has_flags {
        reply.bulk_str("flags");
        write_words(flags, reply);
    }
    if has_members {
        reply.bulk_str("arguments");
        write_args(arg.args, reply);
    }
}

/// A field, unless its text is empty.
fn write_text(name: &str, text: &str, reply: &mut Reply<'_>) {
    if !text.is_empty() {
        reply.bulk_str(name);
        reply.bulk_str(text);
    }
}
