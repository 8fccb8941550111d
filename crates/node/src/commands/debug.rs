//! `DEBUG`: what test suites and people at three in the morning use. Not for programs.

use std::time::Duration;

use corelane_settings::LocalAccess;
use corelane_wire::spec::{CommandSpec, Flags, Group};
use corelane_wire::{Reply as ReplyWriter, glob};

use crate::asking::{Asking, Command, gone};
use crate::node::Node;
use crate::request::Request;

/// `DEBUG subcommand …`.
pub(super) static DEBUG: Command = Command {
    spec: CommandSpec {
        name: "debug",
        arity: -2,
        flags: Flags::of(&[
            Flags::ADMIN,
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::PROTECTED,
        ]),
        group: Group::Server,
        since: "1.0.0",
        summary: "Tools for debugging and for test suites.",
        complexity: "Depends on subcommand.",
        ..CommandSpec::BASE
    },
    run: Some(|node, asking| Box::pin(debug(node, asking))),
};

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "PANIC",
    "    Panics in the shard's state, which ends the node.",
    "PROTOCOL <type>",
    "    An example of a reply type: string, integer, double, null, array, set, map, attrib, push,",
    "    verbatim, true, false, bignum.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Turns the search for expired keys off or on, on all shards.",
    "SLEEP <seconds>",
    "    Answers after that time; the shard goes on serving others.",
    "STRINGMATCH-LEN <length> <pattern>",
    "    Matches a string of that many 'a's against a pattern.",
    "HELP",
    "    This help.",
];

/// Whether this client may use `DEBUG`.
fn allowed(node: &Node, asking: &Asking) -> bool {
    match node.rules(|rules| rules.settings.security().debug_command) {
        LocalAccess::Yes => true,
        LocalAccess::No => false,
        LocalAccess::Local => asking.client.is_local(),
    }
}

const FORBIDDEN: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \
                         \"local\", you can run it from a local connection, otherwise you need to set \
                         this option in the configuration file, and then restart the server.";

const CUT_SHORT: &str = "ERR DEBUG SLEEP was cut short: the connection ends";

async fn debug(node: Node, asking: Asking) -> Vec<u8> {
    if !allowed(&node, &asking) {
        return asking.reply(|reply| reply.error(FORBIDDEN));
    }
    let word = asking.text(1).to_ascii_lowercase();
    let argument = asking.text(2);
    match (word.as_str(), asking.args.args().len()) {
        ("help", 2) => super::help(&asking, HELP),
        ("panic", 2) => node.mesh().with(|_| panic!("DEBUG PANIC was asked for")),
        ("protocol", 3) => asking.reply(|reply| protocol(&argument, reply)),
        ("set-active-expire", 3) => {
            let on = argument.trim() != "0";
            match node.call_all(|| Request::ActiveExpire(on)).await {
                Ok(_) => asking.reply(|reply| reply.ok()),
                Err(_) => gone(),
            }
        }
        ("sleep", 3) => match argument.parse::<f64>() {
            Ok(seconds) if (0.0..=MAX_SLEEP_S).contains(&seconds) => {
                let pause = corelane::time::sleep(Duration::from_secs_f64(seconds));
                match asking.unless_ended(pause).await {
                    Some(()) => asking.reply(|reply| reply.ok()),
                    None => asking.reply(|reply| reply.error(CUT_SHORT)),
                }
            }
            _ => asking.reply(|reply| reply.error("ERR value is not a valid float")),
        },
        ("stringmatch-len", 4) => stringmatch(&asking),
        _ => {
            let text = format!(
                "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                asking.text(1)
            );
            asking.reply(|reply| reply.error(&text))
        }
    }
}

/// The longest `DEBUG SLEEP`: a day.
const MAX_SLEEP_S: f64 = 86_400.0;

/// The longest string that `STRINGMATCH-LEN` makes.
const MAX_STRINGMATCH_BYTES: usize = 64 * 1024 * 1024;

fn stringmatch(asking: &Asking) -> Vec<u8> {
    let args = asking.args.args();
    match asking.text(2).parse::<usize>() {
        Ok(length) if length <= MAX_STRINGMATCH_BYTES => {
            let matched = glob::matches(&args[3], &vec![b'a'; length], false);
            asking.reply(|reply| reply.int(i64::from(matched)))
        }
        _ => asking.reply(|reply| reply.error("ERR value is not an integer or out of range")),
    }
}

/// One reply of each type, as Redis's own test suite expects them.
fn protocol(kind: &str, reply: &mut ReplyWriter<'_>) {
    match kind.to_ascii_lowercase().as_str() {
        "string" => reply.bulk(b"Hello World"),
        "integer" => reply.int(12345),
        "double" => reply.double_text(b"3.141"),
        "null" => reply.null(),
        "array" => {
            reply.array(3);
            (0..3).for_each(|n| reply.int(n));
        }
        "set" => {
            reply.set(3);
            (0..3).for_each(|n| reply.int(n));
        }
        "map" => {
            reply.map(3);
            for n in 0..3 {
                reply.int(n);
                reply.bool(n == 1);
            }
        }
        "attrib" => {
            if reply.attribute(1) {
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.int(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        "push" => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.int(42);
        }
        "verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        "true" => reply.bool(true),
        "false" => reply.bool(false),
        "bignum" => reply.big_number("1234567999999999999999999999999999999"),
        _ => reply.error(
            "ERR Wrong protocol type name. Please use one of the following: \
             string|integer|double|null|array|set|map|attrib|push|verbatim|true|false|bignum",
        ),
    }
}
