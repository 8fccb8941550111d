//! TLS connections that go from shard to shard at any moment, with bytes on their way in both directions.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

#[path = "../../../rt/tests/support/mailbox.rs"]
mod mailbox;

use corelane::net::Chunk;
use corelane::sim::{World, WorldOptions};
use corelane::tls::{Transport, TransportConnection, Version};
use corelane::{IoBackend, random, task, time};
use mailbox::Mailbox;

use crate::pki::{acceptor, connector};
use crate::{pattern, plain_pair, runtime};

/// What goes there and comes back.
const BYTES: usize = 200_000;

/// An echo on its way: the connection, and how often it has moved.
type Roaming = (TransportConnection, u32);

/// Echoes whatever comes by, and sends each connection on to `other` at a moment that chance chooses.
async fn host(inbox: Mailbox<Roaming>, other: Mailbox<Roaming>, moves: Mailbox<u32>) {
    while let Some((connection, count)) = inbox.take().await {
        let mut stream = Transport::attach(connection).expect("attached");
        match echo_for_a_while(&mut stream).await {
            true => {
                moves.put(count);
                return other.close();
            }
            false => other.put((stream.detach().await, count + 1)),
        }
    }
}

/// Whether the client has had enough.
async fn echo_for_a_while(stream: &mut Transport) -> bool {
    for _ in 0..random::below(4) {
        let Some(chunk) = patient_recv(stream, random::below(20)).await else {
            return false;
        };
        stream.sent().await.expect("sent");
        if chunk.is_empty() {
            stream.shutdown_write().expect("said");
            return true;
        }
        // Some of it is left for the next shard.
        let used = 1 + random::below(chunk.len() as u64) as usize;
        stream.put_back(chunk[used..].to_vec());
        stream.start_send(chunk[..used].to_vec());
        if random::below(2) == 0 {
            stream.sent().await.expect("sent");
        }
    }
    false
}

/// Waits for bytes, but not for long: at some looks that find none it gives up.
async fn patient_recv(stream: &mut Transport, mut looks: u64) -> Option<Chunk> {
    poll_fn(|cx| match stream.poll_recv(cx) {
        Poll::Ready(received) => Poll::Ready(Some(received.expect("received"))),
        Poll::Pending if looks == 0 => Poll::Ready(None),
        Poll::Pending => {
            looks -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Starts a connection, hands its server's end over before a word was said, and checks what comes back.
async fn talk(version: Version, first: Mailbox<Roaming>) {
    let (client, server) = plain_pair().await;
    let server = acceptor(|o| o.versions = vec![version]).accept(server);
    first.put((Transport::from(server).detach().await, 0));
    let client = connector(|_| {}).connect(client, &crate::pki::name());
    let mut client = Transport::from(client.expect("a client"));
    let sent = pattern(BYTES);
    let (mut given, mut got) = (0, Vec::new());
    while got.len() < BYTES {
        if given < BYTES && !client.send_in_flight() {
            let len = (1 + random::below(30_000) as usize).min(BYTES - given);
            client.start_send(sent[given..given + len].to_vec());
            given += len;
        }
        poll_fn(|cx| {
            let mut moved = false;
            if client.send_in_flight()
                && let Poll::Ready(sent) = client.poll_sent(cx)
            {
                sent.expect("sent");
                moved = true;
            }
            if let Poll::Ready(received) = client.poll_recv(cx) {
                let chunk = received.expect("received");
                assert!(!chunk.is_empty(), "ended after {} bytes", got.len());
                got.extend_from_slice(&chunk);
                moved = true;
            }
            if moved {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
    assert!(got == sent, "differs");
    client.sent().await.expect("sent");
    client.shutdown_write().expect("said");
    assert!(client.recv().await.expect("the end").is_empty());
}

#[test]
fn between_simulated_shards() {
    let mut moved = 0;
    for seed in 0..60 {
        let version = Version::ALL[seed as usize % 2];
        let world = World::new(seed, WorldOptions::default());
        let shards = [0, 1, 2].map(|number| world.shard(number, "shard"));
        let (a, b, moves) = (Mailbox::default(), Mailbox::default(), Mailbox::default());
        drop(world.spawn_on(shards[0], host(a.clone(), b.clone(), moves.clone())));
        drop(world.spawn_on(shards[1], host(b, a.clone(), moves.clone())));
        let limit = Duration::from_secs(600);
        let talking = async move {
            time::timeout(limit, talk(version, a))
                .await
                .expect("in time");
            moves.take().await.expect("a count")
        };
        match world.block_on(shards[2], talking) {
            Ok(count) => moved += count,
            Err(stuck) => panic!("seed {seed}: {stuck}"),
        }
    }
    assert!(moved > 600, "{moved} moves");
}

#[test]
fn between_threads_on_each_driver() {
    const BACKENDS: [IoBackend; 2] = [IoBackend::Auto, IoBackend::Polling];
    for (here, there) in BACKENDS
        .into_iter()
        .flat_map(|here| BACKENDS.map(|there| (here, there)))
    {
        for version in Version::ALL {
            let (a, b, moves) = (Mailbox::default(), Mailbox::default(), Mailbox::default());
            std::thread::scope(|scope| {
                let away = (b.clone(), a.clone(), moves.clone());
                scope.spawn(move || runtime(there).block_on(host(away.0, away.1, away.2)));
                runtime(here).block_on(async {
                    let home = task::spawn(host(a.clone(), b, moves.clone()));
                    let talking = time::timeout(Duration::from_secs(60), talk(version, a));
                    talking
                        .await
                        .unwrap_or_else(|_| panic!("no end: {here:?}, {there:?}"));
                    home.await.expect("no panic");
                });
            });
        }
    }
}
