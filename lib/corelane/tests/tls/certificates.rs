//! Options that make no TLS say what is wrong and where; another acceptor takes the old one's place.

use std::path::Path;

use corelane::task;
use corelane::tls::{
    Acceptor, ClientCertificates, Connector, Identity, OptionsError, Pem, ServerOptions, Trust,
};

use crate::pki::{acceptor, client_options, connector, pki, server_options};
use crate::{everywhere, pair};

/// As `openssl x509 -req` makes it of a request, without `-extfile`.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIHoMIGbAhQTEpq2NDFpHGB6xbgeKPKOgKq0JDAFBgMrZXAwFjEUMBIGA1UEAwwL
b2xkLmV4YW1wbGUwIBcNMjYxMTIxMDUxMTAzWhgPMjEyNjEwMjgwNTExMDNaMBYx
FDASBgNVBAMMC29sZC5leGFtcGxlMCowBQYDK2VwAyEAFmbl9tQETny5DgvGfydC
8d9O6ylTK7vudkOAcgrwYQYwBQYDK2VwA0EAri91U/KgNjeBzJ6Axo905/0JnQDv
tKLZ4tFp2WcwAib3zdc8eMqpG9YKbRjkIuJdY6j6sctHVzBGGvuxMaHAAw==
-----END CERTIFICATE-----
";

fn bytes(pem: &Pem) -> &[u8] {
    match pem {
        Pem::Bytes(bytes) => bytes,
        _ => panic!("made in memory"),
    }
}

fn refused(change: impl FnOnce(&mut ServerOptions)) -> String {
    let mut options = server_options();
    change(&mut options);
    Acceptor::new(&options).expect_err("refused").to_string()
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> Pem {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    Pem::File(path)
}

#[test]
fn errors_name_the_place_and_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let server = &pki().server;
    let certificate = file(folder.path(), "cert.pem", bytes(&server.certificates));
    let key = file(folder.path(), "key.pem", bytes(&server.key));
    let with = |certificates: &Pem, key: &Pem| {
        let identity = Identity {
            certificates: certificates.clone(),
            key: key.clone(),
        };
        refused(move |options| options.identity = identity)
    };
    let none = Pem::File(folder.path().join("none.pem"));
    let missing = format!("{}: No such file or directory (os error 2)", at("none.pem"));
    assert_eq!(with(&none, &key), missing);
    assert_eq!(with(&certificate, &none), missing);
    let text = with(&key, &key);
    assert_eq!(
        text,
        format!(
            "{}: it has no certificate (-----BEGIN CERTIFICATE-----)",
            at("key.pem")
        )
    );
    let text = with(&certificate, &certificate);
    assert_eq!(
        text,
        format!(
            "{}: it has no private key (-----BEGIN PRIVATE KEY-----)",
            at("cert.pem")
        )
    );
    let locked = file(
        folder.path(),
        "locked.pem",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let text = with(&certificate, &locked);
    assert!(
        text.starts_with(&format!("{}: the key is encrypted", at("locked.pem"))),
        "{text}"
    );
    let broken = file(
        folder.path(),
        "broken.pem",
        b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
    );
    let text = with(&broken, &key);
    assert!(
        text.starts_with(&format!("{}: not PEM: ", at("broken.pem"))),
        "{text}"
    );
    let old = file(folder.path(), "old.pem", VERSION_1.as_bytes());
    let text = with(&old, &key);
    let place = format!("{} with {}: ", at("old.pem"), at("key.pem"));
    assert!(
        text.starts_with(&format!("{place}the certificate is not X.509 version 3, ")),
        "{text}"
    );
    let strange = file(folder.path(), "strange.pem", bytes(&pki().stranger.key));
    assert_eq!(
        with(&certificate, &strange),
        format!(
            "{} with {}: the key does not belong to the certificate",
            at("cert.pem"),
            at("strange.pem")
        )
    );
    let text = refused(|options| {
        options.client_certificates = ClientCertificates::Required(Vec::new());
    });
    assert!(
        text.starts_with("trusted certificates: none were given"),
        "{text}"
    );
    let text = refused(|options| options.cipher_suites = vec!["RC4".to_owned()]);
    assert!(
        text.starts_with("there is no cipher suite \"RC4\" here"),
        "{text}"
    );
    let text = refused(|options| options.versions.clear());
    assert!(text.starts_with("no version of TLS"), "{text}");
    let text = refused(|options| {
        options.versions = vec![corelane::tls::Version::Tls12];
        options.cipher_suites = vec!["TLS_AES_128_GCM_SHA256".to_owned()];
    });
    assert!(text.contains("cipher suite"), "{text}");
    let name: Result<corelane::tls::Name, OptionsError> = "no name".parse();
    assert_eq!(
        name.expect_err("refused").to_string(),
        "\"no name\" can be no server's name: neither a host name nor an IP address"
    );
}

#[test]
fn trusted_certificates_come_from_folders_too() {
    let folder = tempfile::tempdir().expect("a folder");
    file(folder.path(), "a.pem", bytes(&pki().root));
    file(folder.path(), "README", b"not PEM");
    file(folder.path(), "key.pem", bytes(&pki().client.key));
    let mut options = client_options();
    options.trust = Trust::Roots(vec![Pem::Folder(folder.path().to_owned())]);
    Connector::new(&options).expect("one of the files has a certificate");
    std::fs::remove_file(folder.path().join("a.pem")).expect("removed");
    let refused = Connector::new(&options).expect_err("none is left");
    assert!(
        refused
            .to_string()
            .starts_with("trusted certificates: none"),
        "{refused}"
    );
}

#[test]
fn another_acceptor_is_for_new_connections_and_old_ones_go_on() {
    everywhere(|| async {
        let client = connector(|o| o.trust = Trust::InsecureAnybody);
        let old = acceptor(|_| {});
        let new = acceptor(|o| o.identity = pki().stranger.clone());
        let mut shown = Vec::new();
        let mut ends = Vec::new();
        for acceptor in [&old, &new] {
            let (mut client, mut server) = pair(&client, acceptor).await;
            let shaking = task::spawn(async move {
                server.handshake().await.expect("server");
                server
            });
            client.handshake().await.expect("client");
            shown.push(client.agreed().peer_certificates()[0].to_vec());
            ends.push((client, shaking.await.expect("no panic")));
        }
        assert_ne!(shown[0], shown[1]);
        drop((old, new));
        for (client, server) in &mut ends {
            client.send_all(b"still here".to_vec()).await.expect("sent");
            assert_eq!(&*server.recv().await.expect("received"), b"still here");
        }
    });
}
