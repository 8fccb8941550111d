//! `CONFIG`: the settings of a running node.

use corelane_wire::glob;
use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::asking::{Asking, Command, gone};
use crate::change::{Pairs, Unchanged};
use crate::node::Node;
use crate::request::Request;

const BASE: CommandSpec = CommandSpec {
    parent: Some("config"),
    flags: Flags::of(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE]),
    group: Group::Server,
    since: "2.0.0",
    complexity: "O(settings)",
    ..CommandSpec::BASE
};

/// The container.
pub(super) static CONFIG: Command = Command {
    spec: CommandSpec {
        name: "config",
        container: true,
        arity: -2,
        group: Group::Server,
        since: "2.0.0",
        summary: "A container for commands about settings.",
        complexity: "Depends on subcommand.",
        ..CommandSpec::BASE
    },
    run: None,
};

/// `CONFIG GET pattern …`.
pub(super) static GET: Command = Command {
    spec: CommandSpec {
        name: "get",
        arity: -3,
        summary: "The settings whose names match, with their values.",
        args: &[Arg::pattern("parameter").multiple()],
        history: &[("7.0.0", "Several patterns in one call.")],
        ..BASE
    },
    run: Some(|node, asking| {
        Box::pin(async move {
            let settings = node.settings();
            let args = asking.args.args();
            let patterns: Vec<&[u8]> = args.iter().skip(2).collect();
            let mut rows = settings.get(&patterns, |pattern, name| {
                glob::matches(pattern, name, true)
            });
            // What is, whatever was asked for.
            let shards = node.mesh().shards().to_string();
            let present = rows
                .iter_mut()
                .find(|(name, _)| name.eq_ignore_ascii_case(b"shards"));
            if let Some((_, value)) = present {
                *value = shards.into_bytes();
            }
            asking.reply(|reply| {
                reply.map(rows.len());
                for (name, value) in &rows {
                    reply.bulk(name);
                    reply.bulk(value);
                }
            })
        })
    }),
};

/// `CONFIG SET name value …`.
pub(super) static SET: Command = Command {
    spec: CommandSpec {
        name: "set",
        arity: -4,
        summary: "Changes settings, all or none of them, on every shard.",
        args: &[Arg::block("data", &[Arg::string("parameter"), Arg::string("value")]).multiple()],
        history: &[("7.0.0", "Several settings in one call.")],
        ..BASE
    },
    run: Some(|node, asking| Box::pin(set(node, asking))),
};

/// `CONFIG RESETSTAT`.
pub(super) static RESETSTAT: Command = Command {
    spec: CommandSpec {
        name: "resetstat",
        arity: 2,
        summary: "Sets the counters that INFO shows back to zero.",
        complexity: "O(shards)",
        ..BASE
    },
    run: Some(|node, asking| {
        Box::pin(async move {
            match node.call_all(|| Request::ResetStats).await {
                Ok(_) => asking.reply(|reply| reply.ok()),
                Err(_) => gone(),
            }
        })
    }),
};

/// `CONFIG REWRITE`.
pub(super) static REWRITE: Command = Command {
    spec: CommandSpec {
        name: "rewrite",
        arity: 2,
        summary: "Writes the settings in force to the configuration file, keeping its comments.",
        ..BASE
    },
    run: Some(|node, asking| Box::pin(rewrite(node, asking))),
};

/// `CONFIG HELP`.
pub(super) static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        arity: 2,
        summary: "The subcommands of CONFIG.",
        complexity: "O(1)",
        flags: Flags::of(&[Flags::LOADING, Flags::STALE]),
        ..BASE
    },
    run: Some(|_, asking| {
        Box::pin(async move {
            super::help(
                &asking,
                &[
                    "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                    "GET <pattern> [<pattern> ...]",
                    "    Settings whose names match, and their values.",
                    "SET <name> <value> [<name> <value> ...]",
                    "    Changes settings, all or none.",
                    "RESETSTAT",
                    "    Sets the counters of INFO to zero.",
                    "REWRITE",
                    "    Writes the settings in force to the configuration file.",
                    "HELP",
                    "    This help.",
                ],
            )
        })
    }),
};

async fn set(node: Node, asking: Asking) -> Vec<u8> {
    let args = asking.args.args();
    if !args.len().is_multiple_of(2) {
        return asking.reply(|reply| {
            reply.error("ERR syntax error");
        });
    }
    let owned: Vec<Vec<u8>> = args.iter().skip(2).map(<[u8]>::to_vec).collect();
    let pairs = owned.chunks(2);
    let pairs: Pairs = pairs.map(|p| (p[0].clone(), p[1].clone())).collect();
    match node.change(pairs, false).await {
        Ok(()) => asking.reply(|reply| reply.ok()),
        Err(Unchanged::Refused(reason)) => {
            asking.reply(|reply| reply.error(&format!("ERR {reason}")))
        }
        Err(Unchanged::Gone) => gone(),
    }
}

async fn rewrite(node: Node, asking: Asking) -> Vec<u8> {
    let Some(path) = node.identity().config_file.clone() else {
        return asking.reply(|reply| {
            reply.error("ERR The server is running without a config file");
        });
    };
    let written = async {
        let old = match corelane::fs::read_to_vec(&path).await {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.to_string()),
        };
        let new = corelane_settings::rewrite(&old, &node.settings()).map_err(|e| e.to_string())?;
        corelane::fs::write_atomic(&path, new.into_bytes())
            .await
            .map_err(|e| e.to_string())
    };
    match written.await {
        Ok(()) => asking.reply(|reply| reply.ok()),
        Err(reason) => {
            let text = format!("ERR Rewriting config file {}: {reason}", path.display());
            asking.reply(|reply| reply.error(&text))
        }
    }
}
