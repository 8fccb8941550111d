//! All structs at once: from the defaults, and from the ends of every range.

use std::time::Duration;

use corelane_topology::Request;

use super::*;
use crate::{Kind, SETTINGS, Settings, Source, Value};

/// Every struct can be made of the defaults and of the ends of every range: no number of the
/// list is beyond the type it is read into, no name is misspelt.
#[test]
fn every_struct_can_be_made() {
    for pick in [|min: i64, _| min, |_, max| max] {
        let mut settings = Settings::default();
        for (index, setting) in SETTINGS.iter().enumerate() {
            let ends = match setting.kind {
                Kind::Int { min, max } => (min, max),
                Kind::IntOrAuto { max } => (0, max),
                _ => continue,
            };
            settings.put(index, Value::Int(pick(ends.0, ends.1)), Source::ConfigSet);
        }
        make_all(&settings);
    }
    make_all(&Settings::default());
}

fn make_all(settings: &Settings) {
    settings.listen();
    settings.announce();
    settings.client_limits();
    settings.wire_limits();
    settings.memory_limits();
    settings.placement();
    settings.tls();
    settings.keyspace();
    settings.security();
    settings.logging();
    settings.config_file();
}

#[test]
fn the_defaults_by_meaning() {
    let settings = Settings::default();
    let listen = settings.listen();
    assert_eq!(
        (listen.bind[0].to_string().as_str(), listen.port),
        ("127.0.0.1", Some(6379))
    );
    assert_eq!((listen.unixsocket, listen.unixsocket_mode), (None, None));
    assert_eq!(listen.shard_ports, ShardPorts::Off);
    assert_eq!(listen.tls_shard_ports, ShardPorts::Off);
    let announce = settings.announce();
    assert_eq!((announce.ip, announce.port), (None, None));
    assert_eq!(announce.preferred, Endpoint::Ip);
    let clients = settings.client_limits();
    assert_eq!(
        (clients.idle_timeout, clients.keepalive),
        (None, Some(Duration::from_secs(300)))
    );
    assert_eq!(clients.output.pubsub.hard_bytes, 32 << 20);
    assert_eq!(settings.memory_limits().max_memory, MaxMemory::Auto);
    assert_eq!(settings.security().password, None);
    let placement = settings.placement();
    let Placement {
        request,
        shards,
        max_shards,
        spin_us,
        stall_ms,
    } = placement;
    assert_eq!(
        (request, spin_us, stall_ms),
        (Request::default(), None, None)
    );
    assert_eq!((shards, max_shards), (None, None));
    assert_eq!(settings.config_file(), None);
}
