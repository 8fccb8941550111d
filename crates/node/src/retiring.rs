//! A shard's life in a node that grows and shrinks: what it learns when it wakes, and what it leaves behind when it
//! retires.

use std::time::Duration;

use corelane::{Resized, ShardId};
use corelane_wire::Args;
use corelane_wire::number::parse_i64;
use corelane_wire::spec::CommandSpec;

use crate::change::DECIDER;
use crate::memory::MemoryUse;
use crate::node::{Gone, Node};
use crate::report::ShardReport;
use crate::request::{Control, Reply, Request};
use crate::routing::Load;
use crate::shard::Shard;

/// How long control messages are tried again where their lane is full.
const TELL_PATIENCE: Duration = Duration::from_secs(1);

/// Entries of cleared databases that a retiring shard frees at a time.
const FREED_AT_ONCE: usize = 512;

impl Shard {
    /// Of as many clients as there are shards now, one goes to each shard that has come.
    pub(crate) fn spread_clients(&self, before: usize, shards: usize) {
        let free = self
            .clients
            .iter()
            .filter(|client| !client.door.is_pinned());
        for (number, client) in free.enumerate() {
            let to = number % shards;
            if to >= before {
                client.order_to(ShardId::new(to as u16));
            }
        }
    }
}

impl Node {
    /// Whether the whole node stops, and not only this shard.
    pub fn is_ending(&self) -> bool {
        self.mesh().handle().is_stopping()
    }

    /// What a shard needs before it serves that a resize has woken: the settings in force, and what memory the others
    /// use. Does nothing on a shard that serves from the node's start.
    ///
    /// # Errors
    /// The node is going down.
    pub async fn catch_up(&self) -> Result<(), Gone> {
        // The first map has the epoch 1.
        if self.mesh().map_epoch() == 1 {
            return Ok(());
        }
        // Under a hold this shard stands in all maps: from here on it is told what changes.
        let Some(_hold) = self.unless_stopping(self.mesh().hold_map()).await else {
            return Ok(());
        };
        let Reply::Configured(Ok(settings)) = self.call(DECIDER, Request::Settings).await? else {
            return Err(Gone);
        };
        self.mesh().with(|shard| {
            shard.apply(settings);
            // They may know a word of its last life: idle now, it would have no news for them.
            shard.loads.not_told();
        });
        self.tell_all(|| Control::TellMemory).await;
        Ok(())
    }

    /// Sends the clients of this shard, which retires, to those that stay; how many are still here, between
    /// two shards, or accepted and not begun. To be called again until there are none: clients that were refused are sent to another. Those that
    /// came by the shard's own port go like all others: closed, they would fail requests of clients that could not know
    /// of it; elsewhere they go on hearing where each slot is.
    pub fn send_clients_away(&self) -> usize {
        let all = self.mesh().shards();
        // Others retire with it. Those that stay are the first ones, this one not among them.
        let shards = self.mesh().resizing().map_or(all, |to| to.shards);
        let stay: Vec<ShardId> = (0..shards.min(self.shard_id().index()).max(1))
            .map(|shard| ShardId::new(shard as u16))
            .filter(|shard| self.keeps_clients(*shard))
            .collect();
        self.mesh().with(|shard| {
            for (number, client) in shard.clients.iter().enumerate() {
                if client.ordered().is_none() {
                    client.send_to(stay[(number + client.moves() as usize) % stay.len()]);
                }
            }
            shard.clients.in_hand()
        })
    }

    /// Leaves what this shard has counted to the first one, tells all that it uses no memory any more and has
    /// nothing to do, and frees what waits to be freed.
    pub async fn bequeath(&self) {
        while self
            .mesh()
            .with(|shard| shard.space.housekeep(FREED_AT_ONCE))
        {
            corelane::task::yield_now().await;
        }
        let stats = self.mesh().with(|shard| ShardReport::of(shard).stats);
        if self
            .call(DECIDER, Request::Inherit(Box::new(stats)))
            .await
            .is_err()
        {
            tracing::debug!("the node ends: nobody is left to inherit what was counted");
        }
        self.tell_all(|| Control::Memory(MemoryUse::default()))
            .await;
        self.tell_all(|| Control::Load(Load::default())).await;
    }

    /// Where a connection is to go before it runs a command: off a shard that the command itself puts to sleep, which
    /// would wait for this very connection.
    pub fn place_of(&self, spec: &CommandSpec, args: Args<'_>) -> Option<ShardId> {
        let is_resize = spec.parent == Some("config") && spec.name == "set";
        if !is_resize || self.is_ending() {
            return None;
        }
        let mut names = (2..args.len()).step_by(2);
        let at = names.find(|at| args[*at].eq_ignore_ascii_case(b"shards"))?;
        let shards = parse_i64(args.get(at + 1)?)?;
        let sleeps = (1..=self.shard_id().index() as i64).contains(&shards);
        sleeps.then_some(DECIDER)
    }

    /// Lets `shards` shards serve. Where this is among those that do not, it resolves as soon as all data has moved:
    /// the rest waits for this very connection to go.
    ///
    /// # Errors
    /// Why it did not come to that, for the client.
    pub(crate) async fn resize(&self, shards: usize) -> Result<Option<Resized>, String> {
        let resizing = self.mesh().resize(shards);
        match self.unless_stopping(resizing).await {
            Some(Ok(resized)) => {
                self.spread_clients(&resized).await;
                Ok(Some(resized))
            }
            Some(Err(error)) => Err(error.to_string()),
            None if self.is_ending() => Err("the node is stopping".to_owned()),
            None => Ok(None),
        }
    }

    /// Sends shards that have come their part of the clients of those that were there.
    async fn spread_clients(&self, resized: &Resized) {
        let come = (resized.before..resized.shards).map(|shard| ShardId::new(shard as u16));
        if !come.clone().any(|shard| self.keeps_clients(shard)) {
            return;
        }
        for shard in (0..resized.before).map(|shard| ShardId::new(shard as u16)) {
            let (before, shards) = (resized.before, resized.shards);
            let spread = Request::SpreadClients { before, shards };
            if self.call(shard, spread).await.is_err() {
                tracing::debug!("the node ends: its clients stay where they are");
                return;
            }
        }
    }

    async fn tell_all(&self, message: impl Fn() -> Control) {
        let deadline_ns = corelane::time::now_ns() + TELL_PATIENCE.as_nanos() as u64;
        let me = self.shard_id();
        for shard in self.mesh().all_shards().filter(|shard| *shard != me) {
            while let Err(refused) = self.mesh().control(shard, message()) {
                if corelane::time::now_ns() >= deadline_ns {
                    tracing::warn!(%shard, %refused, "a shard was not told of another that comes or goes");
                    break;
                }
                corelane::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use corelane::sim::{World, WorldOptions};
    use corelane::{LaunchOptions, Mesh, launch_sim};
    use corelane_settings::Settings;

    use super::*;
    use crate::{Catalog, Identity, ShardSeed};

    const STAYS: ShardId = ShardId::new(0);
    const COMES: ShardId = ShardId::new(1);

    fn node_of(mesh: Mesh<Shard>) -> Node {
        let catalog = Catalog::new(Vec::new()).expect("no doubles");
        let identity = Identity {
            version: "",
            run_id: String::new(),
            started_ms: 0,
            process_id: 1,
            port: 0,
            ip: None,
            shard_ports: Vec::new(),
            tls_shard_ports: Vec::new(),
            executable: PathBuf::new(),
            config_file: None,
            backend: String::new(),
            system: String::new(),
            total_memory_bytes: 0,
        };
        Node::new(mesh, catalog.into(), identity.into())
    }

    /// Waits until the shard that stays takes the other for so busy.
    async fn hears(node: &Node, busy_permille: u16) -> Result<(), String> {
        let known = || {
            node.mesh()
                .with(|shard| shard.loads.of(COMES).busy_permille)
        };
        for _ in 0..1000 {
            if known() == busy_permille {
                return Ok(());
            }
            corelane::time::sleep(Duration::from_millis(1)).await;
        }
        Err(format!("{} is known, not {busy_permille}", known()))
    }

    async fn stays(node: &Node) -> Result<(), String> {
        let resize = async |shards| {
            let resized = node.mesh().resize(shards).await;
            resized.map_err(|error| error.to_string())
        };
        for _ in 0..3 {
            resize(2).await?;
            hears(node, 900).await?;
            resize(1).await?;
            hears(node, 0).await?;
        }
        Ok(())
    }

    /// Busy at first; then it retires.
    async fn comes(node: &Node) -> Result<(), String> {
        let known = |error: Gone| format!("{error:?}");
        node.catch_up().await.map_err(known)?;
        let first = node.mesh().with(|shard| shard.loads.news());
        if first != Some(Load::default()) {
            return Err(format!("it begins with {first:?} for the others"));
        }
        let busy = Load {
            busy_permille: 900,
            is_hot: true,
        };
        node.tell_all(|| Control::Load(busy)).await;
        node.mesh().stopping().await;
        node.bequeath().await;
        Ok(())
    }

    #[test]
    fn nobody_takes_a_shard_for_as_busy_as_it_was_in_its_last_life() {
        let options = LaunchOptions {
            active: Some(1),
            ..LaunchOptions::unpinned(2)
        };
        let main = async |mesh: Mesh<Shard>| {
            let node = node_of(mesh);
            if node.shard_id() != STAYS {
                return comes(&node).await;
            }
            let seen = stays(&node).await;
            node.mesh().stop("all has been seen");
            seen
        };
        for seed in 0..20 {
            let world = World::new(seed, WorldOptions::default());
            let map = options.first_map().expect("a map");
            let parts = ShardSeed::new(Arc::new(Settings::default()), 0, map, 2, seed);
            let init = async move |shard| Ok(Shard::new(shard, &parts, 1));
            let node = launch_sim(&world, &options, init, main).expect("a node");
            world.run().expect("it ends");
            node.outcome()
                .expect("the world ran until the node ended")
                .expect("all that was to be heard was heard");
        }
    }
}
