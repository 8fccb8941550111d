//! Connections as values: what leaves one shard goes on at another, byte for byte, in every state it can be in.

mod support;

use std::time::Duration;

use corelane_rt::net::{Addr, Connection, ListenOptions, Listener, Stream};
use corelane_rt::{IoBackend, task, time};
use support::mailbox::Mailbox;
use support::{BACKENDS, listen_tcp, on_each, runtime};

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

async fn pair() -> (Stream, Stream) {
    let (listener, addr) = listen_tcp();
    let client = Stream::connect(&addr).await.expect("connect");
    let (server, _) = listener.accept().await.expect("accept");
    (client, server)
}

async fn recv_exact(stream: &mut Stream, want: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < want {
        let chunk = stream.recv().await.expect("recv");
        assert!(!chunk.is_empty(), "ended after {} of {want}", got.len());
        got.extend_from_slice(&chunk);
    }
    stream.put_back(got.split_off(want));
    got
}

/// Runs `at_home` on a runtime of each backend, and `away`, with the connection that it returns, on another thread's
/// runtime of each backend.
fn between_all<F, A>(
    at_home: impl Fn(Mailbox<Connection>) -> F,
    away: impl Fn(Connection) -> A + Send + Copy,
) where
    F: Future<Output = ()>,
    A: Future<Output = ()>,
{
    let limit = Duration::from_secs(30);
    for (here, there) in BACKENDS
        .iter()
        .flat_map(|here| BACKENDS.map(|there| (*here, there)))
    {
        let mailbox = Mailbox::default();
        let inbox: Mailbox<Connection> = mailbox.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                runtime(there).block_on(async move {
                    let connection = inbox.take().await.expect("a connection");
                    let in_time = time::timeout(limit, away(connection)).await;
                    in_time.unwrap_or_else(|_| panic!("no end away: {here:?} to {there:?}"));
                });
            });
            runtime(here).block_on(async {
                let in_time = time::timeout(limit, at_home(mailbox)).await;
                in_time.unwrap_or_else(|_| panic!("no end at home: {here:?} to {there:?}"));
            });
        });
    }
}

#[test]
fn unread_bytes_come_first_and_new_ones_follow() {
    between_all(
        |mailbox| async move {
            let (mut client, mut server) = pair().await;
            client.send_all(pattern(150_000)).await.expect("send");
            let head = recv_exact(&mut server, 1).await;
            let connection = server.detach().await;
            assert!(pattern(150_000)[head.len()..].starts_with(connection.unread()));
            let missing = 150_000 - head.len();
            client.start_send(missing.to_le_bytes().to_vec());
            mailbox.put(connection);
            assert_eq!(recv_exact(&mut client, 4).await, b"done");
        },
        |connection| async move {
            let mut server = Stream::attach(connection).expect("attach");
            let mut got = Vec::new();
            // What is missing at the front was read at home; how much there must be comes last.
            loop {
                got.extend_from_slice(&server.recv().await.expect("recv"));
                let Some((bytes, last)) = got.split_last_chunk::<8>() else {
                    continue;
                };
                let kept = usize::from_le_bytes(*last);
                if kept <= 150_000 && pattern(150_000)[150_000 - kept..] == *bytes {
                    break;
                }
            }
            server.send_all(b"done".to_vec()).await.expect("send");
        },
    );
}

#[test]
fn a_send_in_flight_goes_along() {
    const LEN: usize = 16 * 1024 * 1024;
    between_all(
        |mailbox| async move {
            let (mut client, mut server) = pair().await;
            client.start_send(b"request".to_vec());
            assert_eq!(recv_exact(&mut server, 7).await, b"request");
            server.start_send(pattern(LEN));
            task::yield_now().await;
            mailbox.put(server.detach().await);
            assert!(
                recv_exact(&mut client, LEN).await == pattern(LEN),
                "differs"
            );
            assert_eq!(recv_exact(&mut client, 5).await, b"after");
            assert!(client.recv().await.expect("the end").is_empty());
        },
        |connection| async move {
            let mut server = Stream::attach(connection).expect("attach");
            assert!(
                server.send_in_flight(),
                "16 MiB do not fit into the system's buffers"
            );
            assert!(server.sent().await.expect("sent").is_empty());
            server.send_all(b"after".to_vec()).await.expect("send");
        },
    );
}

#[test]
fn a_shutdown_that_waits_for_its_send_goes_along() {
    const LEN: usize = 16 * 1024 * 1024;
    between_all(
        |mailbox| async move {
            let (mut client, mut server) = pair().await;
            server.start_send(pattern(LEN));
            server.shutdown_write().expect("shutdown");
            mailbox.put(server.detach().await);
            assert!(
                recv_exact(&mut client, LEN).await == pattern(LEN),
                "differs"
            );
            assert!(client.recv().await.expect("the end").is_empty());
            client.send_all(b"x".to_vec()).await.expect("send");
        },
        |connection| async move {
            let mut server = Stream::attach(connection).expect("attach");
            server.sent().await.expect("sent");
            assert_eq!(recv_exact(&mut server, 1).await, b"x");
        },
    );
}

#[test]
fn an_ended_stream_stays_ended() {
    between_all(
        |mailbox| async move {
            let (mut client, mut server) = pair().await;
            client.send_all(b"last words".to_vec()).await.expect("send");
            client.shutdown_write().expect("shutdown");
            let head = server.recv().await.expect("recv").to_vec();
            server.put_back(head);
            mailbox.put(server.detach().await);
            assert!(recv_exact(&mut client, 3).await == b"bye");
        },
        |connection| async move {
            let mut server = Stream::attach(connection).expect("attach");
            assert_eq!(recv_exact(&mut server, 10).await, b"last words");
            assert!(server.recv().await.expect("the end").is_empty());
            let again = server.detach().await;
            let mut server = Stream::attach(again).expect("attach");
            assert!(server.recv().await.expect("still the end").is_empty());
            server.send_all(b"bye".to_vec()).await.expect("send");
        },
    );
}

#[test]
fn a_reset_is_told_once_wherever_the_reader_is() {
    between_all(
        |mailbox| async move {
            let (client, mut server) = pair().await;
            // Armed, so that the reset may meet the receive that is being stopped.
            assert!(time::timeout(Duration::ZERO, server.recv()).await.is_err());
            client.abort();
            mailbox.put(server.detach().await);
        },
        |connection| async move {
            let mut server = Stream::attach(connection).expect("attach");
            let error = server.recv().await.expect_err("it was reset");
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            assert!(server.recv().await.expect("the end").is_empty());
        },
    );
}

#[test]
fn a_dropped_connection_is_closed() {
    on_each(|| async {
        let (mut client, mut server) = pair().await;
        client.start_send(b"hello".to_vec());
        assert_eq!(recv_exact(&mut server, 5).await, b"hello");
        drop(server.detach().await);
        assert!(client.recv().await.expect("the end").is_empty());
    });
}

#[test]
fn what_was_put_back_comes_first() {
    on_each(|| async {
        let (mut client, mut server) = pair().await;
        client.send_all(b"three".to_vec()).await.expect("send");
        server.put_back(b"two ".to_vec());
        server.put_back(Vec::new());
        let mut connection = server.detach().await;
        connection.put_back(b"one ".to_vec());
        assert!(connection.unread().starts_with(b"one two "));
        let mut server = Stream::attach(connection).expect("attach");
        assert_eq!(recv_exact(&mut server, 13).await, b"one two three");
    });
}

#[test]
fn a_stream_made_quiet_goes_on_at_home() {
    on_each(|| async {
        let (mut client, mut server) = pair().await;
        let data = pattern(200_000);
        client.start_send(data.clone());
        server.start_send(data.clone());
        let mut got = Vec::new();
        while got.len() < data.len() {
            // Dropped under way as often as not.
            let _ = time::timeout(Duration::ZERO, server.quiet()).await;
            if let Ok(chunk) = time::timeout(Duration::ZERO, server.recv()).await {
                got.extend_from_slice(&chunk.expect("recv"));
            }
            server.quiet().await;
            task::yield_now().await;
        }
        assert!(got == data, "bytes were lost or reordered");
        let reader = task::spawn(async move { (recv_exact(&mut client, data.len()).await, data) });
        server.sent().await.expect("sent");
        let (got, data) = reader.await.expect("join");
        assert!(got == data, "bytes were lost or reordered");
    });
}

#[test]
fn other_code_s_sockets_can_be_attached() {
    on_each(|| async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
        let addr = Addr::Tcp(listener.local_addr().expect("addr"));
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (socket, from) = listener.accept().expect("accept");
        let connection = Connection::try_from(socket).expect("a connection");
        assert_eq!(connection.peer().to_string(), from.to_string());
        assert_eq!(connection.local_addr().expect("addr"), addr);
        let mut server = Stream::attach(connection).expect("attach");
        client.start_send(b"hello".to_vec());
        assert_eq!(recv_exact(&mut server, 5).await, b"hello");

        let (one, other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let mut one = Stream::attach(one.try_into().expect("a connection")).expect("attach");
        let mut other = Stream::attach(other.try_into().expect("a connection")).expect("attach");
        one.start_send(b"hello".to_vec());
        assert_eq!(recv_exact(&mut other, 5).await, b"hello");
    });
}

#[test]
fn unix_connections_move_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = runtime(IoBackend::Auto);
    runtime.block_on(async {
        let addr = Addr::Unix(dir.path().join("move.sock"));
        let listener = Listener::bind(&addr, &ListenOptions::default()).expect("bind");
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (server, _) = listener.accept().await.expect("accept");
        client.start_send(b"hello".to_vec());
        let mut server = Stream::attach(server.detach().await).expect("attach");
        assert_eq!(recv_exact(&mut server, 5).await, b"hello");
    });
    assert_eq!(runtime.block_on(async { corelane_rt::stats().attached }), 1);
}
