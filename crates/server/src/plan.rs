//! Settings and machine to a plan, and the plan to launch options.

use std::path::Path;

use corelane::LaunchOptions;
use corelane_settings::{Settings, Value};
use corelane_topology::{Machine, Plan};

use crate::error::ServerError;

/// What this machine is, and how a server with these settings would lie on it.
///
/// # Errors
/// The machine cannot be read, or cannot give what is asked for.
pub fn plan(settings: &Settings) -> Result<(Machine, Plan), ServerError> {
    let machine = Machine::read(Path::new("/"))?;
    let plan = Plan::new(&machine, &settings.placement().request)?;
    Ok((machine, plan))
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
    options.stall_ms = placement
        .stall_threshold
        .map(|limit| limit.as_millis() as u64);
    options
}
