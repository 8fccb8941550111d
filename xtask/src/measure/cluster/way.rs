//! The ways under comparison.

use corelane_wire::Value;
use corelane_wire::slot::SLOTS;
use serde::Serialize;

use crate::measure::server::Server;

/// How a server is set up and reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// One shard, by the server's port: what a request costs that is local.
    OneShard,
    /// One shard, by its own port.
    OneOwnPort,
    /// Two shards, each by its own port.
    TwoOwnPorts,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::OneShard, Self::OneOwnPort, Self::TwoOwnPorts];

    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::OneShard => "1 shard, server's port",
            Self::OneOwnPort => "1 shard, its own port",
            Self::TwoOwnPorts => "2 shards, own ports",
        }
    }

    pub(super) fn shards(self) -> usize {
        match self {
            Self::OneShard | Self::OneOwnPort => 1,
            Self::TwoOwnPorts => 2,
        }
    }

    /// Processors of the server, and of the generator.
    pub(super) fn processors(self) -> (&'static str, &'static str) {
        match self {
            Self::OneShard | Self::OneOwnPort => ("0", "1"),
            Self::TwoOwnPorts => ("0,1", "0,1"),
        }
    }

    /// Where the owner of a slot is talked to: by slot.
    pub(super) fn ports(self, server: &Server) -> Result<Vec<u16>, String> {
        let mut ports = vec![server.port; usize::from(SLOTS)];
        if self == Self::OneShard {
            return Ok(ports);
        }
        let told = server.client()?.call("CLUSTER SLOTS")?;
        for run in told.as_elements().unwrap_or_default() {
            let run = run.as_elements().unwrap_or_default();
            let node = run.get(2).and_then(Value::as_elements).unwrap_or_default();
            let number = |value: Option<&Value>| value.and_then(Value::as_int);
            match (number(run.first()), number(run.get(1)), number(node.get(1))) {
                (Some(first), Some(last), Some(port)) => {
                    ports[first as usize..=last as usize].fill(port as u16);
                }
                _ => return Err(format!("CLUSTER SLOTS says {told:?}")),
            }
        }
        Ok(ports)
    }
}
