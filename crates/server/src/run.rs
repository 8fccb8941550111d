//! A real server, from settings to its end.

use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use corelane::{LaunchOptions, ShardId};
use corelane_node::{Identity, ShardSeed, tls};
use corelane_settings::Settings;
use corelane_topology::{Layout, Machine, Plan};

use crate::addresses::Addresses;
use crate::assemble::{Parts, registry};
use crate::descriptors;
use crate::entrances;
use crate::error::ServerError;
use crate::plan::{launch_options, note_detected, plan};
use crate::ready::Ready;
use crate::serve::serve;
use crate::shard_ports::ShardPorts;
use crate::signals::Watch;

/// Runs a server until a signal, `SHUTDOWN` or a failure ends it. Prints one line to standard
/// output once every shard listens, and tells systemd the same.
///
/// # Errors
/// What could not be had at start, or why the node failed.
pub fn run(mut settings: Settings) -> Result<(), ServerError> {
    let (machine, plan) = plan(&settings)?;
    note_detected(&mut settings, &machine, &plan)?;
    enter_dir(&settings)?;
    let listen = settings.listen();
    let options = launch_options(&settings, &plan)?;
    let room = options.shards.len();
    let shards = options.active.unwrap_or(room);
    let tls_port = settings.tls().and_then(|tls| tls.port);
    let addresses = Addresses::claim(&listen, tls_port)?;
    let data_shards = options.first_map()?.io_shards()..room;
    let shard_ports = ShardPorts::claim(&listen, &addresses.ip(), data_shards)?;
    let listeners = addresses.len() + shard_ports.of_each();
    descriptors::fit(&mut settings, descriptors::needed(room, listeners))?;
    for (setting, value, source) in settings.given_without_effect() {
        tracing::warn!(
            "{} = {value} ({source}) is taken, but nothing acts on it yet",
            setting.name
        );
    }
    let (ready, all_ready) = Ready::new(shards);
    let parts = parts(
        settings,
        &machine,
        &plan,
        (addresses, shard_ports),
        &options,
        ready,
    )?;
    let shown = parts.addresses.shown();
    let shard_ports = Arc::clone(&parts.shard_ports);
    let init = {
        let parts = parts.clone();
        async move |shard: ShardId| entrances::begin(shard, &parts)
    };
    let running = corelane::launch(&options, init, move |mesh| serve(mesh, parts.clone()))?;
    let watch = Watch::start(running.handle())?;
    if all_ready.wait() {
        announce(&shown, shards, &plan, &shard_ports.shown(shards));
    }
    let ended = running.join();
    drop(watch);
    Ok(ended?)
}

fn enter_dir(settings: &Settings) -> Result<(), ServerError> {
    let dir = settings.keyspace().dir;
    std::env::set_current_dir(&dir).map_err(|source| ServerError::Dir {
        path: dir.display().to_string(),
        source,
    })
}

fn parts(
    settings: Settings,
    machine: &Machine,
    plan: &Plan,
    (addresses, shard_ports): (Addresses, ShardPorts),
    options: &LaunchOptions,
    ready: Ready,
) -> Result<Parts, ServerError> {
    let catalog = Arc::clone(registry().catalog());
    let tls = tls::acceptor(&settings).map_err(ServerError::Tls)?;
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION"),
        run_id: run_id(),
        started_ms: unix_ms(),
        process_id: std::process::id(),
        port: addresses.port(),
        ip: addresses.tcp.first().map(|address| address.ip()),
        shard_ports: shard_ports.plain().to_vec(),
        tls_shard_ports: shard_ports.tls().to_vec(),
        executable: std::env::current_exe().unwrap_or_default(),
        config_file: settings.config_file(),
        backend: backend_name(plan).to_owned(),
        system: format!("Linux {}", machine.kernel.release),
        total_memory_bytes: machine.usable_memory_bytes().unwrap_or_default(),
    };
    let seed = ShardSeed::new(
        Arc::new(settings),
        catalog.len(),
        options.first_map()?,
        options.shards.len(),
        entropy(),
    )
    .with_tls(tls);
    Ok(Parts {
        catalog,
        identity: Arc::new(identity),
        addresses: Arc::new(addresses),
        io_shards: options.first_map()?.io_shards(),
        shard_ports: Arc::new(shard_ports),
        admission: corelane_front::resp::Admission::default(),
        seed,
        ready,
    })
}

/// The name that `ready:` and `INFO` show.
fn backend_name(plan: &Plan) -> &'static str {
    match plan.io.value {
        corelane_topology::Io::IoUring => "io_uring",
        corelane_topology::Io::Polling => "polling",
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// From the system: hashes must not be guessable, or keys could be chosen to collide.
fn entropy() -> u64 {
    getrandom::u64().unwrap_or_else(|_| fastrand::u64(..))
}

/// 40 hexadecimal digits.
fn run_id() -> String {
    let digits = || format!("{:016x}", entropy());
    [digits(), digits(), digits()].concat()[..40].to_owned()
}

/// One line for whoever started the server, in a fixed form that scripts can wait for.
fn announce(shown: &str, shards: usize, plan: &Plan, shard_ports: &[String]) {
    let plural = if shards == 1 { "" } else { "s" };
    let split = match plan.layout.value {
        Layout::Unified => String::new(),
        Layout::Split { io_shards } => format!(" ({io_shards} for connections)"),
    };
    let backend = backend_name(plan);
    let ports = shard_ports.iter().map(|ports| format!(", {ports}"));
    let ports: String = ports.collect();
    let line = format!("ready: {shown}, {shards} shard{plural}{split}, {backend}{ports}\n");
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%error, "standard output is closed");
    }
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
