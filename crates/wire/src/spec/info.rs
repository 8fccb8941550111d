//! The answer to `COMMAND INFO`, and to `COMMAND` itself: one row per command.

use super::command::CommandSpec;
use super::flags::write_words;
use super::keys::{Begin, Find, KeySpec};
use crate::reply::Reply;

/// Elements of a row (Redis 7).
const ROW: usize = 10;

impl CommandSpec {
    /// Writes the command's row; `subcommands` are the specs whose parent it is.
    pub fn write_info<'s, S>(&self, subcommands: S, reply: &mut Reply<'_>)
    where
        S: IntoIterator<Item = &'s CommandSpec, IntoIter: Clone>,
    {
        reply.array(ROW);
        let range = self.key_range();
        reply.bulk_str(&self.full_name());
        reply.int(self.arity.into());
        write_words(self.all_flags().names(), reply);
        reply.int(range.first.into());
        reply.int(range.last.into());
        reply.int(range.step.into());
        write_categories(self, reply);
        reply.set(self.tips.len());
        for tip in self.tips {
            reply.bulk_str(tip);
        }
        reply.set(self.keys.len());
        for spec in self.keys {
            write_key_spec(spec, reply);
        }
        write_subcommands(subcommands.into_iter(), reply);
    }
}

fn write_categories(spec: &CommandSpec, reply: &mut Reply<'_>) {
    let names = spec.all_categories().names();
    reply.set(names.clone().count());
    for name in names {
        reply.simple(&format!("@{name}"));
    }
}

/// An array, but a set where there are none: so it is in Redis.
fn write_subcommands<'s>(
    subcommands: impl Iterator<Item = &'s CommandSpec> + Clone,
    reply: &mut Reply<'_>,
) {
    match subcommands.clone().count() {
        0 => reply.set(0),
        count => reply.array(count),
    }
    for spec in subcommands {
        spec.write_info([], reply);
    }
}

fn write_key_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(3 + usize::from(!spec.notes.is_empty()));
    if !spec.notes.is_empty() {
        reply.bulk_str("notes");
        reply.bulk_str(spec.notes);
    }
    reply.bulk_str("flags");
    write_words(spec.flags.names(), reply);
    reply.bulk_str("begin_search");
    match spec.begin {
        Begin::Index(index) => write_search("index", &[("index", index.into())], reply),
        Begin::Keyword { word, from } => {
            write_search_head("keyword", 2, reply);
            reply.bulk_str("keyword");
            reply.bulk_str(word);
            reply.bulk_str("startfrom");
            reply.int(from.into());
        }
        Begin::Unknown => write_search("unknown", &[], reply),
    }
    reply.bulk_str("find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            let fields = [
                ("lastkey", last.into()),
                ("keystep", step.into()),
                ("limit", limit.into()),
            ];
            write_search("range", &fields, reply);
        }
        Find::Count { at, first, step } => {
            let fields = [
                ("keynumidx", at.into()),
                ("firstkey", first.into()),
                ("keystep", step.into()),
            ];
            write_search("keynum", &fields, reply);
        }
        Find::Unknown => write_search("unknown", &[], reply),
    }
}

fn write_search(kind: &str, fields: &[(&str, i64)], reply: &mut Reply<'_>) {
    write_search_head(kind, fields.len(), reply);
    for (name, value) in fields {
        reply.bulk_str(name);
        reply.int(*value);
    }
}

fn write_search_head(kind: &str, fields: usize, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk_str("type");
    reply.bulk_str(kind);
    reply.bulk_str("spec");
    reply.map(fields);
}
