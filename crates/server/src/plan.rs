//! Settings and machine to a plan, and the plan to launch options.

use std::path::Path;

use corelane::LaunchOptions;
use corelane_settings::{Settings, Value};
use corelane_topology::{CpuAllocation, Layout, Machine, Plan, PlanError, Request};

use crate::error::ServerError;

/// What this machine is, and how a server with these settings would lie on it.
///
/// # Errors
/// The machine cannot be read, or cannot give what is asked for.
pub fn plan(settings: &Settings) -> Result<(Machine, Plan), ServerError> {
    let machine = Machine::read(Path::new("/"))?;
    let placement = settings.placement();
    let mut request = placement.request;
    if let Some(max_shards) = placement.max_shards {
        request.cpu_allocation = Some(room_for(max_shards, &request, &machine)?);
    }
    let plan = Plan::new(&machine, &request).map_err(in_our_words)?;
    Ok((machine, plan))
}

/// The processors for as many shards as there is to be room for.
fn room_for(
    max_shards: usize,
    request: &Request,
    machine: &Machine,
) -> Result<CpuAllocation, ServerError> {
    let asked = request.cpu_allocation.clone();
    let Some(named @ (CpuAllocation::Range(_) | CpuAllocation::Numa(_))) = asked else {
        return Ok(CpuAllocation::Count(max_shards));
    };
    match own_number(request, machine)? {
        count if count == max_shards => Ok(named),
        count => Err(ServerError::Room {
            max_shards,
            named: count,
        }),
    }
}

/// How many shards processors and profile come to, whatever there is to be room for.
fn own_number(request: &Request, machine: &Machine) -> Result<usize, ServerError> {
    let request = Request {
        layout: Some(Layout::Unified),
        ..request.clone()
    };
    Ok(Plan::new(machine, &request)?.shards.value.len())
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
pub(crate) fn note_detected(
    settings: &mut Settings,
    machine: &Machine,
    plan: &Plan,
) -> Result<(), ServerError> {
    let room = plan.shards.value.len();
    let own = own_number(&settings.placement().request, machine)?.min(room);
    settings.detect("shards", Value::Int(own as i64));
    settings.detect("max-shards", Value::Int(room as i64));
    settings.detect(
        "maxmemory",
        Value::Bytes(plan.maxmemory_bytes.value.unwrap_or(0)),
    );
    Ok(())
}

/// The plan as launch options, where settings do not say otherwise.
///
/// # Errors
/// More shards are to serve than there is room for, or too few.
pub(crate) fn launch_options(
    settings: &Settings,
    plan: &Plan,
) -> Result<LaunchOptions, ServerError> {
    let mut options = LaunchOptions::from(plan);
    let placement = settings.placement();
    let room = options.shards.len();
    let least = options.shards.iter().filter(|shard| shard.io).count() + 1;
    // Where nobody has asked for so many, those for connections come on top.
    let shards = match settings.value_as_given("shards") {
        Value::Auto => placement.shards.map(|shards| shards.max(least)),
        _ => placement.shards,
    };
    if let Some(shards) = shards.filter(|shards| !(least..=room).contains(shards)) {
        return Err(ServerError::Shards {
            shards,
            least,
            room,
        });
    }
    options.active = shards;
    options.spin_us = placement.spin_us.unwrap_or(options.spin_us);
    if let Some(stall_ms) = placement.stall_ms {
        options.stall_ms = (stall_ms > 0).then_some(stall_ms);
    }
    Ok(options)
}
