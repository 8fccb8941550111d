//! How connections end: said goodbye to, cut short, broken, or never TLS.

use corelane::tls::{Failure, Reason, Resumption, TlsStream, Transport};
use corelane::{task, time};

use crate::pki::{acceptor, connector};
use crate::{drained, everywhere, pair, pattern, plain_pair};

/// Without tickets: who closes with bytes unread resets the connection, and nobody reads those to their end.
async fn agreed() -> (TlsStream, TlsStream) {
    let acceptor = acceptor(|o| o.resumption = Resumption::Off);
    let (mut client, mut server) = pair(&connector(|_| {}), &acceptor).await;
    let shaking = task::spawn(async move {
        server.handshake().await.expect("server");
        server
    });
    client.handshake().await.expect("client");
    (client, shaking.await.expect("no panic"))
}

#[test]
fn a_goodbye_is_the_end_and_the_other_way_goes_on() {
    everywhere(|| async {
        let (mut client, mut server) = agreed().await;
        client.send_all(b"last words".to_vec()).await.expect("sent");
        client.shutdown_write().expect("said");
        assert_eq!(drained(&mut server).await.expect("whole"), b"last words");
        let serving = task::spawn(async move {
            server.send_all(pattern(100_000)).await.expect("sent");
            server.shutdown().await.expect("said");
        });
        assert!(drained(&mut client).await.expect("whole") == pattern(100_000));
        assert!(client.recv().await.expect("still the end").is_empty());
        serving.await.expect("no panic");
    });
}

#[test]
fn a_dropped_stream_sends_what_it_has_and_says_goodbye() {
    everywhere(|| async {
        let (client, mut server) = agreed().await;
        let mut client = Transport::from(client);
        client.start_send(pattern(300_000));
        drop(client);
        assert!(drained(&mut server).await.expect("whole") == pattern(300_000));
    });
}

#[test]
fn an_end_without_goodbye_is_told_from_one_with_it() {
    everywhere(|| async {
        let (mut client, mut server) = agreed().await;
        client.send_all(b"half of a".to_vec()).await.expect("sent");
        // A value that is dropped says nothing.
        drop(client.detach().await);
        assert_eq!(&*server.recv().await.expect("what came"), b"half of a");
        let error = server.recv().await.expect_err("cut short");
        let failure = Failure::of(&error).expect("TLS's own");
        assert!(matches!(failure, Failure::Truncated), "{failure}");
        assert!(server.recv().await.expect("then the end").is_empty());
    });
}

#[test]
fn other_protocols_are_named() {
    everywhere(|| async {
        for (said, reason, text) in [
            (
                &b"*1\r\n$4\r\nPING\r\n"[..],
                Reason::NotTls,
                "this is not TLS: it begins with \"*",
            ),
            (
                b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
                Reason::Protocol,
                "received corrupt message of type MissingData(\"ProtocolVersion\")",
            ),
            (
                b"",
                Reason::Left,
                "the other end closed the connection during the TLS handshake",
            ),
        ] {
            let (mut client, server) = plain_pair().await;
            client.send_all(said.to_vec()).await.expect("sent");
            client.shutdown_write().expect("ended");
            let failure = acceptor(|_| {}).accept(server).handshake().await;
            let failure = failure.expect_err("no TLS");
            assert_eq!(failure.reason(), reason, "{failure}");
            assert!(failure.to_string().starts_with(text), "{failure}");
        }
    });
}

#[test]
fn an_aborted_stream_does_not_wait() {
    everywhere(|| async {
        let (mut client, mut server) = agreed().await;
        client.start_send(pattern(4 << 20));
        client.abort();
        drained(&mut server).await.expect_err("cut off");
    });
}

#[test]
fn a_reader_that_waits_sends_what_the_protocol_has_to_say() {
    everywhere(|| async {
        let (mut client, mut server) = pair(&connector(|_| {}), &acceptor(|_| {})).await;
        // The server's tickets leave while it waits to receive, and the answer after them.
        let serving = task::spawn(async move {
            loop {
                let chunk = server.recv().await.expect("received");
                if chunk.is_empty() {
                    return;
                }
                server.send_all(chunk.to_vec()).await.expect("sent");
            }
        });
        for len in [1, 10, 20_000] {
            client.start_send(pattern(len));
            let mut got = Vec::new();
            while got.len() < len {
                got.extend_from_slice(&client.recv().await.expect("echoed"));
            }
            assert!(got == pattern(len));
            client.sent().await.expect("sent");
            time::sleep(std::time::Duration::from_millis(1)).await;
        }
        client.shutdown_write().expect("said");
        serving.await.expect("no panic");
    });
}
