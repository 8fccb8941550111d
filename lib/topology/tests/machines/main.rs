//! Fake machines: `tree` builds them, `snapshots` prints them, `plans` asks them for everything that
//! can be asked, `hostile` breaks their files.

mod hostile;
mod plans;
mod snapshots;
mod tree;
