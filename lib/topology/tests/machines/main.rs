//! Fake machines: `tree` builds them, `snapshots` prints them, `plans` asks them for everything that
//! can be asked, `layouts` splits them, `hostile` breaks their files.

mod hostile;
mod layouts;
mod plans;
mod snapshots;
mod tree;
