//! A server inside a simulated world: the shards, sessions and commands of [`run`](crate::run()), by the same
//! [`serve`], without what a world does not have: a machine to plan for, threads, signals, a standard output.

use std::net::SocketAddr;
use std::sync::Arc;

use corelane::sim::World;
use corelane::{LaunchOptions, SimNode, launch_sim};
use corelane_front::resp::Admission;
use corelane_node::{Identity, Shard, ShardSeed, tls};
use corelane_settings::{Listen, Settings};

use crate::addresses::Addresses;
use crate::assemble::{Parts, registry};
use crate::entrances;
use crate::error::ServerError;
use crate::ready::Ready;
use crate::serve::serve;
use crate::shard_ports::ShardPorts;

/// The port that stands for "any free one": a world has no other servers.
const ANY_PORT: u16 = 6379;

/// A server in a world; it runs when the world does.
#[derive(Debug)]
pub struct Simulated {
    /// Its shards: to stop it, to crash it, to see how it ended.
    pub node: SimNode<Shard>,
    /// What it was put together from: where it listens, how many connections it has.
    pub parts: Parts,
}

/// Puts a server into `world`. Everything that [`run`](crate::run()) takes from the machine or from chance follows from
/// the world's seed. Settings about the machine (`cpu-allocation`, `io`) have no effect, for `options` say how
/// many shards there are.
///
/// # Errors
/// [`ServerError::Launch`]: options that make no node, or a shard that did not start. [`ServerError::Listen`]: another
/// server of that world has the address.
pub fn simulate(
    world: &World,
    settings: Settings,
    options: &LaunchOptions,
) -> Result<Simulated, ServerError> {
    let parts = parts(world, settings, options)?;
    let init = {
        let parts = parts.clone();
        async move |shard| entrances::begin(shard, &parts)
    };
    let main = {
        let parts = parts.clone();
        move |mesh| serve(mesh, parts.clone())
    };
    let node = launch_sim(world, options, init, main)?;
    Ok(Simulated { node, parts })
}

fn parts(world: &World, settings: Settings, options: &LaunchOptions) -> Result<Parts, ServerError> {
    let catalog = Arc::clone(registry().catalog());
    let listen = listen(&settings);
    let data_shards = options.first_map()?.io_shards()..options.shards.len();
    let tls_port = settings.tls().and_then(|tls| tls.port);
    let addresses = Addresses::claim_in(world, &listen, tls_port)?;
    let shard_ports = ShardPorts::simulated(&listen, &addresses.ip(), data_shards)?;
    let tls = tls::acceptor(&settings).map_err(ServerError::Tls)?;
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION"),
        run_id: format!("{:040x}", world.seed()),
        started_ms: 0,
        process_id: 1,
        port: addresses.port(),
        ip: addresses.tcp.first().map(SocketAddr::ip),
        shard_ports: shard_ports.plain().to_vec(),
        tls_shard_ports: shard_ports.tls().to_vec(),
        executable: "corelane".into(),
        config_file: settings.config_file(),
        backend: "sim".to_owned(),
        system: "a simulated world".to_owned(),
        total_memory_bytes: 0,
    };
    let seed = ShardSeed::new(
        Arc::new(settings),
        catalog.len(),
        options.first_map()?,
        options.shards.len(),
        world.seed(),
    )
    .with_tls(tls);
    Ok(Parts {
        catalog,
        identity: Arc::new(identity),
        addresses: Arc::new(addresses),
        io_shards: options.first_map()?.io_shards(),
        shard_ports: Arc::new(shard_ports),
        admission: Admission::default(),
        seed,
        ready: Ready::unheard(),
    })
}

/// Where to listen in a world.
fn listen(settings: &Settings) -> Listen {
    let listen = settings.listen();
    Listen {
        // A socket file would be made on the real disk's terms; a world's clients come by TCP.
        port: Some(listen.port.filter(|port| *port > 0).unwrap_or(ANY_PORT)),
        unixsocket: None,
        ..listen
    }
}
