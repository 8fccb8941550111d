//! What two ends agree on, and why they do not.

use std::time::Duration;

use corelane::task;
use corelane::tls::{
    ClientCertificates, ClientOptions, Identity, Pem, Reason, ServerOptions, Trust, Version,
};

use crate::pki::{acceptor, connector, pki};
use crate::{drained, everywhere, pair, pattern, plain_pair};

/// What became of a handshake: the version and protocol, or the reason on either side.
type Outcome = Result<(Version, Option<Vec<u8>>, usize), (Option<Reason>, Option<Reason>)>;

/// Shakes hands everywhere, and says what came of it; data goes both ways where it came about. A client of TLS 1.3 is
/// done before the server has looked at its certificate, so it hears of a refusal from its first receive.
fn check(
    server: impl Fn(&mut ServerOptions) + Copy + 'static,
    client: impl Fn(&mut ClientOptions) + Copy + 'static,
    want: Outcome,
) {
    everywhere(move || {
        let want = want.clone();
        async move {
            let (mut client, mut server) = pair(&connector(client), &acceptor(server)).await;
            let serving = task::spawn(async move {
                if let Err(failure) = server.handshake().await {
                    return Err(failure.reason());
                }
                let agreed = server.agreed();
                let found = (
                    agreed.version().expect("settled"),
                    agreed.protocol().map(<[u8]>::to_vec),
                    agreed.peer_certificates().len(),
                );
                server.send_all(pattern(70_000)).await.expect("sent");
                assert_eq!(&*server.recv().await.expect("received"), b"enough");
                Ok(found)
            });
            let talk = async {
                client
                    .handshake()
                    .await
                    .map_err(|failure| failure.reason())?;
                let mut got = Vec::new();
                while got.len() < 70_000 {
                    let received = client.recv().await;
                    got.extend_from_slice(
                        &received.map_err(|error| corelane::tls::Failure::from(error).reason())?,
                    );
                }
                assert!(got == pattern(70_000), "differs");
                client.send_all(b"enough".to_vec()).await.expect("sent");
                Ok(())
            };
            let talked = talk.await;
            let found = serving.await.expect("no panic");
            // An alert may be lost to the reset that comes with it, where the peer had sent more.
            let told = |reason| match reason {
                Reason::System => Reason::RefusedByPeer,
                reason => reason,
            };
            let outcome = match (found, talked) {
                (Ok(found), Ok(())) => Ok(found),
                (server, client) => Err((server.err().map(told), client.err().map(told))),
            };
            assert_eq!(outcome, want);
        }
    });
}

#[test]
fn versions() {
    use Version::{Tls12, Tls13};
    let none = |_: &mut ServerOptions| {};
    check(none, |_| {}, Ok((Tls13, None, 0)));
    check(|o| o.versions = vec![Tls12], |_| {}, Ok((Tls12, None, 0)));
    check(none, |o| o.versions = vec![Tls12], Ok((Tls12, None, 0)));
    check(
        |o| o.versions = vec![Tls13],
        |o| o.versions = vec![Tls12],
        Err((Some(Reason::Incompatible), Some(Reason::RefusedByPeer))),
    );
}

#[test]
fn application_protocols() {
    let http = |o: &mut ServerOptions| o.protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let found = |protocol: Option<&[u8]>| Ok((Version::Tls13, protocol.map(<[u8]>::to_vec), 0));
    check(
        http,
        |o| o.protocols = vec![b"http/1.1".to_vec()],
        found(Some(b"http/1.1")),
    );
    check(http, |_| {}, found(None));
    check(
        http,
        |o| o.protocols = vec![b"smtp".to_vec()],
        Err((Some(Reason::Incompatible), Some(Reason::RefusedByPeer))),
    );
}

#[test]
fn cipher_suites() {
    let gcm = |o: &mut ServerOptions| o.cipher_suites = vec!["TLS_AES_128_GCM_SHA256".to_owned()];
    check(gcm, |_| {}, Ok((Version::Tls13, None, 0)));
    check(
        gcm,
        |o| o.cipher_suites = vec!["TLS_CHACHA20_POLY1305_SHA256".to_owned()],
        Err((Some(Reason::Incompatible), Some(Reason::RefusedByPeer))),
    );
}

#[test]
fn client_certificates() {
    let required = |o: &mut ServerOptions| {
        o.client_certificates = ClientCertificates::Required(vec![pki().root.clone()]);
    };
    let optional = |o: &mut ServerOptions| {
        o.client_certificates = ClientCertificates::Optional(vec![pki().root.clone()]);
    };
    let good = |o: &mut ClientOptions| o.identity = Some(pki().client.clone());
    let bad = |o: &mut ClientOptions| o.identity = Some(pki().stranger.clone());
    let missing = Err((
        Some(Reason::CertificateMissing),
        Some(Reason::RefusedByPeer),
    ));
    let refused = Err((
        Some(Reason::CertificateRefused),
        Some(Reason::RefusedByPeer),
    ));
    for version in Version::ALL {
        let shown = |certificates| Ok((version, None, certificates));
        let only = move |o: &mut ClientOptions| o.versions = vec![version];
        check(required, move |o| (good(o), only(o)).0, shown(1));
        check(required, move |o| (bad(o), only(o)).0, refused.clone());
        check(required, only, missing.clone());
        check(optional, move |o| (good(o), only(o)).0, shown(1));
        check(optional, move |o| (bad(o), only(o)).0, refused.clone());
        check(optional, only, shown(0));
    }
}

/// A client's identity with a chain of so many bytes: its own certificate, and the root again and again.
fn with_chain_of(bytes: usize) -> Identity {
    let Identity { certificates, key } = pki().client.clone();
    let (Pem::Bytes(mut chain), Pem::Bytes(root)) = (certificates, pki().root.clone()) else {
        panic!("made in memory");
    };
    // PEM has four characters for three bytes.
    while chain.len() * 3 / 4 < bytes {
        chain.extend_from_slice(&root);
    }
    Identity {
        certificates: Pem::Bytes(chain),
        key,
    }
}

#[test]
fn chains_of_clients_may_be_long_and_not_endless() {
    everywhere(|| async {
        for version in Version::ALL {
            for (bytes, taken) in [(28_000, true), (60_000, false)] {
                let acceptor = acceptor(|o| {
                    o.client_certificates = ClientCertificates::Required(vec![pki().root.clone()]);
                });
                let connector = connector(|o| {
                    o.identity = Some(with_chain_of(bytes));
                    o.versions = vec![version];
                });
                let (mut client, mut server) = pair(&connector, &acceptor).await;
                let serving = task::spawn(async move { server.handshake().await });
                let _ = client.handshake().await;
                let reason = serving.await.expect("no panic").err();
                let reason = reason.map(|failure| failure.reason());
                let want = (!taken).then_some(Reason::Protocol);
                assert_eq!(reason, want, "{version:?} {bytes}");
            }
        }
    });
}

#[test]
fn servers_must_be_who_they_say() {
    let refused = Err((
        Some(Reason::RefusedByPeer),
        Some(Reason::CertificateRefused),
    ));
    let other = |o: &mut ClientOptions| o.trust = Trust::Roots(vec![pki().other_root.clone()]);
    check(|_| {}, other, refused.clone());
    // A certificate of the right root for another name.
    check(|o| o.identity = pki().client.clone(), |_| {}, refused);
    let anybody = |o: &mut ClientOptions| o.trust = Trust::InsecureAnybody;
    check(
        |o| o.identity = pki().stranger.clone(),
        anybody,
        Ok((Version::Tls13, None, 0)),
    );
}

#[test]
fn a_silent_client_is_not_waited_for_longer_than_the_bound() {
    everywhere(|| async {
        let (_client, server) = plain_pair().await;
        let short = Duration::from_millis(50);
        let mut server = acceptor(|o| o.handshake_timeout = short).accept(server);
        let failure = server.handshake().await.expect_err("nobody speaks");
        assert_eq!(failure.reason(), Reason::Timeout);
        assert_eq!(
            failure.to_string(),
            "the TLS handshake took longer than 0.05 s"
        );
    });
}

#[test]
fn sends_may_begin_before_the_handshake() {
    everywhere(|| async {
        let (mut client, mut server) = pair(&connector(|_| {}), &acceptor(|_| {})).await;
        let serving = task::spawn(async move {
            server.start_send(pattern(100));
            assert!(server.try_sent().is_none(), "nobody has said hello");
            let returned = server.sent().await.expect("sent");
            assert!(
                returned.is_empty() && returned.capacity() >= 100,
                "the buffer comes back"
            );
            drained(&mut server).await
        });
        client.start_send(pattern(90_000));
        let mut got = Vec::new();
        while got.len() < 100 {
            got.extend_from_slice(&client.recv().await.expect("received"));
        }
        assert!(got == pattern(100));
        let returned = client.sent().await.expect("sent");
        assert!(
            returned.is_empty() && returned.capacity() >= 90_000,
            "the buffer comes back"
        );
        client.shutdown_write().expect("said");
        let got = serving.await.expect("no panic").expect("received");
        assert!(got == pattern(90_000));
    });
}
