//! Settings of TLS: those that are refused, and those that change while the server runs.

use std::io::Read;

use super::pki::Pki;
use crate::server::{command, wait};

#[test]
fn certificates_change_while_it_runs() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    let mut old = pki.connect(&server, None).expect("let in");
    let set = format!(
        "CONFIG SET tls-cert-file {0}.pem tls-key-file {0}.key",
        pki.text("server")
    );
    pki.issue("server", &pki.root);
    assert_eq!(old.call(&set), "+OK\r\n");
    // Every shard has it: whichever accepts.
    for _ in 0..8 {
        let new = pki.connect(&server, None).expect("let in");
        assert_ne!(new.shown_certificate(), old.shown_certificate());
    }
    assert_eq!(old.call("PING"), "+PONG\r\n", "who was there goes on");

    // A bad file changes nothing, and is named.
    let now = pki
        .connect(&server, None)
        .expect("let in")
        .shown_certificate();
    pki.write("server.key", "no key");
    let refused = old.call(&set);
    let place = format!("{}: it has no private key", pki.text("server.key"));
    assert!(
        refused.starts_with("-ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS configuration: ")
            && refused.contains(&place),
        "{refused}"
    );
    let refused = old.call("CONFIG SET tls-auth-clients yes tls-ca-cert-file ''");
    assert!(
        refused.contains("either tls-ca-cert-file or tls-ca-cert-dir must be given"),
        "{refused}"
    );
    assert_eq!(
        old.call("CONFIG GET tls-auth-clients"),
        "*2\r\n$16\r\ntls-auth-clients\r\n$2\r\nno\r\n"
    );
    let again = pki.connect(&server, None).expect("let in");
    assert_eq!(again.shown_certificate(), now);
}

#[test]
fn what_is_asked_of_clients_changes_while_it_runs() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    let mut old = pki.connect(&server, None).expect("let in");
    assert_eq!(old.call("CONFIG SET tls-auth-clients yes"), "+OK\r\n");
    pki.connect(&server, None).err().expect("not any more");
    pki.connect(&server, Some("client")).expect("let in");
    let other = format!("CONFIG SET tls-ca-cert-file {}", pki.text("other-ca.pem"));
    assert_eq!(old.call(&other), "+OK\r\n");
    pki.connect(&server, Some("client"))
        .err()
        .expect("not any more");
    pki.connect(&server, Some("stranger")).expect("let in");
}

#[test]
fn a_start_without_what_it_takes_says_so() {
    let pki = Pki::new();
    let (certificate, key) = (pki.text("server.pem"), pki.text("server.key"));
    let no = "no".to_owned();
    for (settings, said) in [
        (vec![], "cannot speak TLS: tls-cert-file must be given where there is a tls-port".to_owned()),
        (
            vec![("tls-cert-file", &certificate), ("tls-key-file", &key)],
            "cannot speak TLS: either tls-ca-cert-file or tls-ca-cert-dir must be given, or tls-auth-clients no".to_owned(),
        ),
        (
            vec![
                ("tls-cert-file", &key),
                ("tls-key-file", &key),
                ("tls-auth-clients", &no),
            ],
            format!("cannot speak TLS: {key}: it has no certificate"),
        ),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut command = command(dir.path());
        command.args(["serve", "--tls-port", "auto"]);
        for (name, value) in settings {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut child = command.spawn().expect("the binary starts");
        let status = wait(&mut child);
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(&said), "{said}: {stderr}");
    }
}
