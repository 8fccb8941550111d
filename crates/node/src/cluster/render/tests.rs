//! Shapes against those that Redis 7.0.15 gives, and slots that are told whole whatever the map.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use corelane::{PARTITIONS, ShardMap};
use corelane_settings::Announce;
use corelane_store::keyspace::SLOTS_PER_PARTITION;
use corelane_wire::Proto;

use super::*;
use crate::identity::Identity;

const REACHED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn announce() -> Announce {
    Announce {
        ip: None,
        port: None,
        tls_port: None,
        hostname: String::new(),
        preferred: Endpoint::Ip,
    }
}

fn identity(shards: u16) -> Identity {
    Identity {
        version: "0",
        run_id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        started_ms: 0,
        process_id: 1,
        port: 6379,
        ip: None,
        shard_ports: (0..shards).map(|shard| 7000 + shard).collect(),
        tls_shard_ports: Vec::new(),
        executable: "corelane".into(),
        config_file: None,
        backend: "sim".to_owned(),
        system: String::new(),
        total_memory_bytes: 0,
    }
}

/// What `look` finds in a view of `map`.
fn seen<R>(map: &ShardMap, announce: &Announce, look: impl FnOnce(&View<'_>) -> R) -> R {
    let identity = identity(map.shards() as u16);
    seen_of(&identity, (map, announce), false, look)
}

/// The same of a server of other ports, by a client that speaks TLS or does not.
fn seen_of<R>(
    identity: &Identity,
    (map, announce): (&ShardMap, &Announce),
    by_tls: bool,
    look: impl FnOnce(&View<'_>) -> R,
) -> R {
    look(&View {
        map,
        identity,
        announce,
        reached: REACHED,
        by_tls,
        here: ShardId::new(0),
    })
}

fn reply(proto: Proto, announce: &Announce, write: fn(&View<'_>, &mut Reply<'_>)) -> String {
    let mut out = Vec::new();
    let write = |view: &View<'_>| write(view, &mut Reply::new(&mut out, proto));
    seen(&ShardMap::even(2), announce, write);
    let text = String::from_utf8(out).expect("text");
    text.replace("\r\n", " ").trim_end().to_owned()
}

const FIRST: &str = "$40 00000123456789abcdef0123456789abcdef0123";
const SECOND: &str = "$40 00010123456789abcdef0123456789abcdef0123";

#[test]
fn slots_as_redis_has_them() {
    let told = reply(Proto::Resp2, &announce(), slots);
    let want = format!(
        "*2 *3 :0 :8191 *4 $9 192.0.2.7 :7000 {FIRST} *0 \
         *3 :8192 :16383 *4 $9 192.0.2.7 :7001 {SECOND} *0"
    );
    assert_eq!(told, want);
    let told = reply(Proto::Resp3, &announce(), slots);
    assert!(told.ends_with(&format!("{SECOND} %0")), "{told}");
    assert!(!told.contains("*0"), "{told}");
}

#[test]
fn the_preferred_endpoint_comes_first() {
    let named = |preferred| Announce {
        hostname: "a.b".to_owned(),
        preferred,
        ..announce()
    };
    #[track_caller]
    fn check(announce: &Announce, first: &str, others: &str, redirection: &str) {
        let told = reply(Proto::Resp2, announce, slots);
        let want = format!("*2 *3 :0 :8191 *4 {first} :7000 {FIRST} {others} *3");
        assert!(told.starts_with(&want), "{told}\n{want}");
        let owner = ShardId::new(1);
        let text = seen(&ShardMap::even(2), announce, |view| {
            moved(view, 9000, owner)
        });
        assert_eq!(text, format!("MOVED 9000 {redirection}:7001"));
    }
    let ip = "$2 ip $9 192.0.2.7";
    check(
        &named(Endpoint::Ip),
        "$9 192.0.2.7",
        "*2 $8 hostname $3 a.b",
        "192.0.2.7",
    );
    check(
        &named(Endpoint::Hostname),
        "$3 a.b",
        &format!("*2 {ip}"),
        "a.b",
    );
    check(
        &named(Endpoint::Unknown),
        "$-1",
        &format!("*4 {ip} $8 hostname $3 a.b"),
        "",
    );
    let nameless = Announce {
        preferred: Endpoint::Hostname,
        ..announce()
    };
    check(&nameless, "$1 ?", &format!("*2 {ip}"), "?");
}

#[test]
fn shards_as_redis_has_them() {
    let told = reply(Proto::Resp2, &announce(), shards);
    let member = |id: &str, port: u16| {
        format!(
            "$5 nodes *1 *14 $2 id {id} $4 port :{port} $2 ip $9 192.0.2.7 $8 endpoint $9 192.0.2.7 \
             $4 role $6 master $18 replication-offset :0 $6 health $6 online"
        )
    };
    let want = format!(
        "*2 *4 $5 slots *2 :0 :8191 {} *4 $5 slots *2 :8192 :16383 {}",
        member(FIRST, 7000),
        member(SECOND, 7001)
    );
    assert_eq!(told, want);
    let named = Announce {
        hostname: "a.b".to_owned(),
        ..announce()
    };
    let told = reply(Proto::Resp3, &named, shards);
    assert!(
        told.starts_with("*2 %2 $5 slots *2 :0 :8191 $5 nodes *1 %8 $2 id"),
        "{told}"
    );
    assert!(told.contains("$8 hostname $3 a.b $4 role"), "{told}");
}

#[test]
fn nodes_as_redis_has_them() {
    let told = seen(&ShardMap::even(2), &announce(), nodes);
    let want = "\
00000123456789abcdef0123456789abcdef0123 192.0.2.7:7000@0 myself,master - 0 0 1 connected 0-8191
00010123456789abcdef0123456789abcdef0123 192.0.2.7:7001@0 master - 0 0 1 connected 8192-16383
";
    assert_eq!(told, want);
    let announced = Announce {
        ip: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        port: Some(9000),
        tls_port: None,
        hostname: "a.b".to_owned(),
        preferred: Endpoint::Ip,
    };
    let told = seen(&ShardMap::even(2), &announced, nodes);
    assert!(told.contains("cdef0123 ::1:9001@0,a.b master"), "{told}");
}

/// Who came by TLS is told ports where it is spoken, others the others, and everybody what there is.
#[test]
fn ports_are_of_the_kind_that_the_client_came_by() {
    let (plain, both, tls) = (
        identity(2),
        Identity {
            tls_shard_ports: vec![7100, 7101],
            ..identity(2)
        },
        Identity {
            shard_ports: Vec::new(),
            tls_shard_ports: vec![7100, 7101],
            ..identity(2)
        },
    );
    let announced = Announce {
        port: Some(9000),
        tls_port: Some(9100),
        ..announce()
    };
    let as_they_are = announce();
    let map = ShardMap::even(2);
    let (of_plain, of_tls) = ("$4 port :7001", "$8 tls-port :7101");
    let of_both = format!("{of_plain} {of_tls}");
    for (identity, announce, by_tls, port, member) in [
        (&plain, &as_they_are, false, 7001, of_plain),
        (&plain, &as_they_are, true, 7001, of_plain),
        (&both, &as_they_are, false, 7001, of_both.as_str()),
        (&both, &as_they_are, true, 7101, of_both.as_str()),
        (&tls, &as_they_are, false, 7101, of_tls),
        (&tls, &as_they_are, true, 7101, of_tls),
        (
            &both,
            &announced,
            false,
            9001,
            "$4 port :9001 $8 tls-port :9101",
        ),
        (
            &both,
            &announced,
            true,
            9101,
            "$4 port :9001 $8 tls-port :9101",
        ),
        // What is announced of ports that are not there is nothing.
        (&tls, &announced, false, 9101, "$8 tls-port :9101"),
    ] {
        let told = seen_of(identity, (&map, announce), by_tls, |view| {
            let mut told = [Vec::new(), Vec::new()];
            slots(view, &mut Reply::new(&mut told[0], Proto::Resp2));
            shards(view, &mut Reply::new(&mut told[1], Proto::Resp2));
            let [slots, shards] = told.map(|told| {
                let text = String::from_utf8(told).expect("text");
                text.replace("\r\n", " ")
            });
            let redirection = moved(view, 9000, ShardId::new(1));
            [slots, shards, nodes(view), redirection]
        });
        let [slots, shards, nodes, redirection] = told;
        assert!(slots.contains(&format!(" :{port} {SECOND}")), "{slots}");
        let member = format!("{SECOND} {member} $2 ip");
        assert!(shards.contains(&member), "{member}: {shards}");
        assert!(
            nodes.contains(&format!(" 192.0.2.7:{port}@0 master")),
            "{nodes}"
        );
        assert_eq!(redirection, format!("MOVED 9000 192.0.2.7:{port}"));
    }
}

#[test]
fn shards_for_connections_alone_are_no_nodes() {
    let map = ShardMap::split(1, 3);
    let told = seen(&map, &announce(), nodes);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.starts_with("00010123456789abcdef0123456789abcdef0123 "),
        "{told}"
    );
    assert!(told.contains("myself"), "{told}");
}

/// A client that came by the port of a shard which sleeps finds itself, without slots.
#[test]
fn a_shard_that_sleeps_is_told_of_to_its_own_clients_alone() {
    let map = ShardMap::even(2);
    let (announce, identity) = (announce(), identity(3));
    let told_by = |shard| {
        nodes(&View {
            map: &map,
            identity: &identity,
            announce: &announce,
            reached: REACHED,
            by_tls: false,
            here: ShardId::new(shard),
        })
    };
    assert_eq!(told_by(0).lines().count(), 2);
    let told = told_by(2);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    let itself = ":7002@0 myself,master - 0 0 1 connected";
    assert!(lines[2].ends_with(itself), "{told}");
    assert_eq!(told.matches("myself").count(), 1);
}

#[test]
fn info_counts_nodes() {
    let told = seen(&ShardMap::even(3), &announce(), info);
    for line in [
        "cluster_state:ok",
        "cluster_slots_ok:16384",
        "cluster_known_nodes:3",
        "cluster_size:3",
        "cluster_current_epoch:1",
    ] {
        assert!(
            told.lines().any(|told| told == line),
            "{line} is not in {told}"
        );
    }
}

/// Maps as moves leave them: any partition anywhere, shards that own nothing among them.
fn odd_maps() -> impl Iterator<Item = ShardMap> {
    let mut rng = fastrand::Rng::with_seed(11);
    (0..200).map(move |_| {
        let shards = rng.usize(1..9);
        let spread = rng.usize(1..=shards);
        let clumps = rng.bool();
        let mut owner = 0;
        let owners = (0..PARTITIONS).map(|_| {
            if !clumps || rng.u8(..) < 16 {
                owner = rng.usize(0..spread);
            }
            ShardId::new(owner as u16)
        });
        ShardMap::with_owners(7, shards, owners.collect())
    })
}

/// The owner of each slot as text tells it: runs `first-last` or single slots.
fn told_owners<'t>(runs: impl Iterator<Item = (&'t str, ShardId)>) -> Vec<ShardId> {
    let mut owners = vec![None; usize::from(SLOTS)];
    for (run, owner) in runs {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let number = |text: &str| text.parse::<usize>().expect("a slot");
        for told in &mut owners[number(first)..=number(last)] {
            assert_eq!(told.replace(owner), None, "{run} is told twice");
        }
    }
    let owners = owners.into_iter().enumerate();
    owners
        .map(|(slot, owner)| owner.unwrap_or_else(|| panic!("slot {slot} is not told")))
        .collect()
}

#[test]
fn every_slot_is_told_once_and_as_the_map_has_it() {
    for map in odd_maps() {
        let true_owners: Vec<ShardId> = (0..usize::from(SLOTS))
            .map(|slot| map.owner(slot / SLOTS_PER_PARTITION))
            .collect();
        let (lines, runs) = seen(&map, &announce(), |view| (nodes(view), view.runs()));
        assert_eq!(lines.lines().count(), map.shards());
        let of_line = |(shard, line): (usize, &'static str)| {
            let owner = ShardId::new(shard as u16);
            line.split(' ').skip(8).map(move |run| (run, owner))
        };
        let lines: &'static str = lines.leak();
        assert_eq!(
            told_owners(lines.lines().enumerate().flat_map(of_line)),
            true_owners
        );
        // Runs are as long as can be: neighbours have different owners.
        assert!(runs.windows(2).all(|pair| pair[0].1 != pair[1].1));
        let texts: Vec<_> = runs
            .iter()
            .map(|(run, owner)| (format!("{}-{}", run.start(), run.end()), *owner))
            .collect();
        let texts = texts.iter().map(|(run, owner)| (run.as_str(), *owner));
        assert_eq!(told_owners(texts), true_owners);
    }
}
