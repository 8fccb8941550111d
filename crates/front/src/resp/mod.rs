//! The Redis protocol in front of a node.
//!
//! ```text
//! listen ── accepts ──▶ session ── chunks ──▶ dispatch ── data ────────▶ node::Pipeline
//!                          ▲                      │── this connection ─▶ commands/*
//!                          └───── one send ◀──────┴── must wait ───────▶ node or commands, awaited
//! ```

mod commands;
mod dispatch;
mod input;
mod listen;
mod moving;
mod newcomer;
mod presence;
mod proxied;
mod registry;
mod secure;
mod session;
mod state;
mod window;

pub use commands::COMMANDS;
pub use listen::{Entrance, listen};
pub use presence::Admission;
pub use registry::{Entry, Registry};
pub use state::{Command, Run, SessionState, Standing};
