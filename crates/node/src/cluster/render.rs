//! The replies of `CLUSTER …` and the redirections, in the shapes of Redis 7.0. Pure.

use std::fmt::Write;
use std::ops::RangeInclusive;

use corelane::ShardId;
use corelane_settings::Endpoint;
use corelane_wire::Reply;
use corelane_wire::slot::SLOTS;

use super::View;

/// `CLUSTER SLOTS`: for each run of slots its ends and its node.
pub(crate) fn slots(view: &View<'_>, reply: &mut Reply<'_>) {
    let runs = view.runs();
    reply.array(runs.len());
    for (run, owner) in runs {
        reply.array(3);
        ends(&run, reply);
        reply.array(4);
        match view.announce.preferred {
            Endpoint::Unknown => reply.null(),
            Endpoint::Ip | Endpoint::Hostname => reply.bulk_str(&view.endpoint()),
        }
        reply.int(view.port(owner).into());
        reply.bulk_str(&view.id(owner));
        other_names(view, reply);
    }
}

/// The names of a node that are not the preferred one.
fn other_names(view: &View<'_>, reply: &mut Reply<'_>) {
    let preferred = view.announce.preferred;
    let ip = (preferred != Endpoint::Ip).then(|| view.ip().to_string());
    let hostname = view.hostname().filter(|_| preferred != Endpoint::Hostname);
    let names = [("ip", ip.as_deref()), ("hostname", hostname)];
    reply.map(names.iter().filter(|(_, name)| name.is_some()).count());
    for (what, name) in names {
        if let Some(name) = name {
            reply.bulk_str(what);
            reply.bulk_str(name);
        }
    }
}

fn ends(run: &RangeInclusive<u16>, reply: &mut Reply<'_>) {
    reply.int((*run.start()).into());
    reply.int((*run.end()).into());
}

/// `CLUSTER SHARDS`: every node with its runs of slots, as a group of one.
pub(crate) fn shards(view: &View<'_>, reply: &mut Reply<'_>) {
    reply.array(view.nodes().count());
    for shard in view.nodes() {
        let runs = view.runs_of(shard);
        reply.map(2);
        reply.bulk_str("slots");
        reply.array(2 * runs.len());
        runs.iter().for_each(|run| ends(run, reply));
        reply.bulk_str("nodes");
        reply.array(1);
        member(view, shard, reply);
    }
}

fn member(view: &View<'_>, shard: ShardId, reply: &mut Reply<'_>) {
    let ports = [
        ("port", view.plain_port(shard)),
        ("tls-port", view.tls_port(shard)),
    ];
    let ports = ports
        .iter()
        .filter_map(|(name, port)| Some((name, (*port)?)));
    reply.map(6 + ports.clone().count() + usize::from(view.hostname().is_some()));
    reply.bulk_str("id");
    reply.bulk_str(&view.id(shard));
    for (name, port) in ports {
        reply.bulk_str(name);
        reply.int(port.into());
    }
    reply.bulk_str("ip");
    reply.bulk_str(&view.ip().to_string());
    reply.bulk_str("endpoint");
    reply.bulk_str(&view.endpoint());
    if let Some(hostname) = view.hostname() {
        reply.bulk_str("hostname");
        reply.bulk_str(hostname);
    }
    reply.bulk_str("role");
    reply.bulk_str("master");
    reply.bulk_str("replication-offset");
    reply.int(0);
    reply.bulk_str("health");
    reply.bulk_str("online");
}

/// `CLUSTER NODES`: a line for each node. Port 0 behind the `@` says that there is no cluster bus.
pub(crate) fn nodes(view: &View<'_>) -> String {
    let mut text = String::new();
    let (ip, epoch) = (view.ip(), view.map.epoch());
    let hostname = view.hostname().map(|name| format!(",{name}"));
    let hostname = hostname.unwrap_or_default();
    for shard in view.nodes() {
        let (id, port) = (view.id(shard), view.port(shard));
        let myself = if shard == view.myself() {
            "myself,"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{id} {ip}:{port}@0{hostname} {myself}master - 0 0 {epoch} connected"
        );
        for run in view.runs_of(shard) {
            let _ = match (run.start(), run.end()) {
                (first, last) if first == last => write!(text, " {first}"),
                (first, last) => write!(text, " {first}-{last}"),
            };
        }
        text.push('\n');
    }
    text
}

/// `CLUSTER INFO`. The state is always fine: every slot has an owner, whatever moves.
pub(crate) fn info(view: &View<'_>) -> String {
    let nodes = view.nodes().count();
    let with_slots = view
        .nodes()
        .filter(|shard| view.map.owned_by(*shard).next().is_some());
    let epoch = view.map.epoch();
    format!(
        "cluster_state:ok\r\n\
         cluster_slots_assigned:{SLOTS}\r\n\
         cluster_slots_ok:{SLOTS}\r\n\
         cluster_slots_pfail:0\r\n\
         cluster_slots_fail:0\r\n\
         cluster_known_nodes:{nodes}\r\n\
         cluster_size:{}\r\n\
         cluster_current_epoch:{epoch}\r\n\
         cluster_my_epoch:{epoch}\r\n\
         cluster_stats_messages_sent:0\r\n\
         cluster_stats_messages_received:0\r\n\
         total_cluster_links_buffer_limit_exceeded:0\r\n",
        with_slots.count()
    )
}

/// The reply to a command whose keys lie on another shard.
pub(crate) fn moved(view: &View<'_>, slot: u16, owner: ShardId) -> String {
    format!("MOVED {slot} {}:{}", view.endpoint(), view.port(owner))
}

#[cfg(test)]
mod tests;
