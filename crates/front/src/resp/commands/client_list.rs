//! `CLIENT LIST` and `CLIENT KILL`: questions to every shard.

use std::collections::BTreeSet;

use corelane_node::{Asking, ClientAct, ClientFilter, ClientId, Ending, Node, gone};
use corelane_wire::Args;
use corelane_wire::number::parse_i64;
use corelane_wire::spec::{Arg, CommandSpec, Flags};

use super::client::BASE;
use crate::resp::state::{Command, Run};

/// `CLIENT LIST [TYPE type] [ID id …]`.
pub(super) static LIST: Command = Command {
    spec: CommandSpec {
        name: "list",
        arity: -2,
        flags: Flags::of(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE]),
        since: "2.4.0",
        summary: "The connections of all shards.",
        complexity: "O(connections)",
        args: &[
            Arg::string("client-type").token("TYPE").optional(),
            Arg::integer("client-id").token("ID").optional().multiple(),
        ],
        tips: &["nondeterministic_output"],
        ..BASE
    },
    run: Some(Run::Wait(|node, asking| Box::pin(list(node, asking)))),
};

/// `CLIENT KILL addr`, or by filters.
pub(super) static KILL: Command = Command {
    spec: CommandSpec {
        name: "kill",
        arity: -3,
        flags: Flags::of(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE]),
        since: "2.4.0",
        summary: "Ends connections.",
        complexity: "O(connections)",
        args: &[Arg::one_of(
            "filter",
            &[
                Arg::string("ip:port"),
                Arg::block("new-format", &[Arg::string("option"), Arg::string("value")]).multiple(),
            ],
        )],
        ..BASE
    },
    run: Some(Run::Wait(|node, asking| Box::pin(kill(node, asking)))),
};

async fn list(node: Node, asking: Asking) -> Vec<u8> {
    let filter = match list_filter(asking.args.args()) {
        Ok(filter) => filter,
        Err(text) => return asking.reply(|reply| reply.error(&text)),
    };
    let Ok(listed) = node.census(filter, ClientAct::List).await else {
        return gone();
    };
    let text: String = listed
        .rows
        .iter()
        .map(|row| format!("{}\n", row.line))
        .collect();
    asking.reply(|reply| reply.verbatim("txt", text.as_bytes()))
}

fn list_filter(args: Args<'_>) -> Result<ClientFilter, String> {
    let mut filter = ClientFilter::default();
    let Some(option) = args.get(2) else {
        return Ok(filter);
    };
    if option.eq_ignore_ascii_case(b"type") && args.len() == 4 {
        filter.normal = Some(is_normal(&args[3])?);
    } else if option.eq_ignore_ascii_case(b"id") && args.len() > 3 {
        filter.ids = Some(client_ids(args.iter().skip(3))?);
    } else {
        return Err("ERR syntax error".to_owned());
    }
    Ok(filter)
}

/// The numbers of a list of clients.
pub(super) fn client_ids<'a>(
    ids: impl Iterator<Item = &'a [u8]>,
) -> Result<BTreeSet<ClientId>, String> {
    ids.map(|id| client_id(id).ok_or_else(|| "ERR Invalid client ID".to_owned()))
        .collect()
}

fn client_id(text: &[u8]) -> Option<ClientId> {
    parse_i64(text)
        .and_then(|id| u64::try_from(id).ok())
        .filter(|id| *id > 0)
        .map(ClientId)
}

/// Whether a client type means the ordinary ones; the others do not exist yet.
fn is_normal(kind: &[u8]) -> Result<bool, String> {
    match kind.to_ascii_lowercase().as_slice() {
        b"normal" => Ok(true),
        b"master" | b"slave" | b"replica" | b"pubsub" => Ok(false),
        _ => Err(format!(
            "ERR Unknown client type '{}'",
            String::from_utf8_lossy(kind)
        )),
    }
}

async fn kill(node: Node, asking: Asking) -> Vec<u8> {
    let args = asking.args.args();
    let by_address = args.len() == 3;
    let filter = match by_address {
        true => Ok(ClientFilter {
            addr: Some(args[2].to_vec()),
            ..ClientFilter::default()
        }),
        false => kill_filter(args, asking.client.id),
    };
    let filter = match filter {
        Ok(filter) => filter,
        Err(text) => return asking.reply(|reply| reply.error(&text)),
    };
    let me = &asking.client;
    let kills_me = filter.accepts(me, corelane::time::unix_ms());
    let others = ClientFilter {
        except: Some(me.id),
        ..filter
    };
    let Ok(killed) = node.census(others, ClientAct::Kill).await else {
        return gone();
    };
    // Last, and with its reply ready: an ended client is not waited for long.
    let count = killed.count + usize::from(kills_me && me.end(Ending::Killed));
    asking.reply(|reply| match (by_address, count) {
        (true, 0) => reply.error("ERR No such client"),
        (true, _) => reply.ok(),
        (false, killed) => reply.int(killed as i64),
    })
}

fn kill_filter(args: Args<'_>, me: ClientId) -> Result<ClientFilter, String> {
    if !args.len().is_multiple_of(2) {
        return Err("ERR syntax error".to_owned());
    }
    let mut filter = ClientFilter {
        except: Some(me),
        ..ClientFilter::default()
    };
    for at in (2..args.len()).step_by(2) {
        let value = &args[at + 1];
        match args[at].to_ascii_lowercase().as_slice() {
            b"id" => {
                let id = client_id(value);
                let id = id.ok_or("ERR client-id should be greater than 0")?;
                filter.ids = Some([id].into());
            }
            b"type" => filter.normal = Some(is_normal(value)?),
            b"addr" => filter.addr = Some(value.to_vec()),
            b"laddr" => filter.laddr = Some(value.to_vec()),
            b"user" => filter.user = Some(value.to_vec()),
            b"maxage" => {
                let seconds = parse_i64(value).and_then(|s| u64::try_from(s).ok());
                let seconds = seconds.ok_or("ERR syntax error")?;
                filter.min_age_ms = Some(seconds.saturating_mul(1000));
            }
            b"skipme" => match value.to_ascii_lowercase().as_slice() {
                b"yes" => filter.except = Some(me),
                b"no" => filter.except = None,
                _ => return Err("ERR syntax error".to_owned()),
            },
            _ => return Err("ERR syntax error".to_owned()),
        }
    }
    if let Some(user) = &filter.user
        && user != b"default"
    {
        return Err(format!(
            "ERR No such user '{}'",
            String::from_utf8_lossy(user)
        ));
    }
    Ok(filter)
}
