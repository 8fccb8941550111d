//! What containers such as `OBJECT` answer by themselves.

use corelane_wire::{Args, Reply};

use crate::exec::{Exec, Outcome};

/// Bytes of an unknown word that an error repeats.
const QUOTED_BYTES: usize = 128;

/// The handler of a container: its subcommands have handlers of their own, so what comes here is none of them.
pub(super) fn unknown_subcommand(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let word = args.get(1).unwrap_or_default();
    let word = &word[..word.len().min(QUOTED_BYTES)];
    let container = args.name().to_ascii_uppercase();
    let error = [
        b"ERR unknown subcommand '",
        word,
        b"'. Try ",
        &container,
        b" HELP.",
    ]
    .concat();
    exec.reply.error_bytes(&error);
    Outcome::Done
}

/// The answer to a `HELP` subcommand: a head, `lines`, and the line about `HELP` itself.
pub(super) fn write_help(reply: &mut Reply<'_>, args: Args<'_>, lines: &[&str]) {
    let container = String::from_utf8_lossy(args.name()).to_ascii_uppercase();
    reply.array(lines.len() + 3);
    reply.simple(&format!(
        "{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    ));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}
