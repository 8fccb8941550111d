//! `CONFIG GET` and `CONFIG SET` as Redis's clients know them.

use super::*;

/// Enough of a glob for these tests: `*` at either end. The real one is the protocol's.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.strip_suffix(b"*"), pattern.strip_prefix(b"*")) {
        (Some(b""), _) => true,
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        _ => name == pattern,
    }
}

fn get(settings: &Settings, patterns: &[&str]) -> Vec<(String, String)> {
    let patterns: Vec<&[u8]> = patterns.iter().map(|p| p.as_bytes()).collect();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    settings
        .get(&patterns, glob)
        .into_iter()
        .map(|(k, v)| (text(k), text(v)))
        .collect()
}

fn set(settings: &mut Settings, pairs: &[(&str, &str)]) -> Result<Vec<&'static str>, String> {
    let pairs: Vec<(&[u8], &[u8])> = pairs
        .iter()
        .map(|(k, v)| (k.as_bytes(), v.as_bytes()))
        .collect();
    settings
        .set(&pairs)
        .map(|s| s.iter().map(|s| s.name).collect())
        .map_err(|e| e.to_string())
}

#[test]
fn get_by_name_pattern_and_older_name() {
    let settings = Settings::default();
    assert_eq!(get(&settings, &["PORT"]), [("PORT".into(), "6379".into())]);
    assert_eq!(
        get(&settings, &["no-such", "port", "Port"]),
        [("port".into(), "6379".into())]
    );
    let rows = get(&settings, &["maxmemory", "maxmemory*", "bind", "*of"]);
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "maxmemory",
        "maxmemory-samples",
        "maxmemory-clients",
        "bind",
        "replicaof",
        "slaveof",
    ] {
        assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name}");
    }
}

#[test]
fn hidden_settings_need_their_name() {
    let settings = Settings::default();
    assert!(
        !get(&settings, &["*"])
            .iter()
            .any(|(name, _)| name == "key-load-delay")
    );
    assert_eq!(
        get(&settings, &["key-load-delay"]),
        [("key-load-delay".into(), "0".into())]
    );
}

#[test]
fn set_answers_what_changed_and_raises_the_epoch() {
    let mut settings = Settings::default();
    let changed = set(
        &mut settings,
        &[
            ("maxmemory", "11mb"),
            ("timeout", "0"),
            ("lua-time-limit", "10"),
        ],
    );
    assert_eq!(changed, Ok(vec!["maxmemory", "busy-reply-threshold"]));
    assert_eq!(settings.epoch(), 1);
    assert_eq!(get(&settings, &["maxmemory"])[0].1, "11534336");
    assert_eq!(set(&mut settings, &[("timeout", "0")]), Ok(vec![]));
    assert_eq!(settings.epoch(), 1, "nothing changed");
}

#[test]
fn set_is_all_or_none() {
    let mut settings = Settings::default();
    set(&mut settings, &[("maxmemory", "10000002")]).unwrap();
    let pairs = [
        ("maxmemory", "10000001"),
        ("maxmemory-clients", "200%"),
        ("client-query-buffer-limit", "invalid"),
    ];
    let want = "CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or equal to 100";
    assert_eq!(set(&mut settings, &pairs), Err(want.into()));
    assert_eq!(settings.bytes("maxmemory"), 10_000_002);
    assert_eq!(settings.epoch(), 1);
}

#[test]
fn what_set_refuses() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (
            &[("no-such", "1")],
            "Unknown option or number of arguments for CONFIG SET - 'no-such'",
        ),
        (
            &[("timeout", "1"), ("nope", "1"), ("also", "1")],
            "Unknown option or number of arguments for CONFIG SET - 'nope'",
        ),
        (
            &[("daemonize", "yes")],
            "CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config",
        ),
        (
            &[("dir", "/etc")],
            "CONFIG SET failed (possibly related to argument 'dir') - can't set immutable config",
        ),
        (
            &[("hz", "20"), ("HZ", "30")],
            "CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter",
        ),
        (
            &[
                ("hash-max-listpack-entries", "1"),
                ("hash-max-ziplist-entries", "2"),
            ],
            "CONFIG SET failed (possibly related to argument 'hash-max-ziplist-entries') - duplicate parameter",
        ),
        (
            &[("maxmemory", "bla")],
            "CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
        ),
        (
            &[("appendonly", "maybe")],
            "CONFIG SET failed (possibly related to argument 'appendonly') - argument must be 'yes' or 'no'",
        ),
        (
            &[("maxmemory-policy", "allkeys-lru")],
            "CONFIG SET failed (possibly related to argument 'maxmemory-policy') - 'allkeys-lru' is not available: this version evicts nothing, use noeviction",
        ),
        (
            &[("loglevel", "loud")],
            "CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be one of the following: debug, verbose, notice, warning",
        ),
    ];
    for (pairs, want) in rows {
        let mut settings = Settings::default();
        assert_eq!(set(&mut settings, pairs), Err((*want).into()), "{pairs:?}");
        assert_eq!(settings.epoch(), 0);
    }
}

/// A client that saves what `CONFIG GET *` says and sets it again must get through.
#[test]
fn every_setting_takes_the_value_it_has() {
    let mut settings = Settings::default();
    settings.detect("maxmemory", Value::Bytes(1 << 30));
    for (name, value) in settings.clone().get(&[b"*"], glob) {
        settings
            .set(&[(&name, &value)])
            .unwrap_or_else(|e| panic!("{e}"));
    }
    assert!(SETTINGS.iter().all(|s| settings.value(s.name).to_bytes()
        == if s.name == "maxmemory" {
            b"1073741824".to_vec()
        } else {
            s.default_value().to_bytes()
        }));
}

#[test]
fn passwords_are_binary_and_do_not_open_public_addresses() {
    let mut settings = Settings::default();
    settings.set(&[(b"requirepass", b"abc\0def")]).unwrap();
    assert_eq!(settings.get(&[b"requirepass"], glob)[0].1, b"abc\0def");
    settings.set(&[(b"requirepass", b"")]).unwrap();

    let bind = find("bind").unwrap().0;
    let public = find("bind")
        .unwrap()
        .1
        .kind
        .parse(b"127.0.0.1 *", None)
        .unwrap();
    settings.set(&[(b"requirepass", b"secret")]).unwrap();
    settings.put(bind, public, Source::Flag("--bind".into()));
    let error = set(&mut settings, &[("requirepass", "")]).unwrap_err();
    assert!(
        error.contains("'requirepass'") && error.contains("0.0.0.0"),
        "{error}"
    );
    assert_eq!(
        set(
            &mut settings,
            &[("requirepass", ""), ("protected-mode", "no")]
        )
        .map(|c| c.len()),
        Ok(2)
    );
    assert!(set(&mut settings, &[("protected-mode", "yes")]).is_err());
}

/// Redis's own suite sets these before it looks at anything else.
#[test]
fn what_redis_own_tests_set() {
    let rows = [
        ("save", "3600 1 300 100 60 10000"),
        ("save", ""),
        ("appendonly", "yes"),
        ("appendonly", "no"),
        ("aof-use-rdb-preamble", "no"),
        ("rdb-key-save-delay", "1000000"),
        ("rdb-key-save-delay", "-1"),
        ("list-max-listpack-size", "-2"),
        ("list-max-ziplist-size", "16"),
        ("list-compress-depth", "1"),
        ("set-max-intset-entries", "512"),
        ("hash-max-listpack-entries", "20"),
        ("hash-max-ziplist-value", "64"),
        ("zset-max-ziplist-entries", "0"),
        ("zset-max-listpack-value", "10000"),
        ("stream-node-max-entries", "10"),
        ("stream-node-max-bytes", "0"),
        ("proto-max-bulk-len", "10000000000"),
        ("client-query-buffer-limit", "2147483648"),
        ("proc-title-template", "TEST {title}"),
        ("maxmemory", "1"),
        ("maxmemory", "0"),
        ("maxmemory-policy", "noeviction"),
        ("notify-keyspace-events", "KEA"),
        ("masterauth", "abc"),
        ("shutdown-on-sigterm", "nosave now"),
        ("client-output-buffer-limit", "normal 100000 0 0"),
        ("slowlog-log-slower-than", "-1"),
        ("latency-tracking", "no"),
        ("lua-time-limit", "10"),
        ("latency-tracking-info-percentiles", ""),
        ("maxmemory-clients", "5%"),
        ("loglevel", "verbose"),
        ("use-exit-on-panic", "yes"),
        ("crash-memcheck-enabled", "no"),
        ("sanitize-dump-payload", "no"),
        ("min-slaves-to-write", "0"),
        ("replica-serve-stale-data", "no"),
        ("repl-timeout", "10"),
        ("repl-ping-replica-period", "3600"),
        ("repl-backlog-size", "10240"),
        ("hz", "100"),
        ("maxclients", "10"),
        ("oom-score-adj-values", "1 1 1"),
        ("dynamic-hz", "no"),
        ("tracking-table-max-keys", "1"),
        ("rdbcompression", "no"),
        ("key-load-delay", "50"),
        ("auto-aof-rewrite-percentage", "0"),
        ("acl-pubsub-default", "allchannels"),
        ("busy-reply-threshold", "200"),
        ("hll-sparse-max-bytes", "30"),
    ];
    let mut settings = Settings::default();
    for (name, value) in rows {
        set(&mut settings, &[(name, value)]).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn what_the_machine_cannot_give_is_lowered_once_and_refused_later() {
    let mut settings = Settings::default();
    assert_eq!(settings.bound("maxclients", 200), Some(10_000));
    assert_eq!(
        get(&settings, &["maxclients"]),
        [("maxclients".into(), "200".into())]
    );
    assert_eq!(*settings.source("maxclients"), Source::Default);
    assert_eq!(
        set(&mut settings, &[("maxclients", "201")]).unwrap_err(),
        "CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is \
         not able to handle the specified number of clients, try with 200"
    );
    for (text, clients) in [("100", 100), ("200", 200)] {
        assert_eq!(
            set(&mut settings, &[("maxclients", text)]).unwrap(),
            ["maxclients"]
        );
        assert_eq!(settings.int("maxclients"), clients);
    }
    assert_eq!(settings.bound("maxclients", 200), None, "it is enough");
}
