//! The way of a TLS connection into a session: the handshake, and what becomes of those that fail.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use corelane::net::Stream;
use corelane::tls::TlsStream;
use corelane_node::Ending;

use super::listen::note_end;
use super::newcomer::Beginning;
use super::session::End;

/// How long a shard that goes to sleep waits for a handshake: it cannot move, and whoever says nothing would hold the
/// resize up.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// Why a handshake is not gone on with.
enum Cut {
    Ended(Ending),
    ShardSleeps,
}

impl Beginning {
    /// Begins the session once both ends have agreed.
    pub(super) fn shake_hands(self, stream: Stream) {
        // Whoever has a port for TLS was given what it takes, and nothing takes it away.
        if let Some(acceptor) = self.node.tls() {
            // A task of its own, which ends with the handshake: it is big, and connections live long.
            corelane::task::spawn(self.agree(acceptor.accept(stream)));
        }
    }

    async fn agree(self, mut stream: TlsStream) {
        let client = &self.client;
        let agreed = {
            // What it has sent weighs, before anybody knows who it is.
            let held = |bytes| client.query_bytes.set(bytes);
            let mut handshake = pin!(stream.handshake_held(held));
            let mut last_chance = None;
            poll_fn(|cx| {
                client.watch(cx.waker());
                if let Some(ending) = client.ending() {
                    return Poll::Ready(Err(Cut::Ended(ending)));
                }
                if let Poll::Ready(agreed) = handshake.as_mut().poll(cx) {
                    return Poll::Ready(Ok(agreed));
                }
                if client.ordered().is_none() || !self.node.mesh().is_stopping() {
                    return Poll::Pending;
                }
                let over = last_chance.get_or_insert_with(|| corelane::time::sleep(LAST_CHANCE));
                Pin::new(over).poll(cx).map(|()| Err(Cut::ShardSleeps))
            })
            .await
        };
        match agreed {
            Err(Cut::Ended(ending)) => note_end(&self.node, client.id, &End::Ended(ending)),
            Err(Cut::ShardSleeps) => {
                self.node.count_cut_off();
                tracing::info!(
                    client = client.id.0,
                    "closed: its shard goes to sleep, and its TLS handshake took too long to wait for"
                );
            }
            Ok(Ok(())) => {
                let is_resumed = stream.agreed().is_resumed();
                self.node.with_stats(|stats| {
                    stats.tls_handshakes += 1;
                    stats.tls_resumed += u64::from(is_resumed);
                });
                self.serve(stream.into());
            }
            Ok(Err(failure)) => self.node.note_tls_failure(stream.peer(), &failure),
        }
    }
}
