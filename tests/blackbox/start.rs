//! Starting and stopping: the ready line, exit codes, the sentences of what went wrong.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

use crate::server::{Server, command, wait};

#[test]
fn the_ready_line_names_address_shards_and_backend() {
    let server = Server::start(&[]);
    let rest = server
        .ready_line
        .strip_prefix("ready: 127.0.0.1:")
        .expect("the address comes first");
    let fields: Vec<&str> = rest.split(", ").collect();
    assert_eq!(fields.len(), 3, "{}", server.ready_line);
    assert_ne!(fields[0], "0", "a port was picked");
    let shards = fields[1].split(" (").next();
    assert!(
        shards.is_some_and(|shards| shards.ends_with(" shards") || shards == "1 shard"),
        "{}",
        server.ready_line
    );
    assert!(
        ["io_uring", "polling"].contains(&fields[2]),
        "{}",
        server.ready_line
    );
    assert_eq!(server.connect().call("PING"), "+PONG\r\n");
}

#[test]
fn signals_and_shutdown_drain_and_exit_zero() {
    for how in ["TERM", "INT", "SHUTDOWN"] {
        let server = Server::start(&[]);
        let mut conn = server.connect();
        assert_eq!(conn.call("SET k v"), "+OK\r\n");
        match how {
            "SHUTDOWN" => conn.send("SHUTDOWN NOSAVE"),
            signal => server.signal(signal),
        }
        assert!(conn.is_closed(), "{how}: the client is let go");
        let (status, said) = server.wait();
        assert!(status.success(), "{how}: {status}: {said}");
    }
}

#[test]
fn a_log_that_cannot_be_written_neither_ends_the_node_nor_keeps_it_from_ending() {
    let full = || Stdio::from(File::create("/dev/full").expect("a disk that is full"));
    let closed = || Stdio::from(std::io::pipe().expect("a pipe").1);
    for (broken, how) in [(full(), "TERM"), (full(), "SHUTDOWN"), (closed(), "INT")] {
        let server = Server::start_by(&[], |command| {
            command.stderr(broken);
        });
        // A shard has a word to say of it.
        let mut http = server.connect();
        http.write(b"POST / HTTP/1.1\r\n");
        assert!(http.is_closed(), "{how}: cut off");
        let mut conn = server.connect();
        assert_eq!(conn.call("PING"), "+PONG\r\n", "{how}");
        match how {
            "SHUTDOWN" => conn.send("SHUTDOWN NOSAVE"),
            signal => server.signal(signal),
        }
        let (status, _) = server.wait();
        assert_eq!(status.code(), Some(0), "{how}: {status}");
    }
}

#[test]
fn a_panicking_shard_ends_the_node_with_its_reason() {
    let server = Server::start(&[("enable-debug-command", "yes")]);
    let mut conn = server.connect();
    conn.send("DEBUG PANIC");
    assert!(conn.is_closed());
    let (status, said) = server.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("shard") && said.contains("DEBUG PANIC was asked for"),
        "{said}"
    );
}

/// A start that fails: exit code 2 and one sentence that names what is wrong.
#[track_caller]
fn check_refused(args: &[&str], says: &[&str]) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = command(dir.path())
        .args(args)
        .spawn()
        .expect("the binary starts");
    let status = wait(&mut child);
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("stderr")
        .read_to_string(&mut said)
        .expect("text");
    assert_eq!(status.code(), Some(2), "{args:?}: {said}");
    for part in says {
        assert!(said.contains(part), "{args:?} should say {part:?}: {said}");
    }
}

#[test]
fn a_port_in_use_is_one_clear_sentence() {
    let server = Server::start(&[]);
    let port = server.address.port().to_string();
    check_refused(
        &["serve", "--port", &port],
        &["127.0.0.1", &port, "in use", "--port"],
    );
}

#[test]
fn bad_flags_and_files_are_clear() {
    check_refused(&["serve", "--no-such-flag", "1"], &["--no-such-flag"]);
    check_refused(&["serve", "--port", "70000"], &["port", "70000"]);
    check_refused(&["serve", "--port", "many"], &["port", "many"]);
    check_refused(
        &["serve", "--config", "/no/such/file.toml"],
        &["/no/such/file.toml"],
    );
    check_refused(&["serve", "--dir", "/no/such/dir"], &["/no/such/dir"]);
    check_refused(
        &["serve", "--io", "carrier-pigeon"],
        &["io", "carrier-pigeon"],
    );
    check_refused(&["serve", "--bind", "192.0.2.7"], &["192.0.2.7"]);
    check_refused(&["no-such-subcommand"], &["no-such-subcommand"]);
}

#[test]
fn an_impossible_allocation_is_refused() {
    check_refused(&["serve", "--cpu-allocation", "9000..9004"], &["9000"]);
    check_refused(&["serve", "--cpu-allocation", "numa:nodes=77"], &["77"]);
    check_refused(&["serve", "--cpu-allocation", "most"], &["most"]);
    for command in ["serve", "plan"] {
        let none_for_data = [command, "--cpu-allocation", "2", "--io-shards", "2"];
        let sentence = "io-shards = 2 leaves no shard for the data of 2 shards";
        check_refused(&none_for_data, &[sentence, "write 1, or ask for more"]);
    }
    check_refused(&["serve", "--io-shards", "256"], &["256", "0 to 255"]);
    check_refused(&["serve", "--profile", "fast"], &["low-latency"]);
}

#[test]
fn a_public_address_needs_a_password() {
    check_refused(&["serve", "--bind", "0.0.0.0"], &["0.0.0.0", "requirepass"]);
    let server = Server::start(&[("bind", "0.0.0.0"), ("requirepass", "hunter2")]);
    let mut conn = crate::conn::Conn::open(([127, 0, 0, 1], server.address.port()).into());
    assert_eq!(conn.call("PING"), "-NOAUTH Authentication required.\r\n");
    assert_eq!(
        conn.call("AUTH hunter3").split(' ').next(),
        Some("-WRONGPASS")
    );
    assert_eq!(conn.call("AUTH hunter2"), "+OK\r\n");
    assert_eq!(conn.call("PING"), "+PONG\r\n");
}

#[test]
fn a_config_file_and_its_errors() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("corelane.toml");
    std::fs::write(&path, "# mine\nmaxclients = 77\n").expect("a file");
    let path_text = path.to_str().expect("a path");
    let server = Server::start(&[("config", path_text)]);
    let mut conn = server.connect();
    assert_eq!(
        conn.call("CONFIG GET maxclients"),
        "*2\r\n$10\r\nmaxclients\r\n$2\r\n77\r\n"
    );
    assert_eq!(conn.call("CONFIG SET maxclients 78"), "+OK\r\n");
    assert_eq!(conn.call("CONFIG REWRITE"), "+OK\r\n");
    let written = std::fs::read_to_string(&path).expect("the file");
    assert!(
        written.contains("# mine") && written.contains("maxclients = 78"),
        "{written}"
    );

    std::fs::write(&path, "maxclients = 5\nmaxclient = 6\n").expect("a file");
    check_refused(
        &["serve", "--config", path_text],
        &["maxclient", "2", "maxclients"],
    );
}

#[test]
fn a_unix_socket_serves_the_same_data() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("corelane.sock");
    let path_text = path.to_str().expect("a path");
    let server = Server::start(&[
        ("unixsocket", path_text),
        ("unixsocketperm", "700"),
        ("port", "auto"),
    ]);
    assert_eq!(server.connect().call("SET shared 1"), "+OK\r\n");
    let said = ask(&path, "GET shared\r\nQUIT\r\n");
    assert_eq!(said, "$1\r\n1\r\n+OK\r\n");
}

/// All that is said over a Unix socket until the server closes the connection.
fn ask(socket: &Path, commands: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the socket accepts");
    std::io::Write::write_all(&mut stream, commands.as_bytes()).expect("written");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("replies");
    said
}

#[test]
fn port_0_beside_a_unix_socket_is_no_port() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("corelane.sock");
    let path_text = path.to_str().expect("a path");
    let server = Server::start(&[("port", "0"), ("unixsocket", path_text)]);
    let ready = format!("ready: {path_text}, ");
    assert!(
        server.ready_line.starts_with(&ready),
        "{}",
        server.ready_line
    );
    let info = ask(&path, "INFO server\r\nQUIT\r\n");
    assert!(info.contains("\r\ntcp_port:0\r\n"), "{info}");
}

#[test]
fn a_file_that_is_no_socket_is_not_taken_for_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "precious").expect("a file");
    let path_text = path.to_str().expect("a path");
    check_refused(
        &["serve", "--unixsocket", path_text],
        &[path_text, "exists and is not a socket", "--unixsocket"],
    );
    assert_eq!(std::fs::read_to_string(&path).expect("it"), "precious");
}
