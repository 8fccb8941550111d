//! A shard's handle on the whole node: what sessions and commands are written against.

use std::cell::{RefCell, RefMut};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Poll;

use corelane::{Call, CallError, MapHold, Mesh, Refusal, Refused, ShardId};
use corelane_settings::Settings;

use crate::asking::{Asking, CommandFuture};
use crate::batch::BatchPool;
use crate::catalog::{Catalog, CommandId};
use crate::clients::{Arrival, Client, ClientId, Ending, Underway};
use crate::cluster::{self, View};
use crate::identity::Identity;
use crate::request::{Reply, Request};
use crate::rules::Rules;
use crate::shard::Shard;
use crate::stats::Stats;

/// The node, seen from one shard. Cheap to clone; never leaves its shard.
#[derive(Debug, Clone)]
pub struct Node(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    mesh: Mesh<Shard>,
    catalog: Arc<Catalog>,
    identity: Arc<Identity>,
    batches: RefCell<BatchPool>,
}

/// A shard's way to its own [`Node`], which owns the shard's state and so must not be owned by it.
#[derive(Debug, Default)]
pub(crate) struct NodeRef(Weak<Inner>);

impl NodeRef {
    /// The node, while it runs.
    pub(crate) fn upgrade(&self) -> Option<Node> {
        self.0.upgrade().map(Node)
    }
}

impl Node {
    /// The handle of the shard that `mesh` belongs to.
    pub fn new(mesh: Mesh<Shard>, catalog: Arc<Catalog>, identity: Arc<Identity>) -> Self {
        let node = Self(Rc::new(Inner {
            mesh,
            catalog,
            identity,
            batches: RefCell::default(),
        }));
        node.mesh().with(|shard| {
            shard.mesh = Some(node.mesh().gauge());
            shard.home = NodeRef(Rc::downgrade(&node.0));
        });
        node
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh<Shard> {
        &self.0.mesh
    }

    /// This shard.
    pub fn shard_id(&self) -> ShardId {
        self.0.mesh.shard()
    }

    /// All commands by number.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.0.catalog
    }

    /// What does not change while the node runs.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Whether a shard is hot and gives connections to less busy ones, as far as this shard has heard.
    pub fn gives_clients(&self, shard: ShardId) -> bool {
        let all = self
            .mesh()
            .all_shards()
            .filter(|shard| self.keeps_clients(*shard));
        self.mesh().with(|here| here.loads.gives(shard, all))
    }

    /// Whether clients connect to `shard`: to every one, but in the split layout, where they connect
    /// to those that own no data.
    pub fn keeps_clients(&self, shard: ShardId) -> bool {
        match self.mesh().map().io_shards() {
            0 => true,
            io_shards => shard.index() < io_shards,
        }
    }

    /// Whether a shard serves, and does not sleep.
    pub(crate) fn serves(&self, shard: ShardId) -> bool {
        shard.index() < self.mesh().map().shards()
    }

    /// Shows what `client` is told of the cluster.
    pub(crate) fn with_view<R>(&self, client: &Client, look: impl FnOnce(&View<'_>) -> R) -> R {
        let (map, identity) = (self.mesh().map(), self.identity());
        self.rules(|rules| {
            look(&View {
                map: &map,
                identity,
                announce: &rules.announce,
                reached: client.reached().unwrap_or_else(|| identity.local_ip()),
                by_tls: client.speaks_tls,
                here: client.door.home().unwrap_or_else(|| self.shard_id()),
            })
        })
    }

    /// The reply that sends a client of a shard's own port to the shard that owns `slot`.
    pub fn moved(&self, client: &Client, slot: u16, owner: ShardId) -> String {
        self.with_view(client, |view| cluster::moved(view, slot, owner))
    }

    pub(crate) fn batches(&self) -> RefMut<'_, BatchPool> {
        self.0.batches.borrow_mut()
    }

    /// This shard's copy of the settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.mesh().with(|shard| Arc::clone(&shard.rules.settings))
    }

    /// What settings make of sessions and their input, on this shard, now.
    pub fn rules<R>(&self, read: impl FnOnce(&Rules) -> R) -> R {
        self.mesh().with(|shard| read(&shard.rules))
    }

    /// The longest that a reply may be.
    pub fn max_reply_bytes(&self) -> usize {
        self.rules(|rules| rules.max_reply_bytes)
    }

    /// Databases that can be selected.
    pub fn databases(&self) -> u16 {
        self.mesh().with(|shard| shard.space.databases())
    }

    /// Whether clients must authenticate.
    pub fn needs_password(&self) -> bool {
        self.rules(|rules| rules.password.is_some())
    }

    /// Changes this shard's counters.
    pub fn with_stats(&self, change: impl FnOnce(&mut Stats)) {
        self.mesh().with(|shard| change(&mut shard.stats));
    }

    /// The same for what has waited for others: it may have outlived the shard, and nobody counts any more.
    fn count_late(&self, change: impl FnOnce(&mut Stats)) {
        self.mesh().try_with(|shard| change(&mut shard.stats));
    }

    /// Counts bytes that a client has sent to this shard.
    pub fn note_input(&self, client: &Rc<Client>, bytes: usize) {
        client.active_ms.set(corelane::time::unix_ms());
        self.mesh().with(|shard| {
            shard.stats.net_input_bytes += bytes as u64;
            shard.stats.reads += 1;
            if !client.is_awake() {
                shard.awake.enter(client, &shard.clients);
            }
            shard.background.rouse();
        });
    }

    /// Counts a command that did not run on a shard's data; `error` is its reply if that is one.
    pub fn count_call(&self, id: CommandId, error: Option<&[u8]>) {
        self.count_late(|stats| {
            stats.commands_processed += 1;
            let command = stats.command(id);
            command.calls += 1;
            if let Some(reply) = error {
                command.failed += 1;
                stats.count_error(reply);
            }
        });
    }

    /// Counts a command that was refused before it ran.
    pub fn count_refusal(&self, id: Option<CommandId>, reply: &[u8]) {
        self.count_late(|stats| {
            if let Some(id) = id {
                stats.command(id).rejected += 1;
            }
            stats.count_error(reply);
        });
    }

    /// Counts a connection that was accepted on this shard: while it has not begun the shard does not go to sleep.
    pub fn note_newcomer(&self) -> Underway {
        self.mesh().with(|shard| shard.clients.newcomer())
    }

    /// Counts a connection that was cut off, for its shard goes to sleep.
    pub fn count_cut_off(&self) {
        self.count_late(|stats| stats.retirement_disconnections += 1);
    }

    /// Enters a new connection into this shard's list.
    pub fn enter_client(&self, arrival: Arrival) -> Rc<Client> {
        self.mesh().with(|shard| shard.enter_client(arrival))
    }

    /// Takes an ended connection out of the list.
    pub fn leave_client(&self, id: ClientId) {
        // After a failure there is no list any more.
        self.mesh().try_with(|shard| shard.clients.leave(id));
    }

    /// Clients of this shard, and those that it has sent to another which has not said yet whether it takes them.
    pub fn clients(&self) -> usize {
        self.mesh()
            .with(|shard| shard.clients.len() + shard.clients.away)
    }

    /// Ends every client of this shard.
    pub fn end_clients(&self, ending: Ending) {
        self.mesh().with(|shard| {
            shard.clients.iter().for_each(|client| {
                client.end(ending);
            })
        });
    }

    /// Runs a command that waits for others, and counts it.
    pub async fn ask(&self, run: fn(Node, Asking) -> CommandFuture, asking: Asking) -> Vec<u8> {
        let id = asking.id;
        let reply = run(self.clone(), asking).await;
        self.count_call(
            id,
            (reply.first() == Some(&b'-')).then_some(reply.as_slice()),
        );
        reply
    }

    /// Waits for `future` unless the node is asked to stop first.
    pub async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut stopping = pin!(self.mesh().stopping());
        let mut future = pin!(future);
        poll_fn(|cx| {
            if stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Asks one shard.
    ///
    /// # Errors
    /// The shard has stopped; the node is going down.
    pub async fn call(&self, to: ShardId, request: Request) -> Result<Reply, Gone> {
        let mut call = self.mesh().call(to, request);
        self.patiently(to, &mut call).await
    }

    /// Waits for a call, sent again after a turn of the loop as often as the line to that shard is
    /// full: whoever waits here holds one request only, and a connection has one such wait at a time.
    ///
    /// The call is borrowed, for a future that owns it holds it twice, and every idle connection has
    /// the room of this one.
    pub(crate) async fn patiently(
        &self,
        to: ShardId,
        call: &mut Call<Shard>,
    ) -> Result<Reply, Gone> {
        self.patiently_or_back(to, call).await.map_err(|_| Gone)
    }

    /// As [`patiently`](Self::patiently); the request comes back from a shard that sleeps.
    pub(crate) async fn patiently_or_back(
        &self,
        to: ShardId,
        call: &mut Call<Shard>,
    ) -> Result<Reply, Option<Request>> {
        loop {
            match (&mut *call).await {
                Ok(reply) => return Ok(reply),
                Err(CallError::Refused(Refused {
                    message,
                    reason: Refusal::Down,
                })) => return Err(Some(message)),
                Err(CallError::Refused(Refused {
                    message,
                    reason: Refusal::Full,
                })) => {
                    corelane::task::yield_now().await;
                    *call = self.mesh().call(to, message);
                }
                Err(_) => return Err(None),
            }
        }
    }

    /// Asks every shard that serves the same at once; replies in the order of the shards. No partition moves
    /// meanwhile, and no shard comes or goes.
    ///
    /// # Errors
    /// A shard has stopped; the node is going down.
    pub async fn call_all(&self, request: impl Fn() -> Request) -> Result<Vec<Reply>, Gone> {
        let hold = self.mesh().hold_map().await;
        self.call_all_under(&hold, request).await
    }

    /// As [`call_all`](Self::call_all), for who holds the map already: a second hold would wait for a move
    /// that waits for the first.
    pub(crate) async fn call_all_under(
        &self,
        _hold: &MapHold,
        request: impl Fn() -> Request,
    ) -> Result<Vec<Reply>, Gone> {
        let calls: Vec<_> = self
            .mesh()
            .all_shards()
            .map(|shard| (shard, self.mesh().call(shard, request())))
            .collect();
        let mut replies = Vec::with_capacity(calls.len());
        for (shard, mut call) in calls {
            replies.push(self.patiently(shard, &mut call).await?);
        }
        Ok(replies)
    }
}

/// A shard of this node has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;
