//! How much memory the data may take, with its reason and what whoever reads it should know besides.

use crate::machine::Machine;
use crate::plan::decide::Chosen;
use crate::plan::profiles::Choice;
use crate::plan::request::MemoryRequest;
use crate::text::bytes;

/// What was asked for, or `percent` of what this process may use.
pub(super) fn choose_memory(
    machine: &Machine,
    request: MemoryRequest,
    percent: &Choice<u64>,
) -> Chosen<Option<u64>> {
    let (value, reason) = match (request, machine.usable_memory_bytes()) {
        (MemoryRequest::Bytes(asked), _) => (Some(asked), "asked for: maxmemory".to_owned()),
        (MemoryRequest::Unlimited, _) => (None, "asked for: no limit".to_owned()),
        (MemoryRequest::Auto, None) => (
            None,
            "neither machine nor control group tells how much memory there is".to_owned(),
        ),
        (MemoryRequest::Auto, Some(usable)) => {
            // In this order: a product first could overflow.
            let share = usable / 100 * percent.value;
            let reason = format!(
                "{}% of {}, {}; {}",
                percent.value,
                bytes(usable),
                whose_memory(machine),
                percent.why
            );
            (Some(share), reason)
        }
    };
    Chosen { value, reason }
}

/// Which of the two bounds [`Machine::usable_memory_bytes`] is.
fn whose_memory(machine: &Machine) -> String {
    let total = machine.memory.total_bytes.unwrap_or(u64::MAX);
    match &machine.cgroup.memory {
        Some(limit) if limit.limit_bytes < total => format!("the limit in {}", limit.file),
        _ => "this machine's memory".to_owned(),
    }
}

/// What can go wrong with that much.
pub(super) fn memory_note(machine: &Machine, maxmemory_bytes: Option<u64>) -> Option<String> {
    let Some(maxmemory) = maxmemory_bytes else {
        return Some(
            "without maxmemory the data can grow until the kernel ends the process".to_owned(),
        );
    };
    if let Some(usable) = machine
        .usable_memory_bytes()
        .filter(|&usable| maxmemory > usable)
    {
        return Some(format!(
            "maxmemory ({}) is above {}, {}: the kernel would end the process first",
            bytes(maxmemory),
            bytes(usable),
            whose_memory(machine)
        ));
    }
    let available = machine
        .memory
        .available_bytes
        .filter(|&now| maxmemory > now)?;
    Some(format!(
        "of the memory planned for ({}) only {} is available now; other processes hold the rest",
        bytes(maxmemory),
        bytes(available)
    ))
}
