//! Which clients a `CLIENT LIST` or `CLIENT KILL` means.

use std::collections::BTreeSet;

use super::client::Client;
use super::list::ClientId;

/// A conjunction of conditions; an empty one means everybody.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter {
    /// Only these numbers.
    pub ids: Option<BTreeSet<ClientId>>,
    /// Only this peer address.
    pub addr: Option<Vec<u8>>,
    /// Only connections to this local address.
    pub laddr: Option<Vec<u8>>,
    /// Only this type; there are `normal` clients alone so far, so any other type means nobody.
    pub normal: Option<bool>,
    /// Only this user.
    pub user: Option<Vec<u8>>,
    /// Only connections at least this old.
    pub min_age_ms: Option<u64>,
    /// Never this client (`SKIPME yes`).
    pub except: Option<ClientId>,
}

impl ClientFilter {
    /// Whether `client` is meant.
    pub fn accepts(&self, client: &Client, now_ms: u64) -> bool {
        let is = |wanted: &Option<Vec<u8>>, actual: &[u8]| {
            wanted.as_ref().is_none_or(|wanted| wanted == actual)
        };
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && is(&self.addr, client.peer.as_bytes())
            && is(&self.laddr, client.local.as_bytes())
            && is(&self.user, b"default")
            && self.normal.unwrap_or(true)
            && self
                .min_age_ms
                .is_none_or(|age| now_ms.saturating_sub(client.since_ms) >= age)
            && self.except != Some(client.id)
    }
}
