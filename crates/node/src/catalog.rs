//! The catalog: every command the server knows, by number.
//!
//! The numbers are the index into per-shard counters; they are given when the server joins the
//! lists of `store`, `node` and `front`, and mean nothing outside the running process.

use std::collections::HashSet;

use corelane_wire::spec::CommandSpec;

/// A command's number in the [`Catalog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandId(pub u16);

/// All command specs, containers and subcommands included, in the order of their [`CommandId`].
#[derive(Debug, Default)]
pub struct Catalog {
    specs: Vec<&'static CommandSpec>,
}

impl Catalog {
    /// Builds a catalog.
    ///
    /// # Errors
    /// Two specs of one name are refused with that name.
    pub fn new(specs: Vec<&'static CommandSpec>) -> Result<Self, String> {
        let mut seen = HashSet::new();
        for spec in &specs {
            if !seen.insert((spec.parent, spec.name)) {
                return Err(format!("command '{}' is listed twice", spec.full_name()));
            }
        }
        Ok(Self { specs })
    }

    /// The spec with this number.
    pub fn spec(&self, id: CommandId) -> &'static CommandSpec {
        self.specs[id.0 as usize]
    }

    /// Every spec with its number.
    pub fn iter(&self) -> impl Iterator<Item = (CommandId, &'static CommandSpec)> + '_ {
        self.specs
            .iter()
            .enumerate()
            .map(|(i, spec)| (CommandId(i as u16), *spec))
    }

    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether the catalog is empty.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }
}
