//! Strangers decide how often something is told of them: the log has a line of it now and then, and counters have the
//! rest.

use std::fmt::Display;

use corelane::net::Peer;

use crate::node::Node;

/// How often a shard tells its log of most things.
const TELL_EVERY_MS: u64 = 1000;

/// When something was told last that is told once per `EVERY_MS` milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Quiet<const EVERY_MS: u64 = TELL_EVERY_MS> {
    until_ms: u64,
}

impl<const EVERY_MS: u64> Quiet<EVERY_MS> {
    /// Whether it is told at `now_ms`; then it is not for a while.
    pub(crate) fn tells(&mut self, now_ms: u64) -> bool {
        let tells = now_ms >= self.until_ms;
        if tells {
            self.until_ms = now_ms + EVERY_MS;
        }
        tells
    }
}

impl Node {
    /// Counts a connection that did not say whose it is (`proxy-protocol`), and tells the log; but of who looks whether the
    /// port is open and leaves, as a load balancer's health check does, only where everything is told.
    pub fn note_proxy_refusal(&self, peer: &Peer, unknown: &dyn Display, only_looked: bool) {
        let now_ms = corelane::time::unix_ms();
        // Its shard may have gone to sleep while the header was waited for.
        let tells = self.mesh().try_with(|shard| {
            shard.stats.proxy_refusals += 1;
            !only_looked && shard.proxy_quiet.tells(now_ms)
        });
        match tells.unwrap_or(false) {
            false => {
                tracing::debug!(%peer, %unknown, "refused a connection without its load balancer's header");
            }
            true => tracing::warn!(
                %peer,
                %unknown,
                "refused a connection without its load balancer's header (further ones of this second are counted in INFO \
                 only)"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_second_and_again() {
        let mut quiet: Quiet = Quiet::default();
        let told: Vec<u64> = (5_000..7_500).filter(|now| quiet.tells(*now)).collect();
        assert_eq!(told, [5_000, 6_000, 7_000]);
    }
}
