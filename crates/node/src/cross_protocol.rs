//! Requests of HTTP that come to a port of the Redis protocol: a web page can have its reader's browser send them, and
//! what stands in their body would be commands (cross-protocol scripting).

use crate::clients::Client;
use crate::node::Node;

/// How often a shard says in its log that there was one, as Redis does.
pub(crate) const TELL_EVERY_MS: u64 = 60_000;

impl Node {
    /// Counts a client that is cut off because it speaks HTTP, and tells the log now and then.
    pub fn note_cross_protocol(&self, client: &Client) {
        let now_ms = corelane::time::unix_ms();
        let tells = self.mesh().with(|shard| {
            shard.stats.cross_protocol_disconnections += 1;
            shard.cross_protocol_quiet.tells(now_ms)
        });
        let peer = &client.peer;
        match tells {
            false => tracing::debug!(%peer, "closed: POST or Host: as a command"),
            true => tracing::warn!(
                %peer,
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to \
                 Corelane. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise \
                 your Corelane instance. Connection aborted. (Further ones of this minute are counted in INFO only.)"
            ),
        }
    }
}
