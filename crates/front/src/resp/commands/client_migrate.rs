//! `CLIENT MIGRATE`: sends connections to another shard, for operators and tests.

use corelane::ShardId;
use corelane_node::{Asking, ClientAct, ClientFilter, Node, gone};
use corelane_wire::number::parse_i64;
use corelane_wire::spec::{Arg, CommandSpec, Flags};

use super::client::BASE;
use super::client_list::client_ids;
use crate::resp::state::{Command, Run};

/// `CLIENT MIGRATE shard [ID id …]`.
pub(super) static MIGRATE: Command = Command {
    spec: CommandSpec {
        name: "migrate",
        arity: -3,
        flags: Flags::of(&[Flags::ADMIN, Flags::NOSCRIPT]),
        since: "7.0.0",
        summary: "Sends this connection, or the ones that are named, to a shard. This one goes before its next command, others as soon as they are between two commands.",
        complexity: "O(1), or O(connections) with ID",
        args: &[
            Arg::integer("shard"),
            Arg::integer("client-id").token("ID").optional().multiple(),
        ],
        ..BASE
    },
    run: Some(Run::Wait(|node, asking| Box::pin(migrate(node, asking)))),
};

async fn migrate(node: Node, asking: Asking) -> Vec<u8> {
    let args = asking.args.args();
    let to = match shard(&node, &args[2]) {
        Ok(to) => to,
        Err(text) => return asking.reply(|reply| reply.error(&text)),
    };
    let Some(option) = args.get(3) else {
        if asking.client.door.is_pinned() {
            return asking.reply(|reply| reply.error(PINNED));
        }
        asking.client.order_to(to);
        return asking.reply(|reply| reply.ok());
    };
    if !option.eq_ignore_ascii_case(b"id") || args.len() == 4 {
        return asking.reply(|reply| reply.error("ERR syntax error"));
    }
    let filter = match client_ids(args.iter().skip(4)) {
        Ok(ids) => ClientFilter {
            ids: Some(ids),
            ..ClientFilter::default()
        },
        Err(text) => return asking.reply(|reply| reply.error(&text)),
    };
    let Ok(sent) = node.census(filter, ClientAct::SendTo(to)).await else {
        return gone();
    };
    asking.reply(|reply| reply.int(sent.count as i64))
}

const PINNED: &str = "ERR this connection came by its shard's own port and stays on that shard; connect to the server's port to move";

fn shard(node: &Node, text: &[u8]) -> Result<ShardId, String> {
    let last = node.mesh().shards() - 1;
    let number = parse_i64(text).and_then(|number| u16::try_from(number).ok());
    let number = number.filter(|number| usize::from(*number) <= last);
    let asked = || String::from_utf8_lossy(text);
    match number.map(ShardId::new) {
        None => Err(format!(
            "ERR there is no shard '{}'; shards 0 to {last} serve",
            asked()
        )),
        Some(shard) if node.keeps_clients(shard) => Ok(shard),
        Some(_) => Err(format!(
            "ERR shard {} is for data alone; connections are on shards 0 to {}",
            asked(),
            node.mesh().map().io_shards() - 1
        )),
    }
}
