//! The one list of settings, and everything that is made from it.
//!
//! [`SETTINGS`] holds one block per setting. From it come the names that `CONFIG GET` and
//! `CONFIG SET` know, the keys of the TOML file, the `CORELANE_*` variables, the command-line flags
//! and the reference page. [`Settings`] holds their values: read in layers ([`load`]), changed all
//! or none ([`Settings::set`]), written back ([`rewrite()`]), and handed to other crates as plain
//! structs ([`Listen`], [`ClientLimits`], …), so that nobody else knows a setting by its name.
//!
//! Everything here is pure: text and bytes in, values out. Whoever calls does the file I/O and
//! hands copies to the shards.

#![forbid(unsafe_code)]

mod address;
mod config;
mod events;
mod file;
mod kind;
mod layers;
mod list;
mod number;
mod output_limit;
mod reference;
mod rewrite;
mod routing;
mod setting;
mod settings;
mod source;
mod suggest;
mod typed;
mod value;

pub use address::BindAddress;
pub use config::SetError;
pub use kind::{BadValue, Kind};
pub use layers::{Layers, LoadError, Loaded, config_path, load};
pub use list::SETTINGS;
pub use output_limit::{OutputLimit, OutputLimits};
pub use reference::reference_page;
pub use rewrite::{RewriteError, rewrite};
pub use routing::Routing;
pub use setting::{Change, Check, Effect, Group, Setting, Shown, find};
pub use settings::Settings;
pub use source::Source;
pub use suggest::nearest;
pub use typed::{
    Announce, ClientCertificates, ClientLimits, Endpoint, KeyspaceOptions, Listen, LocalAccess,
    Logging, MaxMemory, MemoryLimits, MemoryShare, Placement, ProxyProtocol, Security, ShardPorts,
    Tls, WireLimits,
};
pub use value::{SavePoint, Value};
