//! The way of a TLS connection into a session: the handshake, and what becomes of those that fail.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use corelane::net::Stream;
use corelane::tls::TlsStream;

use super::listen::note_end;
use super::newcomer::Beginning;
use super::session::End;

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
            poll_fn(|cx| {
                client.watch(cx.waker());
                match client.ending() {
                    Some(ending) => Poll::Ready(Err(ending)),
                    None => handshake.as_mut().poll(cx).map(Ok),
                }
            })
            .await
        };
        match agreed {
            Err(ending) => note_end(&self.node, client.id, &End::Ended(ending)),
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
