//! How to open a file.

use std::os::unix::fs::OpenOptionsExt;

/// How to open a file; nothing is allowed until it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) create: bool,
    pub(crate) create_new: bool,
    pub(crate) truncate: bool,
    pub(crate) direct: bool,
}

impl OpenOptions {
    /// Nothing allowed.
    pub fn new() -> Self {
        OpenOptions::default()
    }

    /// Allows reading.
    pub fn read(mut self) -> Self {
        self.read = true;
        self
    }

    /// Allows writing.
    pub fn write(mut self) -> Self {
        self.write = true;
        self
    }

    /// Makes the file where there is none. Needs [`OpenOptions::write`].
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Makes the file and fails where there is one. Needs [`OpenOptions::write`].
    pub fn create_new(mut self) -> Self {
        self.create_new = true;
        self
    }

    /// Empties the file. Needs [`OpenOptions::write`].
    pub fn truncate(mut self) -> Self {
        self.truncate = true;
        self
    }

    /// Goes around the system's cache (O_DIRECT): for those that have a cache of their own, and must know what a read
    /// costs. Access is by [`File::read_direct_at`](super::File::read_direct_at) and
    /// [`File::write_direct_at`](super::File::write_direct_at) then, in aligned pieces.
    pub fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    pub(crate) fn to_std(self) -> std::fs::OpenOptions {
        let mut options = std::fs::OpenOptions::new();
        options
            .read(self.read)
            .write(self.write)
            .create(self.create)
            .create_new(self.create_new)
            .truncate(self.truncate);
        if self.direct {
            let flag = rustix::fs::OFlags::DIRECT.bits();
            options.custom_flags(flag.cast_signed());
        }
        options
    }
}
