//! TLS: what clients of others see, who is let in, certificates that change, and connections that move.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::conn::{Conn, encode};
use crate::server::{PATIENCE, Server, command, eventually, wait};
use crate::tools;

/// Files in PEM: a root, and what it has signed.
struct Pki {
    folder: tempfile::TempDir,
    root: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let pki = Self {
            folder: tempfile::tempdir().expect("a folder"),
            root: root("a root"),
        };
        pki.write("ca.pem", &pki.root.pem());
        pki.issue("server", &pki.root);
        pki.issue("client", &pki.root);
        let other = root("another root");
        pki.write("other-ca.pem", &other.pem());
        pki.issue("stranger", &other);
        pki
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// A certificate and its key, as `name.pem` and `name.key`; signed by `issuer`.
    fn issue(&self, name: &str, issuer: &CertifiedIssuer<'static, KeyPair>) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, issuer).expect("signed");
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// A server on a TLS port alone, with these settings beside.
    fn serve(&self, more: &[(&str, &str)]) -> Server {
        let (certificate, key, ca) = (
            self.text("server.pem"),
            self.text("server.key"),
            self.text("ca.pem"),
        );
        let mut settings = vec![
            ("tls-port", "auto"),
            ("tls-cert-file", &certificate[..]),
            ("tls-key-file", &key),
            ("tls-ca-cert-file", &ca),
        ];
        settings.extend_from_slice(more);
        Server::start(&settings)
    }

    fn connect(&self, server: &Server, identity: Option<&str>) -> std::io::Result<TlsConn> {
        TlsConn::open(server, self.config(identity))
    }

    /// A client's configuration that believes the root.
    fn config(&self, identity: Option<&str>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(self.path("ca.pem")).expect("PEM");
        roots.add(root).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let certificate = CertificateDer::from_pem_file(self.path(&format!("{name}.pem")));
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key")));
                builder
                    .with_client_auth_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
                    .expect("an identity")
            }
        })
    }
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}

/// A connection with TLS of another make than the server's way of using it: rustls's blocking stream.
struct TlsConn {
    stream: StreamOwned<ClientConnection, TcpStream>,
    unread: Vec<u8>,
}

impl TlsConn {
    fn open(server: &Server, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        let socket = TcpStream::connect(server.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = "localhost".try_into().expect("a name");
        let connection = ClientConnection::new(config, name).expect("a client");
        let stream = StreamOwned::new(connection, socket);
        let mut conn = Self {
            stream,
            unread: Vec::new(),
        };
        // A client of TLS 1.3 is done before the server has looked at its certificate.
        conn.write(&encode("PING"))?;
        match conn.try_reply()?.as_str() {
            "+PONG\r\n" => Ok(conn),
            other => Err(std::io::Error::other(other.to_owned())),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn try_reply(&mut self) -> std::io::Result<String> {
        loop {
            if let Some(length) = corelane_wire::skip(&self.unread).expect("a reply") {
                let reply: Vec<u8> = self.unread.drain(..length).collect();
                return Ok(String::from_utf8_lossy(&reply).into_owned());
            }
            let mut chunk = [0; 64 * 1024];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(String::new()),
                bytes => self.unread.extend_from_slice(&chunk[..bytes]),
            }
        }
    }

    #[track_caller]
    fn reply(&mut self) -> String {
        self.try_reply().expect("a reply")
    }

    #[track_caller]
    fn call(&mut self, line: &str) -> String {
        self.write(&encode(line)).expect("the server takes bytes");
        self.reply()
    }

    /// A counter of `INFO stats`; 0 where it is not named.
    fn counter(&mut self, name: &str) -> u64 {
        let info = self.call("INFO stats");
        let value = info.split(&format!("\n{name}:")).nth(1);
        value.map_or(0, |value| {
            let digits = value.split('\r').next().unwrap_or_default();
            digits.parse().expect("a number")
        })
    }

    fn shown_certificate(&self) -> Vec<u8> {
        self.stream.conn.peer_certificates().expect("it showed one")[0].to_vec()
    }
}

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
    let (ca, certificate, key) = (
        pki.text("ca.pem"),
        pki.text("client.pem"),
        pki.text("client.key"),
    );
    for version in ["TLSv1.2", "TLSv1.3"] {
        // What the versions are called in its settings; redis-cli chooses by suites.
        let suites: &[&str] = match version {
            "TLSv1.2" => &["--tls-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"],
            _ => &["--tls-ciphersuites", "TLS_AES_128_GCM_SHA256"],
        };
        let server = pki.serve(&[("tls-protocols", version)]);
        let own_port = server.address.port().to_string();
        let mut args = vec![
            "-p",
            &own_port,
            "--tls",
            "--cacert",
            &ca,
            "--cert",
            &certificate,
            "--key",
            &key,
        ];
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

#[test]
fn who_is_let_in() {
    let pki = Pki::new();
    for (asked, none, good, bad) in [
        ("yes", false, true, false),
        ("optional", true, true, false),
        ("no", true, true, true),
    ] {
        let server = pki.serve(&[("tls-auth-clients", asked)]);
        for (identity, let_in) in [
            (None, none),
            (Some("client"), good),
            (Some("stranger"), bad),
        ] {
            let opened = pki.connect(&server, identity);
            assert_eq!(
                opened.is_ok(),
                let_in,
                "{asked} {identity:?}: {:?}",
                opened.err()
            );
        }
    }
}

#[test]
fn other_protocols_are_logged_and_counted() {
    let pki = Pki::new();
    let server = pki.serve(&[("tls-auth-clients", "no")]);
    let mut plain = Conn::open(server.address);
    plain.send("PING");
    assert!(plain.is_closed(), "a plain client is closed");
    let mut garbage = Conn::open(server.address);
    garbage.write(b"\x16\x03\x01\x00\x05hello");
    assert!(garbage.is_closed(), "so is bad TLS");
    drop(Conn::open(server.address));
    let mut operator = pki.connect(&server, None).expect("let in");
    eventually("all three are counted", || {
        operator.counter("tls_handshakes_failed") == 3
    });
    for name in [
        "tls_failed_not_tls",
        "tls_failed_protocol",
        "tls_failed_left",
    ] {
        assert_eq!(operator.counter(name), 1, "{name}");
    }
    assert_eq!(operator.counter("tls_handshakes"), 1);
    drop(operator);
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(
        said.contains(
            "TLS handshake failed: this is not TLS: it begins with \"*1\\r\\n$4\\r\\nPING\\r\\n\""
        ),
        "{said}"
    );
}

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

#[test]
fn big_pipelines_and_big_values() {
    let pki = Pki::new();
    let server = pki.serve(&[]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let value = "v".repeat(3_000_000);
    assert_eq!(conn.call(&format!("SET big {value}")), "+OK\r\n");
    assert_eq!(conn.call("STRLEN big"), ":3000000\r\n");
    assert!(conn.call("GET big") == format!("$3000000\r\n{value}\r\n"));
    let pipeline: Vec<u8> = (0..20_000)
        .flat_map(|n| encode(&format!("INCR counter{}", n % 10)))
        .collect();
    // Both at once: what nobody reads stops the server, which stops reading in turn.
    for part in pipeline.chunks(100_000) {
        conn.write(part).expect("taken");
    }
    for n in 0..20_000 {
        assert_eq!(conn.reply(), format!(":{}\r\n", n / 10 + 1), "INCR {n}");
    }
}

#[test]
fn connections_move_with_their_keys() {
    let pki = Pki::new();
    let server = pki.serve(&[("cpu-allocation", "2"), ("overprovisioned", "yes")]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let mut pipeline = Vec::new();
    for n in 0..2000 {
        pipeline.extend(encode(&format!("INCR counter{}", n % 7)));
        pipeline.extend(encode(&format!("CLIENT MIGRATE {}", n % 2)));
        pipeline.extend(encode(&format!("ECHO {n}")));
    }
    // Cut where it hurts: within frames, between, and each piece a record of its own.
    for part in pipeline.chunks(977) {
        conn.write(part).expect("taken");
    }
    for n in 0..2000 {
        assert_eq!(conn.reply(), format!(":{}\r\n", n / 7 + 1), "INCR {n}");
        assert_eq!(conn.reply(), "+OK\r\n", "MIGRATE {n}");
        let text = n.to_string();
        assert_eq!(conn.reply(), format!("${}\r\n{text}\r\n", text.len()));
    }
    let moves = conn.call("CLIENT INFO");
    let moves = moves.split(" moves=").nth(1).expect("it is said");
    let moves: u32 = moves
        .split([' ', '\r', '\n'])
        .next()
        .unwrap_or_default()
        .parse()
        .expect("a number");
    assert!((1999..=2000).contains(&moves), "{moves} moves");
}

#[test]
fn half_a_record_goes_along() {
    let pki = Pki::new();
    let server = pki.serve(&[("cpu-allocation", "2"), ("overprovisioned", "yes")]);
    let mut conn = pki.connect(&server, Some("client")).expect("let in");
    let mut operator = pki.connect(&server, Some("client")).expect("let in");
    let id = conn.call("CLIENT ID");
    let id = id.trim_start_matches(':').trim_end();
    for round in 0..20 {
        let set = encode(&format!("SET half {round}"));
        conn.stream
            .conn
            .writer()
            .write_all(&set)
            .expect("encrypted");
        let mut record = Vec::new();
        conn.stream.conn.write_tls(&mut record).expect("taken out");
        let cut = 1 + round % (record.len() - 1);
        conn.stream.sock.write_all(&record[..cut]).expect("taken");
        for to in ["0", "1"] {
            let order = format!("CLIENT MIGRATE {to} ID {id}");
            assert!(operator.call(&order).starts_with(':'), "{order}");
            let there = format!(" shard={to} ");
            let list = format!("CLIENT LIST ID {id}");
            eventually("it is there", || operator.call(&list).contains(&there));
        }
        conn.stream.sock.write_all(&record[cut..]).expect("taken");
        assert_eq!(conn.reply(), "+OK\r\n");
    }
}

#[test]
fn sessions_are_taken_up_again() {
    let pki = Pki::new();
    for (caching, resumed) in [("yes", 3), ("no", 0)] {
        let server = pki.serve(&[("tls-session-caching", caching)]);
        let config = pki.config(Some("client"));
        for _ in 0..4 {
            TlsConn::open(&server, config.clone()).expect("let in");
        }
        let mut operator = pki.connect(&server, Some("client")).expect("let in");
        assert_eq!(
            operator.counter("tls_handshakes_resumed"),
            resumed,
            "{caching}"
        );
        assert_eq!(operator.counter("tls_handshakes"), 5, "{caching}");
    }
}
