//! Two ends without a socket between them: bytes cut anywhere, changed, and ended anywhere.

use fastrand::Rng;

use super::*;
use crate::tls::{
    Acceptor, ClientOptions, Connector, Identity, Pem, Reason, Resumption, ServerOptions, Trust,
    Version,
};

struct Ends {
    acceptor: Acceptor,
    connector: Connector,
}

impl Ends {
    fn new(version: Version, resumption: Resumption) -> Self {
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("made");
        let certificates = Pem::Bytes(made.cert.pem().into_bytes());
        let key = Pem::Bytes(made.signing_key.serialize_pem().into_bytes());
        let trust = Trust::Roots(vec![certificates.clone()]);
        let mut server = ServerOptions::new(Identity { certificates, key });
        server.versions = vec![version];
        server.resumption = resumption;
        let client = ClientOptions::new(trust);
        Self {
            acceptor: Acceptor::new(&server).expect("a server"),
            connector: Connector::new(&client).expect("a client"),
        }
    }

    fn pair(&self) -> (Session, Session) {
        let name = "a.example".parse().expect("a name");
        let mut client = self.connector.session(&name).expect("a session");
        client.take_in(&mut []).expect("first words");
        (client, self.acceptor.session())
    }
}

/// Brings what one end says to the other, in pieces of up to `most` bytes.
fn carry(
    from: &mut Session,
    to: &mut Session,
    most: usize,
    rng: &mut Rng,
) -> Result<bool, Failure> {
    let bytes = std::mem::take(&mut from.out);
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rng.usize(1..=most.min(rest.len())));
        to.take_in(&mut piece.to_vec())?;
        rest = later;
    }
    Ok(!bytes.is_empty())
}

/// Until neither end has anything to say.
fn settle(a: &mut Session, b: &mut Session, most: usize, rng: &mut Rng) -> Result<(), Failure> {
    while carry(a, b, most, rng)? | carry(b, a, most, rng)? {}
    Ok(())
}

fn agreed(ends: &Ends, rng: &mut Rng) -> (Session, Session) {
    let (mut client, mut server) = ends.pair();
    settle(&mut client, &mut server, 1 << 20, rng).expect("a handshake");
    (client, server)
}

/// Asks the other end for new keys, and takes new ones.
fn refresh(client: &mut Session) {
    let Side::Client(connection) = &mut client.side else {
        unreachable!("it was made as one");
    };
    match connection.process_tls_records(&mut []).state {
        Ok(ConnectionState::WriteTraffic(traffic)) => {
            traffic.refresh_traffic_keys().expect("new keys");
        }
        other => panic!("{other:?}"),
    }
}

fn data(len: usize, rng: &mut Rng) -> Vec<u8> {
    std::iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

#[test]
fn bytes_come_whole_however_they_are_cut() {
    for version in Version::ALL {
        let ends = Ends::new(version, Resumption::default());
        for (seed, most) in [
            (1, 1),
            (2, 7),
            (3, 100),
            (4, 4096),
            (5, 16_400),
            (6, 1 << 20),
        ] {
            let rng = &mut Rng::with_seed(seed);
            let (mut client, mut server) = ends.pair();
            settle(&mut client, &mut server, most, rng).expect("a handshake");
            assert!(!client.is_handshaking() && !server.is_handshaking());
            let top = if most < 100 { 2000 } else { 100_000 };
            for _ in 0..4 {
                let (there, back) = (data(rng.usize(1..top), rng), data(rng.usize(1..top), rng));
                client.encrypt(&there).expect("encrypted");
                server.encrypt(&back).expect("encrypted");
                settle(&mut client, &mut server, most, rng).expect("decrypted");
                assert!(
                    std::mem::take(&mut server.plain) == there,
                    "{version:?} {most}"
                );
                assert!(
                    std::mem::take(&mut client.plain) == back,
                    "{version:?} {most}"
                );
            }
            assert_eq!(
                server.undecrypted.capacity(),
                0,
                "an idle end holds no buffer"
            );
            assert_eq!(
                client.undecrypted.capacity(),
                0,
                "an idle end holds no buffer"
            );
            client.say_goodbye().expect("said");
            client.say_goodbye().expect("said once");
            settle(&mut client, &mut server, most, rng).expect("heard");
            assert!(server.peer_closed && !client.peer_closed);
        }
    }
}

#[test]
fn a_buffer_becomes_as_few_records_as_there_can_be() {
    for (version, overhead) in [(Version::Tls12, 29), (Version::Tls13, 22)] {
        let rng = &mut Rng::with_seed(1);
        let (mut client, _) = agreed(&Ends::new(version, Resumption::Off), rng);
        for (plain, records) in [(1, 1), (16_384, 1), (16_385, 2), (100_000, 7)] {
            client.encrypt(&data(plain, rng)).expect("encrypted");
            let out = std::mem::take(&mut client.out);
            assert_eq!(out.len(), plain + records * overhead, "{version:?} {plain}");
        }
    }
}

#[test]
fn a_changed_byte_ends_the_connection_with_an_alert() {
    for version in Version::ALL {
        let ends = Ends::new(version, Resumption::Off);
        for seed in 0..20 {
            let rng = &mut Rng::with_seed(seed);
            let (mut client, mut server) = agreed(&ends, rng);
            client.encrypt(&data(300, rng)).expect("encrypted");
            let mut bytes = std::mem::take(&mut client.out);
            let at = rng.usize(5..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
            let failure = server.take_in(&mut bytes).expect_err("changed");
            assert_eq!(failure.reason(), Reason::Protocol, "{failure}");
            assert!(server.plain.is_empty());
            assert!(server.encrypt(b"more").is_err(), "it is over");
            let told = carry(&mut server, &mut client, 1 << 20, rng).expect_err("an alert");
            assert_eq!(told.reason(), Reason::RefusedByPeer, "{told}");
        }
    }
}

#[test]
fn garbage_never_panics() {
    let ends = Ends::new(Version::Tls13, Resumption::Off);
    for seed in 0..2000 {
        let rng = &mut Rng::with_seed(seed);
        let (mut client, mut server) = ends.pair();
        let mut bytes = match rng.bool() {
            true => std::mem::take(&mut client.out),
            false => data(rng.usize(1..300), rng),
        };
        for _ in 0..rng.usize(1..5) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        bytes.truncate(rng.usize(1..=bytes.len()));
        let half = bytes.len() / 2;
        let _ = server
            .take_in(&mut bytes[..half])
            .and_then(|()| server.take_in(&mut bytes[half..]));
    }
}

#[test]
fn strangers_are_told_from_bad_tls() {
    let ends = Ends::new(Version::Tls13, Resumption::Off);
    for (bytes, reason) in [
        (&b"*1\r\n$4\r\nPING\r\n"[..], Reason::NotTls),
        (b"GET / HTTP/1.1\r\n\r\n", Reason::NotTls),
        (b"\x16\x03\x01\x00\x05hello", Reason::Protocol),
        (b"\x16\x03\x01\xff\xffhello", Reason::Protocol),
    ] {
        let failure = ends.acceptor.session().take_in(&mut bytes.to_vec());
        let failure = failure.expect_err("not a client");
        assert_eq!(failure.reason(), reason, "{failure}");
    }
    let failure = ends.acceptor.session().take_in(&mut b"PING\r\n".to_vec());
    let text = failure.expect_err("not a client").to_string();
    assert_eq!(text, "this is not TLS: it begins with \"PING\\r\\n\"");
}

#[test]
fn keys_can_change_under_traffic() {
    let rng = &mut Rng::with_seed(1);
    let (mut client, mut server) = agreed(&Ends::new(Version::Tls13, Resumption::Off), rng);
    for round in 0..20 {
        refresh(&mut client);
        let (there, back) = (data(100, rng), data(40_000, rng));
        client.encrypt(&there).expect("encrypted");
        settle(&mut client, &mut server, 999, rng).expect("decrypted");
        server.encrypt(&back).expect("encrypted");
        settle(&mut client, &mut server, 999, rng).expect("decrypted");
        assert!(std::mem::take(&mut server.plain) == there, "round {round}");
        assert!(std::mem::take(&mut client.plain) == back, "round {round}");
    }
}

/// Who asks for new keys again and again, sends between, and takes nothing: nothing is heaped up for it.
#[test]
fn key_updates_that_nobody_takes_are_answered_once() {
    let rng = &mut Rng::with_seed(1);
    let (mut client, mut server) = agreed(&Ends::new(Version::Tls13, Resumption::Off), rng);
    for round in 0..1000 {
        refresh(&mut client);
        client.encrypt(b"x").expect("encrypted");
        carry(&mut client, &mut server, 1 << 20, rng).expect("decrypted");
        assert_eq!(std::mem::take(&mut server.plain), b"x");
        assert_eq!(server.out.len(), 0, "round {round}");
    }
    server.encrypt(b"x").expect("encrypted");
    let bytes = server.out.len();
    assert!(bytes <= ALERT_BYTES, "{bytes} bytes are sent");
    settle(&mut client, &mut server, 1 << 20, rng).expect("decrypted");
    assert_eq!(client.plain, b"x");
}

/// A message of the handshake that never becomes whole, in records of the largest size.
#[test]
fn an_endless_hello_is_cut_off() {
    let ends = Ends::new(Version::Tls13, Resumption::Off);
    let mut server = ends.acceptor.session();
    // A ClientHello of 63,000 bytes.
    let mut hello = vec![1, 0, 0xf6, 0x18];
    hello.resize(16 * 1024, 0);
    let mut sent_bytes = 0;
    let failure = loop {
        let len = u16::try_from(hello.len()).expect("a record").to_be_bytes();
        let mut record = [&[22, 3, 1, len[0], len[1]], &hello[..]].concat();
        sent_bytes += record.len();
        if let Err(failure) = server.take_in(&mut record) {
            break failure;
        }
        let held_bytes = server.undecrypted_bytes();
        assert!(held_bytes >= sent_bytes, "{held_bytes} bytes");
        assert!(held_bytes <= 2 * CLIENT_UNDECRYPTED_MAX_BYTES);
        assert!(sent_bytes <= CLIENT_UNDECRYPTED_MAX_BYTES);
        hello.fill(0);
    };
    assert!(
        matches!(failure, Failure::TooLong(CLIENT_UNDECRYPTED_MAX_BYTES)),
        "{failure}"
    );
    assert_eq!(failure.reason(), Reason::Protocol);
    assert_eq!(server.undecrypted_bytes(), 0);
}

#[test]
fn sessions_are_taken_up_again_where_they_may_be() {
    for version in Version::ALL {
        for (resumption, resumed) in [(Resumption::Off, false), (Resumption::default(), true)] {
            let ends = Ends::new(version, resumption);
            let rng = &mut Rng::with_seed(1);
            for nth in 0..3 {
                let (client, _) = agreed(&ends, rng);
                let again =
                    client.common().handshake_kind() == Some(rustls::HandshakeKind::Resumed);
                assert_eq!(
                    again,
                    resumed && nth > 0,
                    "{version:?} {resumption:?} {nth}"
                );
            }
        }
    }
}
