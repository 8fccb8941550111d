//! What each layer gives, which goes before which, and what the errors say.

use super::*;

#[derive(Default)]
struct Given<'a> {
    file: Option<&'a str>,
    env: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect()
}

fn try_load(given: Given<'_>) -> Result<Loaded, String> {
    let (env, flags) = (owned(given.env), owned(given.flags));
    let file = given
        .file
        .map(|text| (Path::new("/etc/corelane.toml"), text));
    load(&Layers {
        cwd: Path::new("/srv"),
        file,
        env: &env,
        flags: &flags,
    })
    .map_err(|e| e.to_string())
}

#[test]
fn later_layers_go_first() {
    let given = Given {
        file: Some("port = 1\nhz = 20\ntimeout = 3\n"),
        env: &[
            ("CORELANE_PORT", "2"),
            ("CORELANE_HZ", "30"),
            ("HOME", "/root"),
        ],
        flags: &[("port", "4"), ("port", "5")],
    };
    let settings = try_load(given).unwrap().settings;
    let rows = [
        ("port", "5", "flag --port"),
        ("hz", "30", "variable CORELANE_HZ"),
        ("timeout", "3", "/etc/corelane.toml:3"),
        ("maxclients", "10000", "default"),
    ];
    for (name, value, source) in rows {
        assert_eq!(settings.value(name).to_string(), value, "{name}");
        assert_eq!(settings.source(name).to_string(), source, "{name}");
    }
}

#[test]
fn toml_values_of_every_form() {
    let text = r#"
        # A comment.
        bind = ["127.0.0.1", "-::1"]
        maxmemory = "100mb"
        client-query-buffer-limit = 2097152
        cpu_allocation = "numa:nodes=0,1;cores=4"
        save = [[3600, 1], [300, 100]]
        appendonly = true
        dynamic-hz = "no"
        unixsocketperm = 0o700
        latency-tracking-info-percentiles = [50, 99.9]
        slave-read-only = false
        requirepass = "pässword"
    "#;
    let settings = try_load(Given {
        file: Some(text),
        ..Given::default()
    })
    .unwrap()
    .settings;
    let rows = [
        ("bind", "127.0.0.1 -::1"),
        ("maxmemory", "104857600"),
        ("client-query-buffer-limit", "2097152"),
        ("cpu-allocation", "numa:nodes=0,1;cores=4"),
        ("save", "3600 1 300 100"),
        ("appendonly", "yes"),
        ("dynamic-hz", "no"),
        ("unixsocketperm", "700"),
        ("latency-tracking-info-percentiles", "50 99.9"),
        ("replica-read-only", "no"),
    ];
    for (name, want) in rows {
        assert_eq!(settings.value(name).to_string(), want, "{name}");
    }
    assert_eq!(
        settings.value("requirepass").to_bytes(),
        "pässword".as_bytes()
    );
}

#[test]
fn errors_say_where_and_what() {
    let rows = [
        (
            "port = \"abc\"",
            "/etc/corelane.toml:1: port takes a whole number from 0 to 65535, or auto, not 'abc'",
        ),
        (
            "\n\nport = 70000",
            "/etc/corelane.toml:3: port takes a whole number from 0 to 65535, or auto, not '70000'",
        ),
        (
            "prot = 1",
            "/etc/corelane.toml:1: there is no setting 'prot'; did you mean 'port'?",
        ),
        (
            "frobnicate = 1",
            "/etc/corelane.toml:1: there is no setting 'frobnicate'",
        ),
        (
            "hz = 10\n\nHZ = 20",
            "/etc/corelane.toml:3: 'HZ' is given a second time; it also stands in line 1",
        ),
        (
            "slave-priority = 1\nreplica-priority = 2",
            "/etc/corelane.toml:2: 'replica-priority' is given a second time; it also stands in line 1",
        ),
        (
            "hz = 10\n[server]\nport = 1",
            "/etc/corelane.toml:2: 'server' is a section; settings are plain keys, such as port = 7000",
        ),
        (
            "port.number = 1",
            "/etc/corelane.toml:1: 'port' is a section; settings are plain keys, such as port = 7000",
        ),
        (
            "port = { a = 1 }",
            "/etc/corelane.toml:1: 'port' is a section; settings are plain keys, such as port = 7000",
        ),
        (
            "config = 'x'",
            "/etc/corelane.toml:1: 'config' cannot stand in the file itself; give it as --config or CORELANE_CONFIG",
        ),
        (
            "maxmemory-policy = 'allkeys-lru'",
            "/etc/corelane.toml:1: maxmemory-policy: 'allkeys-lru' is not available: this version evicts nothing, use noeviction",
        ),
        (
            "daemonize = true",
            "/etc/corelane.toml:1: daemonize: the server stays in the foreground; use a service manager or '&'",
        ),
        (
            "cpu_allocation = '8..2'",
            "/etc/corelane.toml:1: cpu-allocation: `8..2`: the range 8..2 holds no CPU: its end is not part of it; write `all`, a number of shards such as `4`, a range of CPUs such as `2..8` (2 to 7), `numa:auto`, or `numa:nodes=0,1;cores=4;no_ht=true`",
        ),
        (
            "io = 'epoll'",
            "/etc/corelane.toml:1: io takes auto, uring or polling, not 'epoll'",
        ),
        (
            "bind = '10.0.0.7'",
            "/etc/corelane.toml:1: other machines could connect to 10.0.0.7 without a password; give requirepass, or protected-mode no if they shall",
        ),
    ];
    for (text, want) in rows {
        let error = try_load(Given {
            file: Some(text),
            ..Given::default()
        })
        .unwrap_err();
        assert_eq!(error, want, "{text:?}");
    }
    let error = try_load(Given {
        file: Some("hz = 10\nport = = 1\n"),
        ..Given::default()
    })
    .unwrap_err();
    assert!(
        error.starts_with("/etc/corelane.toml:2: not valid TOML: ") && !error.contains('\n'),
        "{error}"
    );
}

#[test]
fn errors_of_variables_and_flags() {
    let error = try_load(Given {
        env: &[("CORELANE_MAXMEMORY", "lots")],
        ..Given::default()
    })
    .unwrap_err();
    assert_eq!(
        error,
        "variable CORELANE_MAXMEMORY: maxmemory takes bytes, such as 2gb, or auto, not 'lots'"
    );
    let error = try_load(Given {
        flags: &[("timeout", "-1")],
        ..Given::default()
    })
    .unwrap_err();
    assert_eq!(
        error,
        "flag --timeout: timeout takes a whole number from 0, not '-1'"
    );
}

#[test]
fn a_public_address_needs_a_password_or_a_word() {
    let load = |flags| {
        try_load(Given {
            flags,
            ..Given::default()
        })
    };
    assert!(
        load(&[("bind", "*")])
            .unwrap_err()
            .starts_with("flag --bind: other machines could connect to 0.0.0.0")
    );
    assert!(load(&[("bind", "127.0.0.1 ::")]).is_err());
    assert!(load(&[("bind", "*"), ("requirepass", "x")]).is_ok());
    assert!(load(&[("bind", "*"), ("protected-mode", "no")]).is_ok());
    assert!(load(&[("bind", "127.0.0.1 ::1 127.8.8.8")]).is_ok());
    assert!(load(&[("bind", "")]).is_ok());
}

#[test]
fn rust_log_is_the_farther_variable() {
    let log = |env| {
        try_load(Given {
            file: Some("log = 'warn'"),
            env,
            ..Given::default()
        })
        .unwrap()
        .settings
        .logging()
        .filter
    };
    assert_eq!(log(&[]), "warn");
    assert_eq!(log(&[("RUST_LOG", "debug")]), "debug");
    assert_eq!(
        log(&[("CORELANE_LOG", "trace"), ("RUST_LOG", "debug")]),
        "trace"
    );
}

#[test]
fn unknown_variables_are_a_warning_and_service_links_are_not() {
    let env = &[
        ("CORELANE_MAXMEMROY", "1gb"),
        ("CORELANE_PORT", "tcp://10.0.0.1:6379"),
        ("CORELANE_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ("CORELANE_SERVICE_HOST", "10.0.0.1"),
        ("CORELANE_CLIENT_PASSWORD", "secret"),
    ];
    let loaded = try_load(Given {
        env,
        ..Given::default()
    })
    .unwrap();
    assert_eq!(
        loaded.warnings,
        [
            "variable CORELANE_MAXMEMROY: there is no setting 'MAXMEMROY'; did you mean 'maxmemory'? (left alone)"
        ]
    );
    assert_eq!(loaded.settings.listen().port, Some(6379));
}

#[test]
fn paths_start_at_the_current_directory() {
    let settings = try_load(Given {
        flags: &[("unixsocket", "./run/s"), ("config", "c.toml")],
        ..Given::default()
    })
    .unwrap()
    .settings;
    assert_eq!(settings.keyspace().dir, Path::new("/srv"));
    assert_eq!(settings.source("dir"), &Source::Default);
    assert_eq!(
        settings.listen().unixsocket.unwrap(),
        Path::new("/srv/run/s")
    );
    assert_eq!(settings.config_file().unwrap(), Path::new("/srv/c.toml"));
    let absolute = try_load(Given {
        flags: &[("dir", "/data")],
        ..Given::default()
    })
    .unwrap()
    .settings;
    assert_eq!(absolute.keyspace().dir, Path::new("/data"));
}

#[test]
fn the_file_is_named_by_flag_or_variable() {
    let path = |env: &[(&str, &str)], flags: &[(&str, &str)]| {
        let (env, flags) = (owned(env), owned(flags));
        config_path(&Layers {
            cwd: Path::new("/srv"),
            file: None,
            env: &env,
            flags: &flags,
        })
    };
    assert_eq!(path(&[], &[]), None);
    assert_eq!(
        path(&[("CORELANE_CONFIG", "a.toml")], &[]),
        Some("/srv/a.toml".into())
    );
    assert_eq!(
        path(&[("CORELANE_CONFIG", "a.toml")], &[("config", "/b.toml")]),
        Some("/b.toml".into())
    );
}
