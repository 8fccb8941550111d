//! Settings and machine to a plan, and the plan to launch options.

use std::path::Path;

use corelane::LaunchOptions;
use corelane_settings::{Settings, Value};
use corelane_topology::{Machine, Plan, PlanError};

use crate::error::ServerError;

/// What this machine is, and how a server with these settings would lie on it.
///
/// # Errors
/// The machine cannot be read, or cannot give what is asked for.
pub fn plan(settings: &Settings) -> Result<(Machine, Plan), ServerError> {
    let machine = Machine::read(Path::new("/"))?;
    let plan = Plan::new(&machine, &settings.placement().request).map_err(in_our_words)?;
    Ok((machine, plan))
}

/// The plan's refusal, with the names that the settings have.
fn in_our_words(error: PlanError) -> ServerError {
    let PlanError::NotSplittable {
        io_shards,
        shards,
        reason,
        ..
    } = error
    else {
        return error.into();
    };
    let remedy = match shards {
        0 | 1 => "ask for more shards".to_owned(),
        2 => "write 1, or ask for more shards".to_owned(),
        _ => format!("write {} or less, or ask for more shards", shards - 1),
    };
    ServerError::IoShards {
        io_shards,
        shards: format!("{shards} shard{}", if shards == 1 { "" } else { "s" }),
        reason,
        remedy,
    }
}

/// What `auto` came to.
pub(crate) fn note_detected(settings: &mut Settings, plan: &Plan) {
    settings.detect(
        "maxmemory",
        Value::Bytes(plan.maxmemory_bytes.value.unwrap_or(0)),
    );
}

/// The plan as launch options, where settings do not say otherwise.
pub(crate) fn launch_options(settings: &Settings, plan: &Plan) -> LaunchOptions {
    let mut options = LaunchOptions::from(plan);
    let placement = settings.placement();
    options.spin_us = placement.spin_us.unwrap_or(options.spin_us);
    if let Some(stall_ms) = placement.stall_ms {
        options.stall_ms = (stall_ms > 0).then_some(stall_ms);
    }
    options
}
