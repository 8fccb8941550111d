//! Every command by name: the joined lists of `store`, `node` and this crate.

use std::sync::Arc;

use corelane_node::{Catalog, CommandId};
use corelane_wire::Args;
use corelane_wire::spec::CommandSpec;

use super::state::Run;

/// One command of the registry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub id: CommandId,
    /// What it is.
    pub spec: &'static CommandSpec,
    /// How it runs; `None` for a mere container of subcommands.
    pub run: Option<Run>,
    /// Its subcommands.
    pub subcommands: Vec<Entry>,
}

/// What a name resolves to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// A command that can run.
    Found(&'a Entry, Run),
    /// No such command.
    Unknown,
    /// The container exists, the subcommand does not.
    UnknownSub(&'a Entry),
    /// A container without its subcommand.
    NeedsSub(&'a Entry),
}

impl Lookup<'_> {
    /// What the command is, as far as it is known.
    #[inline]
    pub(crate) fn spec(&self) -> &'static CommandSpec {
        match self {
            Self::Found(entry, _) | Self::UnknownSub(entry) | Self::NeedsSub(entry) => entry.spec,
            Self::Unknown => &CommandSpec::BASE,
        }
    }
}

/// Commands by name. Never changes once it is made, so that all shards read one copy; lookups neither allocate nor
/// lock.
#[derive(Debug)]
pub struct Registry {
    catalog: Arc<Catalog>,
    entries: Vec<Entry>,
    /// Open addressing over `entries`: index + 1, 0 for empty. A power of two, at most half full.
    table: Vec<u16>,
}

impl Registry {
    /// Joins specs and ways to run them; `ways` gives what a spec's handler is.
    ///
    /// # Panics
    /// If a subcommand's container is missing: the lists are static, and a test builds them.
    pub fn new(catalog: Arc<Catalog>, ways: impl Fn(&'static CommandSpec) -> Option<Run>) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let entry = |(id, spec): (CommandId, &'static CommandSpec)| Entry {
            id,
            spec,
            run: ways(spec),
            subcommands: Vec::new(),
        };
        entries.extend(
            catalog
                .iter()
                .filter(|(_, spec)| spec.parent.is_none())
                .map(entry),
        );
        for (id, spec) in catalog.iter() {
            let Some(parent) = spec.parent else { continue };
            let container = entries.iter_mut().find(|entry| entry.spec.name == parent);
            let container = container.unwrap_or_else(|| panic!("no container '{parent}'"));
            container.subcommands.push(entry((id, spec)));
        }
        let table = Self::index(&entries);
        Self {
            catalog,
            entries,
            table,
        }
    }

    fn index(entries: &[Entry]) -> Vec<u16> {
        let size = (entries.len() * 4).next_power_of_two();
        let mut table = vec![0u16; size];
        for (number, entry) in entries.iter().enumerate() {
            let mut at = hash(entry.spec.name.as_bytes()) as usize & (size - 1);
            while table[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            table[at] = number as u16 + 1;
        }
        table
    }

    /// All top-level commands.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The catalog that gave the numbers.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// A top-level command by name, whatever its case.
    pub fn get(&self, name: &[u8]) -> Option<&Entry> {
        let mask = self.table.len() - 1;
        let mut at = hash(name) as usize & mask;
        loop {
            let number = self.table[at];
            if number == 0 {
                return None;
            }
            let entry = &self.entries[number as usize - 1];
            if entry.spec.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(entry);
            }
            at = (at + 1) & mask;
        }
    }

    /// Resolves a command line.
    pub(crate) fn lookup(&self, args: Args<'_>) -> Lookup<'_> {
        let Some(entry) = self.get(args.name()) else {
            return Lookup::Unknown;
        };
        if entry.subcommands.is_empty() {
            return match entry.run {
                Some(run) => Lookup::Found(entry, run),
                None => Lookup::Unknown,
            };
        }
        let Some(name) = args.get(1) else {
            return match entry.run {
                Some(run) => Lookup::Found(entry, run),
                None => Lookup::NeedsSub(entry),
            };
        };
        let named = |sub: &&Entry| sub.spec.name.as_bytes().eq_ignore_ascii_case(name);
        match entry.subcommands.iter().find(named) {
            Some(sub) => match sub.run {
                Some(run) => Lookup::Found(sub, run),
                None => Lookup::UnknownSub(entry),
            },
            None => Lookup::UnknownSub(entry),
        }
    }
}

/// Mixes a name's length and its first eight letters, case folded; names are short, and the table
/// is built from the same function, so that nothing more is needed.
fn hash(name: &[u8]) -> u64 {
    let mut word = [0u8; 8];
    let taken = name.len().min(8);
    word[..taken].copy_from_slice(&name[..taken]);
    let folded = u64::from_le_bytes(word) | 0x2020_2020_2020_2020;
    let last = name.last().map_or(0, |byte| u64::from(byte | 0x20));
    let mixed =
        (folded ^ (name.len() as u64) << 56 ^ last << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed >> 40
}
