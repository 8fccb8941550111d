//! Redis's own tools, which operators have at hand: `redis-cli` and `redis-benchmark`.

use crate::server::Server;
use crate::tools;

/// What a call of `redis-cli` prints, if it is installed.
#[track_caller]
fn cli(server: &Server, args: &[&str], input: &[u8]) -> Option<String> {
    let port = server.address.port().to_string();
    let mut all = vec!["-p", &port];
    all.extend(args);
    let output = tools::run("redis-cli", &all, input)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "redis-cli {args:?}: {said}{errors}"
    );
    Some(said)
}

/// Rows of arguments and what is printed, on one server.
#[track_caller]
fn check(rows: &[(&[&str], &str)]) {
    let server = Server::start(&[]);
    for (args, expected) in rows {
        if let Some(said) = cli(&server, args, b"") {
            assert_eq!(said, *expected, "redis-cli {args:?}");
        }
    }
}

#[test]
fn commands_from_a_shell() {
    check(&[
        (&["PING"], "PONG\n"),
        (&["SET", "k", "two words"], "OK\n"),
        (&["GET", "k"], "two words\n"),
        (&["--no-raw", "GET", "k"], "\"two words\"\n"),
        (&["--no-raw", "GET", "nothing"], "(nil)\n"),
        (&["-r", "3", "INCR", "n"], "1\n2\n3\n"),
        (&["--no-raw", "INCR", "n"], "(integer) 4\n"),
        (&["MGET", "k", "nothing", "n"], "two words\n\n4\n"),
        (&["--csv", "MGET", "k", "n"], "\"two words\",\"4\"\n"),
        (&["-n", "7", "DBSIZE"], "0\n"),
        (
            &["INCR", "k"],
            "ERR value is not an integer or out of range\n\n",
        ),
        (
            &["nonsense", "a"],
            "ERR unknown command 'nonsense', with args beginning with: 'a' \n\n",
        ),
        (&["-3", "--no-raw", "GET", "nothing"], "(nil)\n"),
        (
            &["-3", "--no-raw", "CONFIG", "GET", "maxclients"],
            "1# \"maxclients\" => \"10000\"\n",
        ),
        (
            &["-3", "--json", "MGET", "k", "nothing"],
            "[\"two words\",null]\n",
        ),
    ]);
}

#[test]
fn lines_of_a_script() {
    let server = Server::start(&[]);
    let script = b"SET a 1\nINCRBY a 41\nGET a\nEXPIRE a 100\nPERSIST a\n";
    if let Some(said) = cli(&server, &[], script) {
        assert_eq!(said, "OK\n42\n42\n1\n1\n");
    }
    if let Some(said) = cli(&server, &["-x", "SET", "from-a-file"], b"whole\r\ninput") {
        assert_eq!(said, "OK\n");
        assert_eq!(
            server.connect().call("GET from-a-file"),
            "$12\r\nwhole\r\ninput\r\n"
        );
    }
}

#[test]
fn info_is_read_by_people() {
    let server = Server::start(&[]);
    if let Some(said) = cli(&server, &["INFO"], b"") {
        for line in [
            "# Server",
            "redis_version:7.",
            "# Memory",
            "used_memory:",
            "# Keyspace",
        ] {
            assert!(said.contains(line), "{line} is missing: {said}");
        }
    }
}

#[test]
fn a_file_of_commands_is_piped_in() {
    let server = Server::start(&[]);
    let commands: Vec<u8> = (0..20_000)
        .flat_map(|n| crate::conn::encode(&format!("SET key:{n} {n}")))
        .collect();
    if let Some(said) = cli(&server, &["--pipe"], &commands) {
        assert!(said.ends_with("errors: 0, replies: 20000\n"), "{said}");
        assert_eq!(server.connect().call("DBSIZE"), ":20000\r\n");
    }
}

#[test]
fn keys_are_scanned_and_weighed() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    for n in 0..1000 {
        assert_eq!(
            conn.call(&format!("SET key:{n} {}", "v".repeat(n.max(1)))),
            "+OK\r\n"
        );
    }
    if let Some(said) = cli(&server, &["--scan", "--pattern", "key:77?"], b"") {
        let mut keys: Vec<&str> = said.lines().collect();
        keys.sort();
        let wanted: Vec<String> = (770..780).map(|n| format!("key:{n}")).collect();
        assert_eq!(keys, wanted);
    }
    if let Some(said) = cli(&server, &["--bigkeys"], b"") {
        assert!(
            said.contains("Biggest string found '\"key:999\"' has 999 bytes"),
            "{said}"
        );
        assert!(
            said.contains("Sampled 1000 keys in the keyspace!"),
            "{said}"
        );
    }
    if let Some(said) = cli(&server, &["--memkeys"], b"") {
        // Which key is the biggest is up to the allocator's classes.
        assert!(said.contains("Biggest string found '\"key:"), "{said}");
        assert!(
            said.contains("Sampled 1000 keys in the keyspace!"),
            "{said}"
        );
    }
}

#[test]
fn the_benchmark_runs() {
    let server = Server::start(&[]);
    let port = server.address.port().to_string();
    let tests = "ping_inline,ping_mbulk,set,get,incr,mset";
    for extra in [&["-P", "16"][..], &["-3"][..]] {
        let mut args = vec![
            "-p", &port, "-n", "5000", "-c", "10", "-r", "1000", "--csv", "-t", tests,
        ];
        args.extend(extra);
        if let Some(output) = tools::run("redis-benchmark", &args, b"") {
            let said = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}{errors}");
            // A heading and a row for each.
            assert_eq!(
                said.lines().filter(|line| line.starts_with('"')).count(),
                7,
                "{said}"
            );
            assert!(
                !errors.contains("WARNING") && !said.contains("Error"),
                "{said}{errors}"
            );
        }
    }
}
