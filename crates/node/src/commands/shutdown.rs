//! `SHUTDOWN`.

use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};

use crate::asking::Command;

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`: drains and ends the node. Nothing is saved in
/// this version, whatever is asked, because there is no snapshot yet.
pub(super) static SHUTDOWN: Command = Command {
    spec: CommandSpec {
        name: "shutdown",
        arity: -1,
        flags: Flags::of(&[
            Flags::ADMIN,
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::ALLOW_BUSY,
        ]),
        group: Group::Server,
        since: "1.0.0",
        summary: "Ends the server after answering what it has taken in.",
        complexity: "O(1)",
        args: &[
            Arg::one_of(
                "save-selector",
                &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")],
            )
            .optional(),
            Arg::word("now", "NOW").optional(),
            Arg::word("force", "FORCE").optional(),
            Arg::word("abort", "ABORT").optional(),
        ],
        ..CommandSpec::BASE
    },
    run: Some(|node, asking| {
        Box::pin(async move {
            let words: Vec<String> = (1..asking.args.args().len())
                .map(|i| asking.text(i).to_ascii_lowercase())
                .collect();
            let known = ["nosave", "save", "now", "force", "abort"];
            if let Some(_unknown) = words.iter().find(|word| !known.contains(&word.as_str())) {
                return asking.reply(|reply| reply.error("ERR syntax error"));
            }
            if words.iter().any(|word| word == "abort") {
                return asking.reply(|reply| reply.error("ERR No shutdown in progress."));
            }
            if words.iter().any(|word| word == "save") {
                let text = "ERR Errors trying to SHUTDOWN: this version has no snapshots to save. \
                            Use SHUTDOWN NOSAVE.";
                return asking.reply(|reply| reply.error(text));
            }
            tracing::info!(client = asking.client.id.0, "SHUTDOWN: draining");
            node.mesh().stop("SHUTDOWN");
            Vec::new()
        })
    }),
};
