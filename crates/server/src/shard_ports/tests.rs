//! Ports that are found, and those that are refused with their reason.

use corelane_settings::Settings;

use super::*;

fn listen(asked: Asked) -> Listen {
    both(asked, Asked::Off)
}

fn both(plain: Asked, tls: Asked) -> Listen {
    Listen {
        shard_ports: plain,
        tls_shard_ports: tls,
        ..Settings::default().listen()
    }
}

fn own(port: u16) -> [SocketAddr; 1] {
    [SocketAddr::from(([127, 0, 0, 1], port))]
}

#[track_caller]
fn why(claimed: Result<ShardPorts, ServerError>) -> String {
    claimed.expect_err("refused").to_string()
}

#[test]
fn free_ports_are_different_ones() {
    let listen = both(Asked::Auto, Asked::Auto);
    let ports = ShardPorts::claim(&listen, &own(1), 0..8).expect("free ports");
    assert_eq!((ports.plain().len(), ports.tls().len()), (8, 8));
    let mut found = [ports.plain(), ports.tls()].concat();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 16);
    assert!(!found.contains(&0));
}

#[test]
fn none_are_none() {
    let ports = ShardPorts::claim(&listen(Asked::Off), &own(1), 0..8).expect("nothing to do");
    assert_eq!((ports.plain().len(), ports.tls().len()), (0, 0));
    assert!(ports.shown(8).is_empty());
}

#[test]
fn either_kind_may_be_alone() {
    let listen = both(Asked::Off, Asked::From(7000));
    let ports = ShardPorts::simulated(&listen, &own(1), 0..2).expect("on paper");
    assert!(ports.plain().is_empty());
    assert_eq!(ports.tls(), [7000, 7001]);
    assert_eq!(ports.shown(2), ["tls shard ports 7000-7001"]);
}

#[test]
fn an_address_of_both_kinds_is_one() {
    let taken = [own(1)[0], own(2)[0]];
    let ports = ShardPorts::claim(&listen(Asked::Auto), &taken, 0..1).expect("a free port");
    assert_eq!(ports.of_shard(0).count(), 1);
}

#[test]
fn shards_without_data_have_none() {
    let ports = ShardPorts::simulated(&listen(Asked::From(7000)), &own(1), 1..3);
    assert_eq!(ports.expect("on paper").plain(), [0, 7001, 7002]);
    let ports = ShardPorts::claim(&listen(Asked::Auto), &own(1), 1..3).expect("free ports");
    assert_eq!((ports.plain().len(), ports.plain()[0]), (3, 0));
}

#[test]
fn a_world_gives_each_its_own() {
    let listen = both(Asked::Auto, Asked::Auto);
    let ports = ShardPorts::simulated(&listen, &own(6379), 1..3).expect("on paper");
    assert_eq!(ports.plain(), [0, 6380, 6381]);
    assert_eq!(ports.tls(), [0, 6382, 6383]);
    let listen = both(Asked::Auto, Asked::From(7000));
    let ports = ShardPorts::simulated(&listen, &own(6379), 0..2).expect("on paper");
    assert_eq!(ports.plain(), [7002, 7003]);
}

#[test]
fn a_port_in_use_is_named_with_its_shard_and_setting() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its address").port();
    for (listen, setting) in [
        (both(Asked::From(port), Asked::Off), "shard-ports"),
        (both(Asked::Off, Asked::From(port)), "tls-shard-ports"),
    ] {
        let said = why(ShardPorts::claim(&listen, &own(1), 0..1));
        let want = format!(
            "cannot listen on 127.0.0.1:{port}: {setting} gives this port to shard 0: it is in use"
        );
        assert!(said.starts_with(&want), "{said}");
        assert!(said.contains(&format!("with --{setting}")), "{said}");
    }
}

#[test]
fn ports_that_cannot_be_are_refused_on_paper() {
    let rows = [
        (
            listen(Asked::From(65_535)),
            "leaves no port for shard 1: there may be 2 shards",
        ),
        (
            listen(Asked::From(6378)),
            "shard-ports gives shard 1 the server's own port",
        ),
        (
            both(Asked::Off, Asked::From(6379)),
            "tls-shard-ports gives shard 0 the server's own port",
        ),
        (
            both(Asked::From(7000), Asked::From(7001)),
            "port 7001: tls-shard-ports gives it to shard 0 and shard-ports to shard 1",
        ),
    ];
    for (listen, want) in rows {
        let said = why(ShardPorts::simulated(&listen, &own(6379), 0..2));
        assert!(said.contains(want), "{said}");
    }
    let said = why(ShardPorts::simulated(&listen(Asked::Auto), &[], 0..2));
    assert!(said.contains("shard-ports needs an IP address"), "{said}");
}

#[test]
fn people_see_runs() {
    let rows: [(&[u16], usize, Option<&str>); 6] = [
        (&[0, 7001, 7002], 3, Some("shard ports 7001-7002")),
        (&[], 2, None),
        (&[7000], 1, Some("shard ports 7000")),
        (&[7000, 7001, 7002], 3, Some("shard ports 7000-7002")),
        (&[7000, 7001, 7002], 1, Some("shard ports 7000")),
        (&[7000, 7004, 7005], 3, Some("shard ports 7000 7004-7005")),
    ];
    for (list, shards, want) in rows {
        let row = Row {
            setting: "shard-ports",
            speaks_tls: false,
            asked: Asked::Auto,
            ports: list.to_vec(),
        };
        assert_eq!(row.shown(shards).as_deref(), want, "{list:?}");
    }
}
