//! Workers and pools, on threads and in the simulator.
#![allow(unreachable_pub)]

mod ledger;
mod moves;
mod refusals;
mod simulated;
mod threads;
