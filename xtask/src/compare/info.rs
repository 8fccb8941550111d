//! Corelane's own counters, from `INFO shards`: hops and wakes need no tracing to be counted.

use serde::Serialize;

use super::child::Server;
use super::server::Kind;
use crate::server::{Client, Info};

/// Counters since the server began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    commands: f64,
    hops: f64,
    wakes: f64,
}

/// What the shards of one server did for each other, per request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Mesh {
    /// Commands that were sent to another shard.
    pub(crate) hops: f64,
    /// Wakes of a sleeping shard.
    pub(crate) wakes: f64,
}

impl Counters {
    /// Asks a Corelane; nothing from other servers, or if the answer lacks a counter.
    pub(crate) fn read(server: &Server) -> Option<Self> {
        if server.contender.server != Kind::Corelane {
            return None;
        }
        let info = Client::connect(server.port).and_then(|mut client| client.info("stats shards"));
        Self::of(&info.ok()?)
    }

    fn of(info: &Info) -> Option<Self> {
        Some(Self {
            commands: info.find("total_commands_processed")?,
            hops: info.find("hops")?,
            wakes: info.find("mesh_wakes")?,
        })
    }

    /// Per request since `earlier`, if there were any.
    pub(crate) fn since(self, earlier: Self) -> Option<Mesh> {
        let requests = self.commands - earlier.commands;
        (requests > 0.0).then(|| Mesh {
            hops: (self.hops - earlier.hops) / requests,
            wakes: (self.wakes - earlier.wakes) / requests,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_and_divided() {
        let text = |commands: u32, hops: u32, wakes: u32| {
            format!(
                "# Stats\r\ntotal_commands_processed:{commands}\r\nhops:{hops}\r\nmesh_wakes:{wakes}\r\n"
            )
        };
        let earlier = Counters::of(&Info::parse(&text(100, 10, 1))).unwrap();
        let later = Counters::of(&Info::parse(&text(300, 110, 6))).unwrap();
        assert_eq!(
            later.since(earlier),
            Some(Mesh {
                hops: 0.5,
                wakes: 0.025
            })
        );
        assert_eq!(later.since(later), None);
        assert!(Counters::of(&Info::parse("hops:1")).is_none());
    }
}
