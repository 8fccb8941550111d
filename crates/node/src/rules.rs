//! What the settings in force mean to one shard, worked out once per change instead of once per
//! command.

use std::sync::Arc;

use corelane_settings::{Announce, ClientLimits, MaxMemory, Routing, Settings};

use crate::room;

/// The settings by meaning.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Where they come from.
    pub settings: Arc<Settings>,
    /// Limits on connections.
    pub clients: ClientLimits,
    /// Limits on requests.
    pub wire: corelane_wire::Limits,
    /// The way of connections that have not chosen one.
    pub routing: Routing,
    /// What cluster clients are told.
    pub announce: Announce,
    /// The password, if one is needed.
    pub password: Option<Vec<u8>>,
    /// `maxmemory` of the whole node, bytes; 0 for none.
    pub max_memory_bytes: u64,
    /// The longest that a reply may be.
    pub max_reply_bytes: usize,
    /// Limits on data commands. Its memory limit is this shard's share.
    pub(crate) store: corelane_store::Limits,
}

impl Rules {
    pub(crate) fn of(settings: Arc<Settings>) -> Self {
        let wire = settings.wire_limits();
        let max_memory_bytes = match settings.memory_limits().max_memory {
            MaxMemory::Bytes(bytes) => bytes,
            MaxMemory::Auto | MaxMemory::Unlimited => 0,
        };
        let clients = settings.client_limits();
        Self {
            max_reply_bytes: room::max_reply_bytes(
                clients.output.normal.hard_bytes,
                max_memory_bytes,
                wire.max_bulk_bytes,
            ),
            clients,
            wire: corelane_wire::Limits {
                max_bulk_bytes: wire.max_bulk_bytes,
                max_query_bytes: wire.max_query_bytes,
                ..corelane_wire::Limits::default()
            },
            routing: settings.routing(),
            announce: settings.announce(),
            password: settings.security().password,
            max_memory_bytes,
            store: corelane_store::Limits {
                max_bulk_bytes: wire.max_bulk_bytes,
                max_memory_bytes,
            },
            settings,
        }
    }

    /// Bytes that the clients of all shards may hold (`maxmemory-clients`); none is no limit.
    pub(crate) fn max_client_bytes(&self) -> Option<u64> {
        self.clients
            .max_memory
            .map(|limit| limit.of(self.max_memory_bytes))
            .filter(|bytes| *bytes > 0)
    }

    /// Compares a password in time that does not depend on how much of it is right.
    pub fn password_is(&self, given: &[u8]) -> bool {
        let Some(password) = &self.password else {
            return true;
        };
        let mut differs = password.len() ^ given.len();
        for (index, byte) in given.iter().enumerate() {
            let expected = password
                .get(index % password.len().max(1))
                .copied()
                .unwrap_or_default();
            differs |= usize::from(byte ^ expected);
        }
        std::hint::black_box(differs) == 0
    }
}
