//! What one setting is: its names, kind, default and standing. The values live in
//! [`Settings`](crate::Settings), the blocks themselves in `list`.

use crate::{Kind, SETTINGS, Value};

/// One setting, as the list has it.
///
/// The `CONFIG` name, the TOML key and the flag are `name`; the variable follows from it
/// ([`Setting::env_name`]).
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Lower case, words joined by `-`, as Redis names it where Redis has it.
    pub name: &'static str,
    /// Older names that Redis still takes; they reach the same value.
    pub aliases: &'static [&'static str],
    /// Where help and the reference page put it.
    pub group: Group,
    /// What values it takes.
    pub kind: Kind,
    /// The default, in the words a user would give it.
    pub default: &'static str,
    /// The unit of a plain number, such as `s` or `ms`; empty where there is none.
    pub unit: &'static str,
    /// Whether it can change while the server runs.
    pub change: Change,
    /// Whether anything acts on it in this version.
    pub effect: Effect,
    /// How prominently it is listed.
    pub shown: Shown,
    /// One sentence: what it does.
    pub doc: &'static str,
    /// What `kind` cannot express: why a well-formed value is refused all the same.
    pub check: Option<Check>,
}

/// Why a well-formed value is refused all the same, as the rest of a sentence.
pub type Check = fn(&Value) -> Result<(), String>;

/// When a setting can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By `CONFIG SET` too.
    Live,
    /// Only at start.
    Start,
}

/// Whether a setting does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something in this version acts on it.
    Acts,
    /// Taken, kept and reported, so that clients and test suites that set it go on; nothing acts
    /// on it yet.
    None,
}

/// How prominently a setting is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// First in help.
    Main,
    /// In full help and in `CONFIG GET *`.
    Listed,
    /// `CONFIG GET` needs its exact name.
    Hidden,
}

/// The chapters of help and of the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Addresses and sockets.
    Network,
    /// Limits on each client and on all of them.
    Clients,
    /// Passwords and what they guard.
    Security,
    /// Encrypted connections.
    Tls,
    /// Memory limit and eviction.
    Memory,
    /// Shards, processors and the I/O backend.
    Placement,
    /// Databases, expiry, deletion.
    Keyspace,
    /// What is logged and measured.
    Diagnostics,
    /// Files on disk.
    Durability,
    /// Encodings of the data types.
    DataTypes,
    /// Scripts, notifications, tracking.
    Features,
    /// Replicas and clusters.
    Replication,
    /// The process and its surroundings.
    Process,
}

impl Group {
    /// In the order of help and of the reference page.
    pub const ALL: [Group; 13] = [
        Group::Network,
        Group::Clients,
        Group::Security,
        Group::Tls,
        Group::Memory,
        Group::Placement,
        Group::Keyspace,
        Group::Diagnostics,
        Group::Durability,
        Group::DataTypes,
        Group::Features,
        Group::Replication,
        Group::Process,
    ];

    /// The chapter's heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Network => "Network",
            Group::Clients => "Clients",
            Group::Security => "Security",
            Group::Tls => "TLS",
            Group::Memory => "Memory",
            Group::Placement => "Shards and processors",
            Group::Keyspace => "Keyspace",
            Group::Diagnostics => "Logs and diagnostics",
            Group::Durability => "Files and durability",
            Group::DataTypes => "Data types",
            Group::Features => "Scripts, notifications, tracking",
            Group::Replication => "Replication and cluster",
            Group::Process => "Process",
        }
    }
}

/// The block of `name` (or of an older name of it), with its place in [`SETTINGS`]. Case does not
/// matter, and `_` counts as `-`.
pub fn find(name: &str) -> Option<(usize, &'static Setting)> {
    SETTINGS
        .iter()
        .enumerate()
        .find(|(_, setting)| setting.names().any(|known| same(known, name)))
}

fn same(known: &str, given: &str) -> bool {
    known.len() == given.len()
        && known
            .bytes()
            .zip(given.bytes())
            .all(|(a, b)| a == plain(b) || a == b)
}

fn plain(byte: u8) -> u8 {
    if byte == b'_' {
        b'-'
    } else {
        byte.to_ascii_lowercase()
    }
}

impl Setting {
    /// A listed setting that acts and can change at run time; the methods below say otherwise.
    pub(crate) const fn new(
        name: &'static str,
        group: Group,
        kind: Kind,
        default: &'static str,
        doc: &'static str,
    ) -> Setting {
        Setting {
            name,
            aliases: &[],
            group,
            kind,
            default,
            unit: "",
            change: Change::Live,
            effect: Effect::Acts,
            shown: Shown::Listed,
            doc,
            check: None,
        }
    }

    pub(crate) const fn aliases(mut self, aliases: &'static [&'static str]) -> Setting {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Setting {
        self.unit = unit;
        self
    }

    pub(crate) const fn at_start(mut self) -> Setting {
        self.change = Change::Start;
        self
    }

    pub(crate) const fn no_effect(mut self) -> Setting {
        self.effect = Effect::None;
        self
    }

    pub(crate) const fn main(mut self) -> Setting {
        self.shown = Shown::Main;
        self
    }

    pub(crate) const fn hidden(mut self) -> Setting {
        self.shown = Shown::Hidden;
        self
    }

    pub(crate) const fn check(mut self, check: Check) -> Setting {
        self.check = Some(check);
        self
    }

    /// Every name that reaches this setting, its own first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The variable: `maxmemory-policy` is `CORELANE_MAXMEMORY_POLICY`.
    pub fn env_name(&self) -> String {
        format!(
            "CORELANE_{}",
            self.name.replace('-', "_").to_ascii_uppercase()
        )
    }

    /// The flag: `maxmemory-policy` is `--maxmemory-policy`.
    pub fn flag_name(&self) -> String {
        format!("--{}", self.name)
    }

    /// Whether its value must not appear in logs, in `MONITOR` and in `SLOWLOG`.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The default as a value.
    ///
    /// # Panics
    /// If the block's default is not a value of its kind; a test reads every block.
    pub fn default_value(&self) -> Value {
        match self.kind.parse(self.default.as_bytes(), None) {
            Ok(value) => value,
            Err(error) => panic!(
                "the default of '{}' is not one of its values: {error}",
                self.name
            ),
        }
    }
}
