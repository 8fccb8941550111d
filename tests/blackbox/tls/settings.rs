//! Settings of TLS: those that are refused, and those that change while the server runs.

use std::io::Read;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::pki::Pki;
use crate::conn::encode;
use crate::server::{Server, command, eventually, wait};

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

/// What is in force is what the settings say, whoever was the last to read files.
#[test]
fn changes_at_once_leave_what_the_settings_say() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    pki.issue("second", &pki.root);
    let mut who = pki.connect(&server, Some("client")).expect("let in");
    let mut what = pki.connect(&server, Some("client")).expect("let in");
    let shown = ["server", "second"].map(|name| {
        let pem = CertificateDer::from_pem_file(pki.path(&format!("{name}.pem")));
        pem.expect("PEM").to_vec()
    });
    for round in 0..40 {
        let name = ["server", "second"][round % 2];
        let asked = ["no", "yes"][round / 2 % 2];
        let path = pki.text(name);
        let files = format!("CONFIG SET tls-cert-file {path}.pem tls-key-file {path}.key");
        let clients = format!("CONFIG SET tls-auth-clients {asked}");
        // In turns, so that each overtakes the other.
        let mut both = [(&mut who, &clients), (&mut what, &files)];
        if round % 3 == 0 {
            both.reverse();
        }
        for (conn, change) in &mut both {
            conn.write(&encode(change)).expect("taken");
        }
        for (conn, change) in &mut both {
            assert_eq!(conn.reply(), "+OK\r\n", "{change}");
        }
        for _ in 0..4 {
            let new = pki.connect(&server, Some("client")).expect("let in");
            assert_eq!(new.shown_certificate(), shown[round % 2], "round {round}");
            let stranger = pki.connect(&server, None);
            assert_eq!(stranger.is_ok(), asked == "no", "round {round}");
        }
    }
}

#[test]
fn a_hangup_reads_certificates_anew() {
    let pki = Pki::new();
    let server = pki.serve(&[]);
    let mut operator = pki.connect(&server, Some("client")).expect("let in");
    let old = operator.shown_certificate();
    let shown = || {
        let new = pki.connect(&server, Some("client")).expect("let in");
        new.shown_certificate()
    };
    // A bad file changes nothing.
    pki.write("server.key", "no key");
    server.signal("HUP");
    eventually("it is counted", || {
        operator.counter("tls_reloads_failed") == 1
    });
    assert_eq!(shown(), old);
    pki.issue("server", &pki.root);
    server.signal("HUP");
    eventually("the new one is shown", || shown() != old);
    eventually("it is counted", || operator.counter("tls_reloads") == 1);
    let new = shown();
    for _ in 0..8 {
        assert_eq!(shown(), new, "every shard has it");
    }
    assert_eq!(operator.call("PING"), "+PONG\r\n", "who was there goes on");
    drop(operator);
    server.signal("TERM");
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
    let place = format!(
        "certificates could not be read anew, and stay as they were: {}: it has no private key",
        pki.text("server.key")
    );
    for says in [&place, "certificates were read anew"] {
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn a_hangup_ends_no_server_without_tls() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    server.signal("HUP");
    assert_eq!(conn.call("PING"), "+PONG\r\n");
    drop(conn);
    server.signal("TERM");
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
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
