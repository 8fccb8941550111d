//! The project's own chores: tidy, compare, gate, sim, full
fn main() {}
