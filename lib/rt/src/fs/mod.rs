//! Files: by io_uring where it runs, else by the blocking pool; in the simulator in memory, with a disk that
//! forgets what was not synced.

mod direct;
mod entry;
mod file;
mod options;
mod whole;

pub use direct::{AlignedBuf, Alignment};
pub use entry::{DirEntry, FileKind, Metadata, metadata, read_dir};
pub use file::File;
pub use options::OpenOptions;
pub use whole::{create_dir_all, read_to_vec, remove, rename, sync_dir, write_atomic};
