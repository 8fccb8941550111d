//! Programs and libraries of others, with the TLS that they bring, and the client commands of our own program.

use super::pki::Pki;
use crate::server::Server;
use crate::tools;

#[test]
fn redis_cli_speaks_it() {
    let pki = Pki::new();
    let server = pki.serve(&[]);
    assert!(
        server.ready_line.starts_with("ready: tls 127.0.0.1:"),
        "{}",
        server.ready_line
    );
    let port = server.address.port().to_string();
    let ca = pki.text("ca.pem");
    let known = pki.tool_args();
    for version in ["TLSv1.2", "TLSv1.3"] {
        // What the versions are called in its settings; redis-cli chooses by suites.
        let suites: &[&str] = match version {
            "TLSv1.2" => &["--tls-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"],
            _ => &["--tls-ciphersuites", "TLS_AES_128_GCM_SHA256"],
        };
        let server = pki.serve(&[("tls-protocols", version)]);
        let own_port = server.address.port().to_string();
        let mut args = vec!["-p", &own_port];
        args.extend(known.iter().map(String::as_str));
        args.extend_from_slice(suites);
        args.extend_from_slice(&["SET", "k", version]);
        let Some(output) = tools::run("redis-cli", &args, b"") else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            said,
            "OK\n",
            "{version}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // Without a certificate, and from a stranger: not let in.
    let mut operator = pki.connect(&server, Some("client")).expect("let in");
    let stranger = (pki.text("stranger.pem"), pki.text("stranger.key"));
    let plain = ["-p", &port, "--tls", "--cacert", &ca, "PING"];
    let strange = [
        "-p",
        &port,
        "--tls",
        "--cacert",
        &ca,
        "--cert",
        &stranger.0,
        "--key",
        &stranger.1,
        "PING",
    ];
    for args in [&plain[..], &strange] {
        let output = tools::run("redis-cli", args, b"").expect("it is there");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("PONG"));
    }
    assert_eq!(operator.counter("tls_failed_certificate_missing"), 1);
    assert_eq!(operator.counter("tls_failed_certificate_refused"), 1);
    assert_eq!(operator.counter("tls_handshakes_failed"), 2);
}

/// Python's `redis` over its own TLS.
#[test]
fn python() {
    let Ok(interpreter) = std::env::var("CORELANE_TEST_PYTHON") else {
        tools::missing("Python's redis (CORELANE_TEST_PYTHON names an interpreter that has it)");
        return;
    };
    let pki = Pki::new();
    let server = pki.serve(&[]);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/judges/python_redis.py"
    );
    let port = server.address.port().to_string();
    let files = ["ca.pem", "client.pem", "client.key"].map(|name| pki.text(name));
    let args = [script, &port, &files[0], &files[1], &files[2]];
    if let Some(output) = tools::run(&interpreter, &args, b"") {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
}

/// A client command of our own program against a server of ours: its status, and what it said.
fn ours(server: &Server, args: &[&str], password: Option<&str>) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_corelane"));
    command.env_remove("CORELANE_CLIENT_PASSWORD");
    command.envs(password.map(|password| ("CORELANE_CLIENT_PASSWORD", password)));
    command.args(args);
    command.args(["-p", &server.address.port().to_string()]);
    let ended = command.output().expect("it runs");
    let said = [ended.stdout, ended.stderr].concat();
    (
        ended.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A command, how it connects, the password in its environment; its status, and what it says among other things.
type Row<'a> = (&'a [&'a str], &'a [&'a str], Option<&'a str>, i32, &'a str);

#[test]
fn resize_and_bench_speak_it() {
    let pki = Pki::new();
    let server = pki.serve(&[
        ("cpu-allocation", "1"),
        ("overprovisioned", "yes"),
        ("shards", "1"),
        ("max-shards", "2"),
        ("requirepass", "secret"),
    ]);
    let tls = pki.tool_args();
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    let (ca, other) = (pki.text("ca.pem"), pki.text("other-ca.pem"));
    let bench = ["bench", "-n", "100", "-c", "2", "--keys", "10"];
    let rows: [Row<'_>; 10] = [
        (&["resize", "2"], &tls, Some("secret"), 0, "2 shards serve"),
        (
            &["resize", "1", "-a", "secret"],
            &tls,
            None,
            0,
            "1 shard serves",
        ),
        (&["resize", "2"], &tls, None, 1, "NOAUTH"),
        (
            &["resize", "2"],
            &[],
            Some("secret"),
            1,
            "or does it want --tls?",
        ),
        (&["resize", "2"], &[], None, 1, "; does it want --tls?"),
        (&bench, &[], None, 1, "; does it want --tls?"),
        (&bench, &[], Some("secret"), 1, "or does it want --tls?"),
        (
            &["resize", "2"],
            &["--tls", "--cacert", &ca],
            Some("secret"),
            1,
            "cannot connect",
        ),
        (
            &["resize", "2"],
            &["--tls", "--cacert", &other],
            Some("secret"),
            1,
            "cannot connect",
        ),
        (&bench, &tls, Some("secret"), 0, "GET"),
    ];
    for (command, way, password, status, says) in rows {
        let (ended, said) = ours(&server, &[command, way].concat(), password);
        assert_eq!(ended, Some(status), "{command:?} {way:?}: {said}");
        assert!(said.contains(says), "{command:?} {way:?}: {said}");
    }
}
