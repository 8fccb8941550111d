//! Client libraries of others, in their own words: what programs do, not what the protocol allows.

use redis::{Commands, Connection, ErrorKind, ExistenceCheck, SetExpiry, SetOptions};

use crate::server::Server;
use crate::tools;

/// Both protocols, as this library names them.
const PROTOCOLS: [&str; 2] = ["resp2", "resp3"];

#[track_caller]
fn connect(server: &Server, protocol: &str) -> Connection {
    let address = format!("redis://{}/3?protocol={protocol}", server.address);
    let client = redis::Client::open(address).expect("an address it understands");
    client.get_connection().expect("the server accepts it")
}

/// What a program writes, as one test over both protocols: `body` gets a connection to a fresh server.
#[track_caller]
fn on_both(body: impl Fn(&mut Connection) -> redis::RedisResult<()>) {
    for protocol in PROTOCOLS {
        let server = Server::start(&[]);
        body(&mut connect(&server, protocol)).unwrap_or_else(|error| panic!("{protocol}: {error}"));
    }
}

#[test]
fn strings_numbers_and_options() {
    on_both(|conn| {
        let _: () = conn.set("name", "corelane")?;
        assert_eq!(conn.get::<_, String>("name")?, "corelane");
        assert_eq!(conn.get::<_, Option<String>>("nothing")?, None);
        assert_eq!(conn.append::<_, _, usize>("name", " runs")?, 13);
        assert_eq!(conn.getrange::<_, String>("name", -4, -1)?, "runs");
        assert_eq!(conn.incr::<_, _, i64>("count", 41)?, 41);
        assert_eq!(conn.incr::<_, _, i64>("count", 1)?, 42);
        assert_eq!(conn.incr::<_, _, f64>("half", 0.5)?, 0.5);
        let once = || {
            SetOptions::default()
                .conditional_set(ExistenceCheck::NX)
                .with_expiration(SetExpiry::EX(100))
        };
        assert!(conn.set_options::<_, _, bool>("lock", "mine", once())?);
        assert_eq!(
            conn.set_options::<_, _, Option<String>>("lock", "yours", once())?,
            None
        );
        assert!((99..=100).contains(&conn.ttl::<_, i64>("lock")?));
        let binary: Vec<u8> = (0..=255).collect();
        let _: () = conn.set("binary", &binary)?;
        assert_eq!(conn.get::<_, Vec<u8>>("binary")?, binary);
        Ok(())
    });
}

#[test]
fn many_keys_on_all_shards() {
    on_both(|conn| {
        let pairs: Vec<(String, usize)> = (0..500).map(|n| (format!("key:{n}"), n)).collect();
        let _: () = conn.mset(&pairs)?;
        let keys: Vec<&String> = pairs.iter().map(|(key, _)| key).collect();
        assert_eq!(
            conn.mget::<_, Vec<usize>>(&keys)?,
            (0..500).collect::<Vec<_>>()
        );
        let mut scanned: Vec<String> = conn.scan_match("key:*")?.collect::<Result<_, _>>()?;
        scanned.sort();
        let mut wanted: Vec<String> = keys.iter().map(ToString::to_string).collect();
        wanted.sort();
        assert_eq!(scanned, wanted);
        let _: () = conn.rename("key:0", "renamed")?;
        assert_eq!(conn.get::<_, Option<usize>>("renamed")?, Some(0));
        assert_eq!(conn.del::<_, usize>(&keys)?, 499);
        Ok(())
    });
}

#[test]
fn pipelines_keep_their_order() {
    on_both(|conn| {
        let mut pipeline = redis::pipe();
        for n in 0..1000 {
            pipeline.set(format!("k{}", n % 10), n).ignore();
            pipeline.get(format!("k{}", n % 10));
        }
        let got: Vec<usize> = pipeline.query(conn)?;
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn errors_keep_their_kind() {
    on_both(|conn| {
        let _: () = conn.set("word", "no number")?;
        let error = conn.incr::<_, _, i64>("word", 1).expect_err("not a number");
        assert_eq!(
            error.kind(),
            ErrorKind::Server(redis::ServerErrorKind::ResponseError)
        );
        assert_eq!(error.code(), Some("ERR"));
        assert_eq!(
            error.detail(),
            Some("value is not an integer or out of range")
        );
        // The connection is as good as before.
        assert_eq!(conn.get::<_, String>("word")?, "no number");
        Ok(())
    });
}

#[test]
fn a_password_in_the_address() {
    let server = Server::start(&[("requirepass", "hunter2")]);
    for (address, lets_in) in [
        (format!("redis://:hunter2@{}/", server.address), true),
        (
            format!("redis://default:hunter2@{}/?protocol=resp3", server.address),
            true,
        ),
        (format!("redis://:hunter3@{}/", server.address), false),
    ] {
        let client = redis::Client::open(address.as_str()).expect("an address it understands");
        let opened = client
            .get_connection()
            .and_then(|mut conn| conn.ping::<String>());
        assert_eq!(opened.is_ok(), lets_in, "{address}: {opened:?}");
    }
}

/// Python's `redis`, where `CORELANE_TEST_PYTHON` names an interpreter that has it.
#[test]
fn python() {
    let Ok(interpreter) = std::env::var("CORELANE_TEST_PYTHON") else {
        tools::missing("Python's redis (CORELANE_TEST_PYTHON names an interpreter that has it)");
        return;
    };
    let server = Server::start(&[]);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/judges/python_redis.py"
    );
    let port = server.address.port().to_string();
    if let Some(output) = tools::run(&interpreter, &[script, &port], b"") {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
}
