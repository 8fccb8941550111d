//! `CLUSTER`: the shards as the nodes of a cluster, for clients that ask for one. Changing the cluster is not theirs to
//! do: its nodes are the shards of this server, and the shard map says which owns what.

use corelane::Target;
use corelane_store::keyspace::SLOTS_PER_PARTITION;
use corelane_wire::Reply as ReplyWriter;
use corelane_wire::number::parse_i64;
use corelane_wire::slot::{SLOTS, slot_of};
use corelane_wire::spec::{Arg, CommandSpec, Deprecated, Flags, Group};

use crate::asking::{Asking, Command, CommandFuture, gone};
use crate::cluster::{self, DISABLED, Door, View};
use crate::node::Node;

const BASE: CommandSpec = CommandSpec {
    parent: Some("cluster"),
    flags: Flags::STALE,
    group: Group::Cluster,
    since: "3.0.0",
    complexity: "O(shards)",
    ..CommandSpec::BASE
};

/// Answers may differ from call to call.
const VARYING: &[&str] = &["nondeterministic_output"];

/// The container.
pub(super) static CLUSTER: Command = Command {
    spec: CommandSpec {
        name: "cluster",
        parent: None,
        container: true,
        arity: -2,
        flags: Flags::NONE,
        summary: "A container for commands about the cluster that the shards are to cluster clients.",
        complexity: "Depends on subcommand.",
        ..BASE
    },
    run: None,
};

/// `CLUSTER SLOTS`.
pub(super) static SLOTS_COMMAND: Command = Command {
    spec: CommandSpec {
        name: "slots",
        arity: 2,
        summary: "Returns which shard's port owns which slots.",
        tips: VARYING,
        deprecated: Some(Deprecated {
            since: "7.0.0",
            replaced_by: "`CLUSTER SHARDS`",
        }),
        ..BASE
    },
    run: Some(|node, asking| viewing(node, asking, |view, _, reply| cluster::slots(view, reply))),
};

/// `CLUSTER SHARDS`.
pub(super) static SHARDS: Command = Command {
    spec: CommandSpec {
        name: "shards",
        arity: 2,
        since: "7.0.0",
        summary: "Returns every shard with its port and its slots.",
        tips: VARYING,
        ..BASE
    },
    run: Some(|node, asking| viewing(node, asking, |view, _, reply| cluster::shards(view, reply))),
};

/// `CLUSTER NODES`.
pub(super) static NODES: Command = Command {
    spec: CommandSpec {
        name: "nodes",
        arity: 2,
        summary: "Returns a line for every shard with its port and its slots.",
        tips: VARYING,
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |view, _, reply| {
            reply.verbatim("txt", cluster::nodes(view).as_bytes());
        })
    }),
};

/// `CLUSTER INFO`.
pub(super) static INFO: Command = Command {
    spec: CommandSpec {
        name: "info",
        arity: 2,
        summary: "Returns the cluster's state: always fine, and its epoch is that of the shard map.",
        tips: VARYING,
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |view, _, reply| {
            reply.verbatim("txt", cluster::info(view).as_bytes());
        })
    }),
};

/// `CLUSTER MYID`.
pub(super) static MYID: Command = Command {
    spec: CommandSpec {
        name: "myid",
        arity: 2,
        summary: "Returns the id of the shard that the connection is on.",
        complexity: "O(1)",
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |view, _, reply| {
            reply.bulk_str(&view.id(view.myself()))
        })
    }),
};

/// `CLUSTER MYSHARDID`.
pub(super) static MYSHARDID: Command = Command {
    spec: CommandSpec {
        name: "myshardid",
        arity: 2,
        since: "7.2.0",
        summary: "Returns the id of the group of master and replicas that the connection's shard stands for.",
        complexity: "O(1)",
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |view, _, reply| {
            reply.bulk_str(&view.group_id(view.myself()))
        })
    }),
};

/// `CLUSTER KEYSLOT key`.
pub(super) static KEYSLOT: Command = Command {
    spec: CommandSpec {
        name: "keyslot",
        arity: 3,
        summary: "Returns the slot of a key.",
        complexity: "O(N) for N bytes of the key",
        args: &[Arg::string("key")],
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |_, asking, reply| {
            reply.int(slot_of(&asking.args.args()[2]).into());
        })
    }),
};

/// `CLUSTER COUNTKEYSINSLOT slot`.
pub(super) static COUNTKEYSINSLOT: Command = Command {
    spec: CommandSpec {
        name: "countkeysinslot",
        arity: 3,
        summary: "Returns how many keys a slot holds: on a shard's own port those of that shard.",
        complexity: "O(1)",
        args: &[Arg::integer("slot")],
        ..BASE
    },
    run: Some(|node, asking| Box::pin(count_keys(node, asking))),
};

/// `CLUSTER GETKEYSINSLOT slot count`.
pub(super) static GETKEYSINSLOT: Command = Command {
    spec: CommandSpec {
        name: "getkeysinslot",
        arity: 4,
        summary: "Returns keys of a slot: on a shard's own port those of that shard.",
        complexity: "O(N) for N keys asked for, done in slices so that other commands run in between",
        args: &[Arg::integer("slot"), Arg::integer("count")],
        tips: VARYING,
        ..BASE
    },
    run: Some(|node, asking| Box::pin(get_keys(node, asking))),
};

/// `CLUSTER LINKS`.
pub(super) static LINKS: Command = Command {
    spec: CommandSpec {
        name: "links",
        arity: 2,
        since: "7.0.0",
        summary: "Returns the links of the cluster bus: none, for there is no such bus.",
        complexity: "O(1)",
        tips: VARYING,
        ..BASE
    },
    run: Some(|node, asking| viewing(node, asking, |_, _, reply| reply.empty_array())),
};

const REPLICAS_BASE: CommandSpec = CommandSpec {
    arity: 3,
    flags: Flags::of(&[Flags::ADMIN, Flags::STALE]),
    summary: "Returns the replicas of a node: none.",
    args: &[Arg::string("node-id")],
    tips: VARYING,
    ..BASE
};

/// `CLUSTER REPLICAS node-id`.
pub(super) static REPLICAS: Command = Command {
    spec: CommandSpec {
        name: "replicas",
        since: "5.0.0",
        ..REPLICAS_BASE
    },
    run: Some(|node, asking| viewing(node, asking, replicas)),
};

/// `CLUSTER SLAVES node-id`.
pub(super) static SLAVES: Command = Command {
    spec: CommandSpec {
        name: "slaves",
        deprecated: Some(Deprecated {
            since: "5.0.0",
            replaced_by: "`CLUSTER REPLICAS`",
        }),
        ..REPLICAS_BASE
    },
    run: Some(|node, asking| viewing(node, asking, replicas)),
};

fn replicas(view: &View<'_>, asking: &Asking, reply: &mut ReplyWriter<'_>) {
    match view.node_of_id(&asking.args.args()[2]) {
        Some(_) => reply.empty_array(),
        None => reply.error(&format!("ERR Unknown node {}", asking.text(2))),
    }
}

/// `CLUSTER HELP`.
pub(super) static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        arity: 2,
        since: "5.0.0",
        flags: Flags::of(&[Flags::LOADING, Flags::STALE]),
        summary: "The subcommands of CLUSTER.",
        complexity: "O(1)",
        ..BASE
    },
    run: Some(|node, asking| {
        viewing(node, asking, |_, _, reply| {
            reply.array(HELP_LINES.len());
            HELP_LINES.iter().for_each(|line| reply.simple(line));
        })
    }),
};

const HELP_LINES: &[&str] = &[
    "CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "COUNTKEYSINSLOT <slot>",
    "    How many keys a slot holds.",
    "GETKEYSINSLOT <slot> <count>",
    "    Keys of a slot.",
    "INFO",
    "    The cluster's state.",
    "KEYSLOT <key>",
    "    The slot of a key.",
    "LINKS",
    "    Links of the cluster bus: none.",
    "MYID | MYSHARDID",
    "    Ids of the shard that the connection is on.",
    "NODES | SHARDS | SLOTS",
    "    The shards, their ports and their slots.",
    "REPLICAS <node-id>",
    "    Replicas of a node: none.",
    "HELP",
    "    This help.",
];

/// What changes a cluster of several servers, and is refused here.
const fn refused(name: &'static str, arity: i16, since: &'static str) -> Command {
    Command {
        spec: CommandSpec {
            name,
            arity,
            since,
            flags: Flags::of(&[Flags::ADMIN, Flags::STALE, Flags::NO_ASYNC_LOADING]),
            summary: "Refused: the cluster's nodes are the shards of this server, which gives them their slots itself.",
            complexity: "O(1)",
            ..BASE
        },
        run: Some(|node, asking| {
            viewing(node, asking, |_, asking, reply| {
                let name = asking.text(1).to_ascii_uppercase();
                reply.error(&format!(
                    "ERR CLUSTER {name} is not possible: the cluster's nodes are the shards of this \
                     server, which gives them their slots itself"
                ));
            })
        }),
    }
}

pub(super) static ADDSLOTS: Command = refused("addslots", -3, "3.0.0");
pub(super) static ADDSLOTSRANGE: Command = refused("addslotsrange", -4, "7.0.0");
pub(super) static BUMPEPOCH: Command = refused("bumpepoch", 2, "3.0.0");
pub(super) static COUNT_FAILURE_REPORTS: Command = refused("count-failure-reports", 3, "3.0.0");
pub(super) static DELSLOTS: Command = refused("delslots", -3, "3.0.0");
pub(super) static DELSLOTSRANGE: Command = refused("delslotsrange", -4, "7.0.0");
pub(super) static FAILOVER: Command = refused("failover", -2, "3.0.0");
pub(super) static FLUSHSLOTS: Command = refused("flushslots", 2, "3.0.0");
pub(super) static FORGET: Command = refused("forget", 3, "3.0.0");
pub(super) static MEET: Command = refused("meet", -4, "3.0.0");
pub(super) static REPLICATE: Command = refused("replicate", 3, "3.0.0");
pub(super) static RESET: Command = refused("reset", -2, "3.0.0");
pub(super) static SAVECONFIG: Command = refused("saveconfig", 2, "3.0.0");
pub(super) static SET_CONFIG_EPOCH: Command = refused("set-config-epoch", 3, "3.0.0");
pub(super) static SETSLOT: Command = refused("setslot", -4, "3.0.0");

/// Answers from the map of the moment; where there are no shard ports, as Redis does without a cluster.
fn viewing(
    node: Node,
    asking: Asking,
    write: fn(&View<'_>, &Asking, &mut ReplyWriter<'_>),
) -> CommandFuture {
    Box::pin(async move {
        asking.reply(|reply| match node.identity().has_shard_ports() {
            true => node.with_view(&asking.client, |view| write(view, &asking, reply)),
            false => reply.error(DISABLED),
        })
    })
}

/// Where a slot's keys are looked for: on a shard's own port there alone, nowhere while it sleeps; else wherever they
/// are.
fn keeper(node: &Node, asking: &Asking, slot: u16) -> Option<Target> {
    match asking.client.door {
        Door::Shard(home) => node.serves(home).then_some(Target::Shard(home)),
        Door::Main => Some(Target::Partition(usize::from(slot) / SLOTS_PER_PARTITION)),
    }
}

async fn count_keys(node: Node, asking: Asking) -> Vec<u8> {
    if !node.identity().has_shard_ports() {
        return asking.reply(|reply| reply.error(DISABLED));
    }
    let slot = match number(&asking, 2) {
        Ok(slot) if (0..i64::from(SLOTS)).contains(&slot) => slot as u16,
        Ok(_) => return asking.reply(|reply| reply.error("ERR Invalid slot")),
        Err(text) => return asking.reply(|reply| reply.error(text)),
    };
    let Some(keeper) = keeper(&node, &asking, slot) else {
        return asking.reply(|reply| reply.int(0));
    };
    match node.count_in_slot(keeper, asking.db(), slot).await {
        Ok(keys) => asking.reply(|reply| reply.int(keys as i64)),
        Err(_) => gone(),
    }
}

async fn get_keys(node: Node, asking: Asking) -> Vec<u8> {
    if !node.identity().has_shard_ports() {
        return asking.reply(|reply| reply.error(DISABLED));
    }
    let (slot, count) = match number(&asking, 2).and_then(|slot| Ok((slot, number(&asking, 3)?))) {
        Ok((slot, count)) if (0..i64::from(SLOTS)).contains(&slot) && count >= 0 => {
            (slot as u16, count as usize)
        }
        Ok(_) => {
            return asking.reply(|reply| reply.error("ERR Invalid slot or number of keys"));
        }
        Err(text) => return asking.reply(|reply| reply.error(text)),
    };
    let Some(keeper) = keeper(&node, &asking, slot) else {
        return asking.reply(|reply| reply.empty_array());
    };
    match node.keys_in_slot(keeper, asking.db(), slot, count).await {
        Ok(keys) => asking.reply(|reply| {
            reply.array(keys.len());
            keys.iter().for_each(|key| reply.bulk(key));
        }),
        Err(_) => gone(),
    }
}

fn number(asking: &Asking, at: usize) -> Result<i64, &'static str> {
    parse_i64(&asking.args.args()[at]).ok_or("ERR value is not an integer or out of range")
}
