//! Sockets on both real backends: what goes in comes out, however it is cut, dropped or delayed.

mod support;

use std::time::Duration;

use corelane_rt::net::{Addr, ListenOptions, Listener, Stream};
use corelane_rt::{task, time};
use support::{listen_tcp, on_each};

/// Answers everything with itself until the stream ends.
async fn echo(mut stream: Stream) {
    let mut buffer = Vec::new();
    loop {
        let chunk = stream.recv().await.expect("recv");
        if chunk.is_empty() {
            return;
        }
        buffer.extend_from_slice(&chunk);
        drop(chunk);
        buffer = stream.send_all(buffer).await.expect("send");
    }
}

fn serve_echo(listener: Listener) {
    drop(task::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(task::spawn(echo(stream)));
        }
    }));
}

async fn recv_exact(stream: &mut Stream, want: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < want {
        let chunk = stream.recv().await.expect("recv");
        assert!(
            !chunk.is_empty(),
            "the stream ended after {} of {want} bytes",
            got.len()
        );
        got.extend_from_slice(&chunk);
    }
    got
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[test]
fn echoes_over_tcp_and_unix() {
    on_each(|| async {
        let dir = tempfile::tempdir().expect("a directory");
        let (tcp, addr) = listen_tcp();
        let file = Addr::Unix(dir.path().join("echo.sock"));
        serve_echo(tcp);
        serve_echo(Listener::bind(&file, &ListenOptions::default()).expect("bind"));
        for addr in [addr, file] {
            let mut stream = Stream::connect(&addr).await.expect("connect");
            for len in [1, 100, 16 * 1024, 16 * 1024 + 1, 300_000] {
                let data = pattern(len);
                stream.start_send(data.clone());
                assert_eq!(
                    recv_exact(&mut stream, len).await,
                    data,
                    "{len} bytes over {addr}"
                );
                assert!(stream.sent().await.expect("sent").is_empty());
            }
            stream.shutdown_write().expect("shutdown");
            assert!(stream.recv().await.expect("the end").is_empty());
            assert!(stream.recv().await.expect("still the end").is_empty());
        }
    });
}

#[test]
fn a_dropped_recv_loses_nothing() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (mut server, _) = listener.accept().await.expect("accept");
        let data = pattern(200_000);
        let sent = data.clone();
        let sender = task::spawn(async move {
            for piece in sent.chunks(777) {
                client.send_all(piece.to_vec()).await.expect("send");
                task::yield_now().await;
            }
            client
        });
        let mut got = Vec::new();
        while got.len() < data.len() {
            // Most of these are dropped with the receive under way.
            if let Ok(chunk) = time::timeout(Duration::ZERO, server.recv()).await {
                got.extend_from_slice(&chunk.expect("recv"));
            } else {
                task::yield_now().await;
            }
        }
        assert!(got == data, "bytes were lost or reordered");
        drop(sender.await);
    });
}

#[test]
fn a_slow_reader_delays_the_sender_and_loses_nothing() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        let client = Stream::connect(&addr).await.expect("connect");
        let (mut server, _) = listener.accept().await.expect("accept");
        let data = pattern(24 * 1024 * 1024);
        let mut sending = client;
        sending.start_send(data.clone());
        task::yield_now().await;
        assert!(
            sending.try_sent().is_none(),
            "24 MiB fitted into the system's buffers"
        );
        let sender = task::spawn(async move { sending.sent().await.expect("sent").capacity() });
        let got = recv_exact(&mut server, data.len()).await;
        assert!(got == data, "bytes were lost or reordered");
        assert!(
            sender.await.expect("join") >= data.len(),
            "the buffer did not come back"
        );
    });
}

#[test]
fn a_dropped_stream_still_sends_what_was_started() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        let data = pattern(8 * 1024 * 1024);
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (mut server, _) = listener.accept().await.expect("accept");
        client.start_send(data.clone());
        drop(client);
        assert!(recv_exact(&mut server, data.len()).await == data);
        assert!(server.recv().await.expect("the end").is_empty());
    });
}

#[test]
fn an_aborted_stream_is_reset() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (mut server, _) = listener.accept().await.expect("accept");
        client.start_send(pattern(24 * 1024 * 1024));
        client.abort();
        let ended = loop {
            match server.recv().await {
                Ok(chunk) if chunk.is_empty() => break None,
                Ok(_) => {}
                Err(error) => break Some(error.kind()),
            }
        };
        assert_eq!(ended, Some(std::io::ErrorKind::ConnectionReset));
    });
}

#[test]
fn an_exhausted_pool_slows_and_loses_nothing() {
    for io in support::BACKENDS {
        let mut options = support::options(io);
        options.buffers.count = 2;
        options.buffers.bytes = 512;
        let runtime = corelane_rt::Runtime::new(&options).expect("a runtime");
        runtime.block_on(async {
            let (listener, addr) = listen_tcp();
            let data = pattern(100_000);
            let mut pairs = Vec::new();
            for _ in 0..20 {
                let mut client = Stream::connect(&addr).await.expect("connect");
                let (mut server, _) = listener.accept().await.expect("accept");
                client.start_send(data.clone());
                let held = server.recv().await.expect("recv");
                pairs.push((client, server, held));
            }
            for (mut client, mut server, held) in pairs {
                let mut got = held.to_vec();
                drop(held);
                got.extend(recv_exact(&mut server, data.len() - got.len()).await);
                assert!(got == data, "bytes were lost or reordered");
                client.sent().await.expect("sent");
            }
        });
    }
}

#[test]
fn unread_connections_do_not_hoard_the_pool() {
    let runtime = support::runtime(corelane_rt::IoBackend::Uring);
    runtime.block_on(async {
        let (listener, addr) = listen_tcp();
        let mut pairs = Vec::new();
        for _ in 0..4 {
            let mut client = Stream::connect(&addr).await.expect("connect");
            let (mut server, _) = listener.accept().await.expect("accept");
            client.send_all(b"first".to_vec()).await.expect("send");
            // Read once, so that the receive is armed, and never again.
            assert_eq!(&*server.recv().await.expect("recv"), b"first");
            let sender = task::spawn(async move {
                client
                    .send_all(pattern(4 * 1024 * 1024))
                    .await
                    .expect("send");
            });
            pairs.push((server, sender));
        }
        for _ in 0..200 {
            time::sleep(Duration::from_micros(200)).await;
        }
        let stats = corelane_rt::stats();
        assert!(stats.recv_paused >= 4, "receives stopped: {stats:?}");
        assert_eq!(stats.pool_empty, 0, "the pool ran dry");
        for (mut server, sender) in pairs {
            assert!(recv_exact(&mut server, 4 * 1024 * 1024).await == pattern(4 * 1024 * 1024));
            sender.await.expect("join");
        }
    });
}

#[test]
fn a_dropped_accept_keeps_the_connection() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        for _ in 0..50 {
            assert!(
                time::timeout(Duration::ZERO, listener.accept())
                    .await
                    .is_err()
            );
            let mut client = Stream::connect(&addr).await.expect("connect");
            client.send_all(b"hello".to_vec()).await.expect("send");
            let (mut server, _) = listener.accept().await.expect("accept");
            assert_eq!(recv_exact(&mut server, 5).await, b"hello");
        }
    });
}

#[test]
fn a_thousand_connections() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        serve_echo(listener);
        let mut clients = Vec::new();
        for i in 0..1000_u32 {
            let mut client = Stream::connect(&addr).await.expect("connect");
            client.start_send(i.to_be_bytes().to_vec());
            clients.push(client);
        }
        for (i, client) in clients.iter_mut().enumerate() {
            assert_eq!(recv_exact(client, 4).await, (i as u32).to_be_bytes());
        }
    });
}

#[test]
fn connecting_to_nobody_is_refused() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        drop(listener);
        let error = Stream::connect(&addr).await.expect_err("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        let dir = tempfile::tempdir().expect("a directory");
        let file = Addr::Unix(dir.path().join("none"));
        let error = Stream::connect(&file).await.expect_err("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    });
}

#[test]
fn a_shutdown_needs_nobody_who_asks_for_the_send_before_it() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        let mut client = Stream::connect(&addr).await.expect("connect");
        let (mut server, _) = listener.accept().await.expect("accept");
        let data = pattern(8 * 1024 * 1024);
        client.start_send(data.clone());
        client.shutdown_write().expect("shutdown");
        let server = task::spawn(async move {
            assert!(recv_exact(&mut server, data.len()).await == data);
            assert!(server.recv().await.expect("the end").is_empty());
        });
        assert!(client.recv().await.expect("the end").is_empty());
        server.await.expect("the server");
    });
}

#[test]
fn the_end_of_a_runtime_closes_its_connections() {
    for io in support::BACKENDS {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
        let addr = Addr::Tcp(listener.local_addr().expect("addr"));
        let runtime = support::runtime(io);
        let mut peers = Vec::new();
        runtime.block_on(async {
            for _ in 0..50 {
                let mut stream = Stream::connect(&addr).await.expect("connect");
                peers.push(listener.accept().expect("accept").0);
                // It waits, with its receive armed, until the runtime ends.
                drop(task::spawn(async move { stream.recv().await.map(|_| ()) }));
            }
            time::sleep(Duration::from_millis(1)).await;
        });
        drop(runtime);
        for mut peer in peers {
            // The default would wait for ever.
            peer.set_nonblocking(true).expect("nonblocking");
            let end = std::io::Read::read(&mut peer, &mut [0]).expect("the end, at once");
            assert_eq!(end, 0, "{io:?}");
        }
    }
}
