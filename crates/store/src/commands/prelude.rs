//! What nearly every command's file names: the words of a spec, and what a handler takes and gives.

pub(super) use corelane_wire::Args;
pub(super) use corelane_wire::spec::{
    Arg, Categories as C, CommandSpec, Flags as F, Group, KeyFlags as K, KeySpec,
};

pub(super) use super::errors::refuse;
pub(super) use crate::exec::{Command, Event, Exec, Outcome, Split};
pub(super) use crate::keyspace::Expire;
