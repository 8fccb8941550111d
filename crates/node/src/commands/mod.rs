//! The node's own commands: what concerns the server rather than a key or a connection.

mod cluster;
pub(crate) mod config;
mod debug;
mod function;
mod info;
mod memory;
mod shutdown;
mod time;

use crate::asking::Command;

/// Every command of the node.
pub static COMMANDS: &[&Command] = &[
    &cluster::CLUSTER,
    &cluster::ADDSLOTS,
    &cluster::ADDSLOTSRANGE,
    &cluster::BUMPEPOCH,
    &cluster::COUNT_FAILURE_REPORTS,
    &cluster::COUNTKEYSINSLOT,
    &cluster::DELSLOTS,
    &cluster::DELSLOTSRANGE,
    &cluster::FAILOVER,
    &cluster::FLUSHSLOTS,
    &cluster::FORGET,
    &cluster::GETKEYSINSLOT,
    &cluster::HELP,
    &cluster::INFO,
    &cluster::KEYSLOT,
    &cluster::LINKS,
    &cluster::MEET,
    &cluster::MYID,
    &cluster::MYSHARDID,
    &cluster::NODES,
    &cluster::REPLICAS,
    &cluster::REPLICATE,
    &cluster::RESET,
    &cluster::SAVECONFIG,
    &cluster::SET_CONFIG_EPOCH,
    &cluster::SETSLOT,
    &cluster::SHARDS,
    &cluster::SLAVES,
    &cluster::SLOTS_COMMAND,
    &config::CONFIG,
    &config::GET,
    &config::SET,
    &config::RESETSTAT,
    &config::REWRITE,
    &config::HELP,
    &debug::DEBUG,
    &function::FUNCTION,
    &function::FLUSH,
    &info::INFO,
    &memory::STATS,
    &shutdown::SHUTDOWN,
    &time::TIME,
];

/// A help text as an array of status replies, the way Redis answers `… HELP`.
pub(crate) fn help(asking: &crate::asking::Asking, lines: &[&str]) -> Vec<u8> {
    asking.reply(|reply| {
        reply.array(lines.len());
        for line in lines {
            reply.simple(line);
        }
    })
}
