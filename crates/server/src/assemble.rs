//! Joining the lists of commands, and what every shard is given at start.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use corelane_front::resp::{self, Admission, Registry, Run};
use corelane_node::{Catalog, Identity, ShardSeed};
use corelane_wire::spec::CommandSpec;

use crate::addresses::Addresses;
use crate::ready::Ready;
use crate::shard_ports::ShardPorts;

/// What is the same for all shards of a node. Cloned to each.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Commands by number.
    pub catalog: Arc<Catalog>,
    /// The node's name and age.
    pub identity: Arc<Identity>,
    /// Where to listen.
    pub addresses: Arc<Addresses>,
    /// How many shards, from the first one on, own connections and no data.
    pub io_shards: usize,
    /// Where each shard listens alone.
    pub shard_ports: Arc<ShardPorts>,
    /// The node-wide count of connections.
    pub admission: Admission,
    /// What each shard is made of.
    pub seed: ShardSeed,
    /// Told once a shard listens.
    pub ready: Ready,
}

/// The joined lists of `store`, `node` and `front`.
///
/// # Errors
/// Two commands of one name; the lists are static, and a test joins them.
pub fn catalog() -> Result<Catalog, String> {
    let data = corelane_store::COMMANDS.iter().map(|command| &command.spec);
    let node = corelane_node::COMMANDS.iter().map(|command| &command.spec);
    let front = resp::COMMANDS.iter().map(|command| &command.spec);
    let mut specs: Vec<&'static CommandSpec> = data.chain(node).chain(front).collect();
    specs.sort_by_key(|spec| {
        (
            spec.parent.unwrap_or(spec.name),
            spec.parent.is_some(),
            spec.name,
        )
    });
    Catalog::new(specs)
}

/// Names to ways of running. The lists are static, and so is what is made of them: sessions keep it for good and take it
/// along between shards.
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let catalog = catalog().unwrap_or_else(|double| panic!("{double}"));
        join(&Arc::new(catalog))
    });
    &REGISTRY
}

fn join(catalog: &Arc<Catalog>) -> Registry {
    let mut ways: HashMap<(Option<&str>, &str), Run> = HashMap::new();
    for command in corelane_store::COMMANDS {
        ways.insert((command.spec.parent, command.spec.name), Run::Data(command));
    }
    for command in corelane_node::COMMANDS {
        if let Some(run) = command.run {
            ways.insert((command.spec.parent, command.spec.name), Run::Wait(run));
        }
    }
    for command in resp::COMMANDS {
        if let Some(run) = command.run {
            ways.insert((command.spec.parent, command.spec.name), run);
        }
    }
    Registry::new(Arc::clone(catalog), |spec| {
        ways.get(&(spec.parent, spec.name)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_join_without_doubles_and_every_command_runs() {
        let catalog = Arc::new(catalog().expect("no doubles"));
        let registry = join(&catalog);
        for entry in registry.entries() {
            let runs = entry.run.is_some() || !entry.subcommands.is_empty();
            assert!(runs, "'{}' is listed and cannot run", entry.spec.name);
            for sub in &entry.subcommands {
                assert!(
                    sub.run.is_some(),
                    "'{}' is listed and cannot run",
                    sub.spec.full_name()
                );
            }
        }
    }

    #[test]
    fn commands_that_split_by_key_have_their_keys_in_equal_groups() {
        for command in corelane_store::COMMANDS
            .iter()
            .filter(|command| command.split.by_key())
        {
            let range = command.spec.key_range();
            assert_eq!((range.first, range.last), (1, -1), "{}", command.spec.name);
            assert_eq!(command.spec.keys.len(), 1, "{}", command.spec.name);
        }
    }

    #[test]
    fn every_command_is_documented() {
        let catalog = catalog().expect("no doubles");
        for (_, spec) in catalog.iter() {
            assert!(
                !spec.summary.is_empty(),
                "{} has no summary",
                spec.full_name()
            );
            assert!(
                !spec.since.is_empty(),
                "{} has no version",
                spec.full_name()
            );
        }
    }
}
