//! The shard map as a cluster: nodes, their addresses, and the slots of each. Pure.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use corelane::{PARTITIONS, ShardId, ShardMap};
use corelane_settings::{Announce, Endpoint};
use corelane_store::keyspace::SLOTS_PER_PARTITION;

use crate::identity::Identity;

/// What one client is told of the cluster.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) map: &'a ShardMap,
    pub(crate) identity: &'a Identity,
    pub(crate) announce: &'a Announce,
    /// The address at which the client has reached the server.
    pub(crate) reached: IpAddr,
    /// Whether it speaks TLS.
    pub(crate) by_tls: bool,
    /// The shard that answers: the one whose port the client came by, else the one on which it is.
    pub(crate) here: ShardId,
}

impl View<'_> {
    /// The shards that are nodes: all but those of the split layout that own nothing. The shard that answers is one also
    /// while it sleeps, and owns nothing then: clients look for it in the list.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = ShardId> + '_ {
        let numbers = self.map.io_shards()..self.map.shards();
        let asleep = Some(self.here).filter(|here| here.index() >= self.map.shards());
        numbers
            .map(|number| ShardId::new(number as u16))
            .chain(asleep)
    }

    /// The node that the client is told it talks to.
    pub(crate) fn myself(&self) -> ShardId {
        let first = ShardId::new(self.map.io_shards() as u16);
        self.here.max(first)
    }

    /// 40 hexadecimal digits, the same as long as the process lives: the shard's number in the first four, which tools
    /// show, and those of the process's run.
    pub(crate) fn id(&self, shard: ShardId) -> String {
        format!("{:04x}{}", shard.number(), self.run())
    }

    /// The same of the group of a master and its replicas, of which there are none: the shard's number comes last.
    pub(crate) fn group_id(&self, shard: ShardId) -> String {
        format!("{}{:04x}", self.run(), shard.number())
    }

    fn run(&self) -> &str {
        self.identity.run_id.get(..36).unwrap_or_default()
    }

    /// The node of that id.
    pub(crate) fn node_of_id(&self, id: &[u8]) -> Option<ShardId> {
        self.nodes()
            .find(|shard| self.id(*shard).as_bytes().eq_ignore_ascii_case(id))
    }

    /// The IP address that is told.
    pub(crate) fn ip(&self) -> IpAddr {
        self.announce.ip.unwrap_or(self.reached).to_canonical()
    }

    /// The host name that is told, if there is one.
    pub(crate) fn hostname(&self) -> Option<&str> {
        Some(self.announce.hostname.as_str()).filter(|name| !name.is_empty())
    }

    /// What the client is to connect to, in text. Nothing at all stands for the host it knows, `?` for a host name
    /// that is preferred and not known.
    pub(crate) fn endpoint(&self) -> String {
        match self.announce.preferred {
            Endpoint::Ip => self.ip().to_string(),
            Endpoint::Hostname => self.hostname().unwrap_or("?").to_owned(),
            Endpoint::Unknown => String::new(),
        }
    }

    /// The port that is told where there is room for one: of the kind that the client came by, unless there are only
    /// others.
    pub(crate) fn port(&self, shard: ShardId) -> u16 {
        let (plain, tls) = (self.plain_port(shard), self.tls_port(shard));
        let port = if self.by_tls {
            tls.or(plain)
        } else {
            plain.or(tls)
        };
        port.unwrap_or_default()
    }

    /// The port without TLS that is told, if there is one.
    pub(crate) fn plain_port(&self, shard: ShardId) -> Option<u16> {
        let own = self.identity.shard_port(shard)?;
        Some(announced(self.announce.port, shard).unwrap_or(own))
    }

    /// The port for TLS that is told, if there is one.
    pub(crate) fn tls_port(&self, shard: ShardId) -> Option<u16> {
        let own = self.identity.tls_shard_port(shard)?;
        Some(announced(self.announce.tls_port, shard).unwrap_or(own))
    }

    /// All slots in their order, in the longest runs that one shard owns.
    pub(crate) fn runs(&self) -> Vec<(RangeInclusive<u16>, ShardId)> {
        let mut runs: Vec<(RangeInclusive<u16>, ShardId)> = Vec::new();
        for partition in 0..PARTITIONS {
            let owner = self.map.owner(partition);
            let first = (partition * SLOTS_PER_PARTITION) as u16;
            let last = first + (SLOTS_PER_PARTITION - 1) as u16;
            match runs.last_mut() {
                Some((run, of)) if *of == owner => *run = *run.start()..=last,
                _ => runs.push((first..=last, owner)),
            }
        }
        runs
    }

    /// The runs of one shard.
    pub(crate) fn runs_of(&self, shard: ShardId) -> Vec<RangeInclusive<u16>> {
        let runs = self.runs().into_iter();
        runs.filter_map(|(run, owner)| (owner == shard).then_some(run))
            .collect()
    }
}

/// Where ports are translated on the way, the first is told to be shard 0's.
fn announced(first: Option<u16>, shard: ShardId) -> Option<u16> {
    Some(first?.saturating_add(shard.number()))
}
