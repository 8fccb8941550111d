//! The simulated disk: files in memory, each in two states, as programs see it and as a power failure would leave
//! it.

mod contents;
mod file;
mod names;

pub(crate) use file::SimFile;
pub(crate) use names::Disk;
