//! The stages whose instructions are counted. Never inlined, and found by their names in what
//! callgrind writes, so the names are known to `cargo xtask gate`.

use corelane_store::{Command, Exec, Outcome};
use corelane_wire::frame::Value;
use corelane_wire::{Args, Limits, Parsed, Parser, ProtocolError, Reply, slot_of};

/// Bytes to arguments.
#[inline(never)]
pub(crate) fn stage_parse(
    parser: &mut Parser,
    request: &[u8],
    limits: &Limits,
) -> Result<Parsed, ProtocolError> {
    parser.parse(request, limits)
}

/// The first key to its slot.
#[inline(never)]
pub(crate) fn stage_route(args: Args<'_>) -> u16 {
    slot_of(&args[1])
}

/// Arguments to reply, by way of the data.
#[inline(never)]
pub(crate) fn stage_execute(exec: &mut Exec<'_>, command: &Command, args: Args<'_>) -> Outcome {
    exec.run(command, args)
}

/// The reply alone, which `stage_execute` writes too.
#[inline(never)]
pub(crate) fn stage_reply(reply: &mut Reply<'_>, value: &Value) {
    write(reply, value);
}

fn write(reply: &mut Reply<'_>, value: &Value) {
    match value {
        Value::Simple(text) => reply.simple(text),
        Value::Int(number) => reply.int(*number),
        Value::Bulk(bytes) => reply.bulk(bytes),
        Value::Null => reply.null(),
        Value::Array(values) => {
            reply.array(values.len());
            values.iter().for_each(|value| write(reply, value));
        }
        other => unreachable!("no kind is answered with {other:?}"),
    }
}
