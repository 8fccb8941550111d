//! Settings as other crates use them: plain structs by meaning. Whoever needs a setting takes the
//! struct; a name is looked up here only. They are cheap to make, once per epoch and shard.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use corelane_topology::{Layout, MemoryRequest, Request};

use crate::{BindAddress, OutputLimits, Settings, Value};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Addresses; none leaves the Unix socket alone.
    pub bind: Vec<BindAddress>,
    /// TCP port; 0 picks a free one.
    pub port: u16,
    /// A port of its own for each shard.
    pub shard_ports: ShardPorts,
    /// The same for TLS.
    pub tls_shard_ports: ShardPorts,
    /// Unix socket beside TCP.
    pub unixsocket: Option<PathBuf>,
    /// Its file mode, unless the umask decides.
    pub unixsocket_mode: Option<u32>,
    /// Connections that may wait to be accepted.
    pub backlog: u32,
}

/// `shard-ports` or `tls-shard-ports`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardPorts {
    /// None.
    Off,
    /// Free ones.
    Auto,
    /// Shard 0's; each further shard has the next.
    From(u16),
}

/// What cluster clients are told of where the shard ports are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// IP address, where it is not the one at which the client has reached the server.
    pub ip: Option<IpAddr>,
    /// Shard 0's port, where it is not the one on which it listens.
    pub port: Option<u16>,
    /// The same of its port for TLS.
    pub tls_port: Option<u16>,
    /// Host name; empty for none.
    pub hostname: String,
    /// Which of them a client is to use.
    pub preferred: Endpoint,
}

/// `cluster-preferred-endpoint-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The IP address.
    Ip,
    /// The host name.
    Hostname,
    /// What the client knows already.
    Unknown,
}

/// Limits on clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Clients at once, over all shards.
    pub max_clients: u32,
    /// Silence after which a client is disconnected.
    pub idle_timeout: Option<Duration>,
    /// Silence after which TCP asks for a sign of life.
    pub keepalive: Option<Duration>,
    /// Unread output after which a client is disconnected.
    pub output: OutputLimits,
    /// Memory that all clients together may hold before the largest are disconnected.
    pub max_memory: Option<MemoryShare>,
}

/// An amount of memory, as it is or as a part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryShare {
    /// So many bytes.
    Bytes(u64),
    /// So much of `maxmemory`; nothing where that is no limit.
    Percent(u8),
}

impl MemoryShare {
    /// In bytes, with a `maxmemory` of so many; 0 is no limit in both.
    pub fn of(self, max_memory_bytes: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                (u128::from(max_memory_bytes) * u128::from(percent) / 100) as u64
            }
        }
    }
}

/// Limits on what a request may announce and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// Longest argument, in bytes; longest string value too.
    pub max_bulk_bytes: u64,
    /// Unfinished request bytes per client.
    pub max_query_bytes: u64,
}

/// The memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// For the data of all shards together.
    pub max_memory: MaxMemory,
}

/// `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxMemory {
    /// `auto`, and the machine has not been looked at yet ([`Settings::detect`]).
    Auto,
    /// No limit.
    Unlimited,
    /// So many bytes.
    Bytes(u64),
}

/// Shards, processors and I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What to ask of the topology's plan: processors, I/O backend, memory.
    pub request: Request,
    /// How many shards serve, unless the plan decides.
    pub shards: Option<usize>,
    /// How many shards there is room for, unless the plan decides.
    pub max_shards: Option<usize>,
    /// How long a shard that waits for another spins before it sleeps, in microseconds, unless the
    /// plan decides.
    pub spin_us: Option<u32>,
    /// How long a task may hold its shard before it is logged, in milliseconds, unless the plan
    /// decides; 0 is for ever.
    pub stall_ms: Option<u64>,
}

/// Databases and background work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyspaceOptions {
    /// Databases that `SELECT` can choose from.
    pub databases: u16,
    /// Background rounds per second and shard.
    pub hz: u32,
    /// How much time expiry may take, 1 to 10.
    pub active_expire_effort: u8,
    /// Directory for everything on disk; an absolute path.
    pub dir: PathBuf,
}

/// Passwords and what they guard.
#[derive(Clone, PartialEq, Eq)]
pub struct Security {
    /// Password of the user `default`.
    pub password: Option<Vec<u8>>,
    /// Whether public addresses need a password.
    pub protected_mode: bool,
    /// Who may use `DEBUG`.
    pub debug_command: LocalAccess,
}

/// Who may do something that is usually forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalAccess {
    /// Nobody.
    No,
    /// Everybody.
    Yes,
    /// Clients on this machine.
    Local,
}

/// What to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// A filter in the form of `RUST_LOG`.
    pub filter: String,
}

/// Connections that begin with a load balancer's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// Whose headers are believed; none is everybody's.
    pub from: Vec<IpAddr>,
}

impl Settings {
    /// Whether TCP connections begin with a header of the PROXY protocol, and from whom.
    pub fn proxy_protocol(&self) -> Option<ProxyProtocol> {
        let from = match self.value("proxy-protocol-from") {
            Value::Addresses(addresses) => addresses.iter().map(|address| address.ip).collect(),
            other => unreachable!("proxy-protocol-from holds {other:?}"),
        };
        self.bool("proxy-protocol")
            .then_some(ProxyProtocol { from })
    }

    /// Where to listen.
    pub fn listen(&self) -> Listen {
        let shard_ports = |name| match self.value(name) {
            Value::Auto => ShardPorts::Auto,
            Value::Int(0) => ShardPorts::Off,
            _ => ShardPorts::From(self.number(name)),
        };
        Listen {
            bind: match self.value("bind") {
                Value::Addresses(addresses) => addresses.clone(),
                other => unreachable!("bind holds {other:?}"),
            },
            port: self.number("port"),
            shard_ports: shard_ports("shard-ports"),
            tls_shard_ports: shard_ports("tls-shard-ports"),
            unixsocket: Some(self.path("unixsocket")).filter(|path| !path.as_os_str().is_empty()),
            unixsocket_mode: match self.value("unixsocketperm") {
                Value::Mode(mode) if *mode != 0 => Some(*mode),
                _ => None,
            },
            backlog: self.number("tcp-backlog"),
        }
    }

    /// What cluster clients are told.
    pub fn announce(&self) -> Announce {
        let port = |name| Some(self.number(name)).filter(|port| *port != 0);
        Announce {
            ip: self.text("cluster-announce-ip").parse().ok(),
            port: port("cluster-announce-port"),
            tls_port: port("cluster-announce-tls-port"),
            hostname: self.text("cluster-announce-hostname").to_owned(),
            preferred: match self.text("cluster-preferred-endpoint-type") {
                "hostname" => Endpoint::Hostname,
                "unknown-endpoint" => Endpoint::Unknown,
                _ => Endpoint::Ip,
            },
        }
    }

    /// Limits on clients.
    pub fn client_limits(&self) -> ClientLimits {
        ClientLimits {
            max_clients: self.number("maxclients"),
            idle_timeout: self.span("timeout", Duration::from_secs),
            keepalive: self.span("tcp-keepalive", Duration::from_secs),
            output: match self.value("client-output-buffer-limit") {
                Value::Output(limits) => *limits,
                other => unreachable!("client-output-buffer-limit holds {other:?}"),
            },
            max_memory: match self.value("maxmemory-clients") {
                Value::Bytes(0) | Value::Percent(0) => None,
                Value::Bytes(bytes) => Some(MemoryShare::Bytes(*bytes)),
                Value::Percent(percent) => Some(MemoryShare::Percent(*percent)),
                other => unreachable!("maxmemory-clients holds {other:?}"),
            },
        }
    }

    /// Limits on requests.
    pub fn wire_limits(&self) -> WireLimits {
        WireLimits {
            max_bulk_bytes: self.bytes("proto-max-bulk-len"),
            max_query_bytes: self.bytes("client-query-buffer-limit"),
        }
    }

    /// The memory limit.
    pub fn memory_limits(&self) -> MemoryLimits {
        let max_memory = match self.value("maxmemory") {
            Value::Bytes(0) => MaxMemory::Unlimited,
            Value::Bytes(bytes) => MaxMemory::Bytes(*bytes),
            _ => MaxMemory::Auto,
        };
        MemoryLimits { max_memory }
    }

    /// Shards, processors and I/O.
    pub fn placement(&self) -> Placement {
        let request = Request {
            // All were read before they became values; `auto` is no allocation.
            profile: self.text("profile").parse().unwrap_or_default(),
            cpu_allocation: self.text("cpu-allocation").parse().ok(),
            layout: match self.number("io-shards") {
                0 => None,
                io_shards => Some(Layout::Split { io_shards }),
            },
            io: self.text("io").parse().unwrap_or_default(),
            overprovisioned: self.bool("overprovisioned"),
            maxmemory: match self.value_as_given("maxmemory") {
                Value::Bytes(0) => MemoryRequest::Unlimited,
                Value::Bytes(bytes) => MemoryRequest::Bytes(*bytes),
                _ => MemoryRequest::Auto,
            },
            seed: None,
        };
        let count = |name| match self.value(name) {
            Value::Auto => None,
            _ => Some(self.number(name)),
        };
        Placement {
            request,
            shards: count("shards"),
            max_shards: count("max-shards"),
            spin_us: match self.value("spin-us") {
                Value::Auto => None,
                _ => Some(self.number("spin-us")),
            },
            stall_ms: match self.value("stall-threshold-ms") {
                Value::Auto => None,
                _ => Some(self.number("stall-threshold-ms")),
            },
        }
    }

    /// Databases and background work.
    pub fn keyspace(&self) -> KeyspaceOptions {
        KeyspaceOptions {
            databases: self.number("databases"),
            hz: self.number("hz"),
            active_expire_effort: self.number("active-expire-effort"),
            dir: self.path("dir"),
        }
    }

    /// Passwords and what they guard.
    pub fn security(&self) -> Security {
        Security {
            password: Some(self.value("requirepass").to_bytes())
                .filter(|password| !password.is_empty()),
            protected_mode: self.bool("protected-mode"),
            debug_command: match self.text("enable-debug-command") {
                "yes" => LocalAccess::Yes,
                "local" => LocalAccess::Local,
                _ => LocalAccess::No,
            },
        }
    }

    /// What to log: `log`, or what `loglevel` stands for.
    pub fn logging(&self) -> Logging {
        let filter = match (self.text("log"), self.text("loglevel")) {
            ("", "debug") => "trace",
            ("", "verbose") => "debug",
            ("", "warning") => "warn",
            ("", _) => "info",
            (filter, _) => filter,
        };
        Logging {
            filter: filter.to_owned(),
        }
    }

    /// The TOML file that was read, which `CONFIG REWRITE` writes.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.path("config")).filter(|path| !path.as_os_str().is_empty())
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str) -> T {
        let number = self.int(name);
        T::try_from(number)
            .unwrap_or_else(|_| panic!("'{name}' holds {number}, beyond the range of its use"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self.value(name) {
            Value::Path(path) => path.clone(),
            other => unreachable!("{name} holds {other:?}"),
        }
    }

    /// A length of time; 0 is none.
    fn span(&self, name: &str, unit: fn(u64) -> Duration) -> Option<Duration> {
        Some(self.number(name)).filter(|&n: &u64| n > 0).map(unit)
    }
}

/// The password stays out of logs.
impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security")
            .field("password", &self.password.as_ref().map(|_| "(redacted)"))
            .field("protected_mode", &self.protected_mode)
            .field("debug_command", &self.debug_command)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use corelane_topology::{CpuAllocation, IoRequest, Profile};

    use super::*;
    use crate::{Kind, SETTINGS, Source, find};

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
            ("127.0.0.1", 6379)
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

    #[test]
    fn log_goes_before_loglevel() {
        let rows = [
            ("", "notice", "info"),
            ("", "verbose", "debug"),
            ("", "warning", "warn"),
            ("warn", "debug", "warn"),
        ];
        for (log, level, want) in rows {
            let mut settings = Settings::default();
            for (name, text) in [("log", log), ("loglevel", level)] {
                let (index, setting) = find(name).unwrap();
                settings.put(
                    index,
                    setting.kind.parse(text.as_bytes(), None).unwrap(),
                    Source::ConfigSet,
                );
            }
            assert_eq!(settings.logging().filter, want);
        }
    }

    #[test]
    fn a_plan_is_asked_for_what_was_given() {
        let mut settings = Settings::default();
        let rows = [
            ("profile", "low-latency"),
            ("cpu-allocation", "2..4"),
            ("io-shards", "1"),
            ("stall-threshold-ms", "0"),
            ("io", "polling"),
            ("overprovisioned", "yes"),
            ("spin-us", "7"),
            ("maxmemory", "1gb"),
        ];
        for (name, text) in rows {
            let (index, setting) = find(name).unwrap();
            let value = setting.kind.parse(text.as_bytes(), None).unwrap();
            settings.put(index, value, Source::ConfigSet);
        }
        let want = Request {
            profile: Profile::LowLatency,
            cpu_allocation: Some(CpuAllocation::Range(2..4)),
            layout: Some(Layout::Split { io_shards: 1 }),
            overprovisioned: true,
            io: IoRequest::Polling,
            maxmemory: MemoryRequest::Bytes(1 << 30),
            ..Request::default()
        };
        assert_eq!(settings.placement().request, want);
        assert_eq!(settings.placement().spin_us, Some(7));
        assert_eq!(settings.placement().stall_ms, Some(0));
    }

    #[test]
    fn every_profile_is_a_word_of_its_setting() {
        let (_, setting) = find("profile").unwrap();
        let words = Profile::ALL.map(Profile::name);
        assert!(matches!(setting.kind, Kind::Word(known) if known == words));
    }

    #[test]
    fn a_password_is_not_printed() {
        let mut settings = Settings::default();
        settings.set(&[(b"requirepass", b"hunter2")]).unwrap();
        assert!(!format!("{settings:?} {:?}", settings.security()).contains("hunter2"));
    }
}
