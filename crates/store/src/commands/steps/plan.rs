//! The side that decides: which steps a command takes, and what it answers in the end.

use corelane_wire::{Args, Reply};

use crate::commands::generic::{copy, rename};
use crate::commands::string::{lcs, msetnx};
use crate::exec::{Command, Limits};

use super::step::{Answer, Step};

/// A command that is to be run in steps.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its arguments, name included; arity has been checked.
    pub args: Args<'a>,
    /// The selected database.
    pub db: u16,
    /// How many databases there are.
    pub databases: u16,
    /// Limits that settings put on commands.
    pub limits: &'a Limits,
}

/// How a command with keys on several shards goes on.
pub trait Plan: Send {
    /// Takes the answers to the last steps, in the order of the steps (none at the first call), and says what is
    /// next. Writes the reply when it says [`Next::Done`].
    fn next(&mut self, answers: Vec<Answer>, reply: &mut Reply<'_>) -> Next;
}

/// What a [`Plan`] wants next.
#[derive(Debug)]
pub enum Next {
    /// Run these steps, in any order or at once, and come back with all answers.
    Run(Vec<Step>),
    /// The plan computes in slices and has more to do: let others run, then come back with no answers.
    Again,
    /// The reply is written.
    Done,
}

/// The plan for `command`, whose keys lie apart.
///
/// # Errors
/// The error to answer with, if the arguments are wrong.
///
/// # Panics
/// If `command` is not one of those that take steps ([`crate::Split::Steps`]).
pub fn plan(command: &Command, request: &Request<'_>) -> Result<Box<dyn Plan>, &'static str> {
    match command.spec.name {
        "rename" => Ok(rename::plan(request, false)),
        "renamenx" => Ok(rename::plan(request, true)),
        "copy" => copy::plan(request),
        "msetnx" => msetnx::plan(request),
        "lcs" => Ok(lcs::plan(request)),
        other => panic!("'{other}' is not run in steps"),
    }
}
