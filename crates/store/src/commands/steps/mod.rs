//! Commands over keys of several shards, as steps.
//!
//! `RENAME`, `RENAMENX`, `COPY`, `MSETNX` and `LCS` look at some keys and change others by what they saw. Where all
//! keys lie on one shard, the command's handler does that in one go. Where they do not, the node makes a [`Plan`]
//! and carries [`Step`]s to the shards that own their keys; a plan ends with the very reply that the handler would
//! have given. Both are pure: nothing here knows what a shard is.
//!
//! The steps of one command are not one transaction: between two of them other commands run, so that a client may
//! see a renamed key under neither name, or some keys of an `MSETNX` without the others; what was put aside is put
//! back when a condition no longer holds. Atomicity across shards is the work of transactions.

mod plan;
mod step;
#[cfg(test)]
mod tests;

pub use plan::{Next, Plan, Request, plan};
pub use step::{Answer, Op, Step};
