//! `MEMORY STATS`. The rest of `MEMORY` is about keys and lives with the data.

use corelane_wire::spec::{CommandSpec, Flags, Group};

use super::info::reports;
use crate::asking::{Asking, Command, gone};
use crate::node::Node;
use crate::process::ProcessFigures;
use crate::report::ShardReport;

/// `MEMORY STATS`.
pub(super) static STATS: Command = Command {
    spec: CommandSpec {
        name: "stats",
        parent: Some("memory"),
        arity: 2,
        flags: Flags::NONE,
        group: Group::Server,
        since: "4.0.0",
        summary: "What memory is used for, all shards together.",
        complexity: "O(shards)",
        tips: &["nondeterministic_output"],
        ..CommandSpec::BASE
    },
    run: Some(|node, asking| Box::pin(stats(node, asking))),
};

async fn stats(node: Node, asking: Asking) -> Vec<u8> {
    let Ok(each) = reports(&node).await else {
        return gone();
    };
    let mut total = ShardReport::default();
    each.iter().for_each(|report| total.add(report));
    let process = ProcessFigures::read().await;
    let keys: u64 = total.databases.iter().map(|(keys, _)| keys).sum();
    let rows: [(&str, u64); 6] = [
        ("total.allocated", total.memory_bytes()),
        ("clients.normal", total.client_bytes),
        ("keys.count", keys),
        (
            "keys.bytes-per-key",
            total.used_bytes.checked_div(keys).unwrap_or_default(),
        ),
        ("dataset.bytes", total.used_bytes),
        ("allocator.resident", process.resident_bytes),
    ];
    asking.reply(|reply| {
        reply.map(rows.len());
        for (name, value) in rows {
            reply.bulk(name.as_bytes());
            reply.int(value as i64);
        }
    })
}
