//! `INFO`.

use corelane::ShardId;
use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::asking::{Asking, Command, gone};
use crate::cluster::Door;
use crate::info::{Figures, Room, render};
use crate::memory::Moves;
use crate::node::{Gone, Node};
use crate::process::ProcessFigures;
use crate::report::ShardReport;
use crate::request::{Reply, Request};

/// `INFO [section …]`.
pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        arity: -1,
        flags: Flags::of(&[Flags::LOADING, Flags::STALE]),
        group: Group::Server,
        since: "1.0.0",
        summary: "Figures about the server, all shards together.",
        complexity: "O(shards)",
        args: &[Arg::string("section").optional().multiple()],
        history: &[("7.0.0", "Several sections may be asked for at once.")],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    run: Some(|node, asking| Box::pin(info(node, asking))),
};

async fn info(node: Node, asking: Asking) -> Vec<u8> {
    let door = asking.client.door;
    let (each, first) = match door {
        Door::Main => (reports(&node).await, ShardId::new(0)),
        Door::Shard(home) => (report_of(&node, home).await.map(|own| vec![own]), home),
    };
    let Ok(each) = each else {
        return gone();
    };
    let mut total = ShardReport::default();
    each.iter().for_each(|report| total.add(report));
    let peak_bytes = peak_bytes(&node, door, &total);
    let settings = node.settings();
    let figures = Figures {
        identity: node.identity(),
        catalog: node.catalog(),
        process: ProcessFigures::read().await,
        shards: node.mesh().shards(),
        room: Room::of(&node),
        io_shards: node.mesh().map().io_shards(),
        now_ms: corelane::time::unix_ms(),
        node: &total,
        each: &each,
        first,
        door,
        peak_bytes,
        hz: settings.keyspace().hz,
        max_memory_bytes: node.rules(|rules| rules.max_memory_bytes),
        max_memory_policy: settings.text("maxmemory-policy").to_owned(),
        max_clients: node.rules(|rules| rules.clients.max_clients).into(),
    };
    let wanted: Vec<String> = (1..asking.args.args().len())
        .map(|i| asking.text(i))
        .collect();
    let text = render(&wanted, &figures);
    asking.reply(|reply| reply.verbatim("txt", text.as_bytes()))
}

/// The most that memory has come to, of the node or of the shard whose door it is; what it is now included.
fn peak_bytes(node: &Node, door: Door, total: &ShardReport) -> u64 {
    let used_bytes = total.memory_bytes();
    let known_bytes = match door {
        Door::Main => {
            let (now_ns, moves) = (corelane::time::now_ns(), Moves::of(node));
            // The shards know nothing of clients' memory but by this.
            node.mesh()
                .try_with(|shard| shard.peak.look(now_ns, moves, used_bytes));
            total.peak_bytes
        }
        Door::Shard(_) => total.own_peak_bytes,
    };
    known_bytes.max(used_bytes)
}

/// One shard's report; an empty one where it sleeps.
async fn report_of(node: &Node, shard: ShardId) -> Result<ShardReport, Gone> {
    if !node.serves(shard) {
        return Ok(ShardReport::default());
    }
    match node.call(shard, Request::Report).await? {
        Reply::Report(report) => Ok(*report),
        _ => Err(Gone),
    }
}

/// Every shard's report, in the order of the shards.
pub(crate) async fn reports(node: &Node) -> Result<Vec<ShardReport>, Gone> {
    let replies = node.call_all(|| Request::Report).await?;
    let reports = replies.into_iter().map(|reply| match reply {
        Reply::Report(report) => Ok(*report),
        _ => Err(Gone),
    });
    reports.collect()
}
