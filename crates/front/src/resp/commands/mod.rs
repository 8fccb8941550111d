//! Commands about the connection itself, and about commands.

mod asking;
mod auth;
mod client;
mod client_list;
mod client_migrate;
mod client_routing;
mod command;
mod echo;
mod hello;
mod ping;
mod quit;
mod reset;
mod select;

use super::state::Command;

/// Every command of this crate.
pub static COMMANDS: &[&Command] = &[
    &asking::ASKING,
    &asking::READONLY,
    &asking::READWRITE,
    &auth::AUTH,
    &client::CLIENT,
    &client::GETNAME,
    &client::GETREDIR,
    &client::HELP,
    &client::ID,
    &client::INFO,
    &client::NO_EVICT,
    &client::REPLY,
    &client::SETINFO,
    &client::SETNAME,
    &client_list::KILL,
    &client_list::LIST,
    &client_migrate::MIGRATE,
    &client_routing::ROUTING,
    &command::COMMAND,
    &command::COUNT,
    &command::DOCS,
    &command::GETKEYS,
    &command::GETKEYSANDFLAGS,
    &command::HELP,
    &command::INFO,
    &command::LIST,
    &echo::ECHO,
    &hello::HELLO,
    &ping::PING,
    &quit::QUIT,
    &reset::RESET,
    &select::SELECT,
];

/// Flags of commands that any client may use at any time.
pub(super) const ANYTIME: corelane_wire::spec::Flags = {
    use corelane_wire::spec::Flags;
    Flags::of(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
};
