//! An open file.

use std::io;
use std::path::Path;

use super::direct::{AlignedBuf, Alignment};
use super::options::OpenOptions;
use crate::context::{self, Driver};
use crate::real::RealFile;
use crate::sim::SimFile;

/// An open file. All access is at offsets: there is no cursor, and calls may run at the same time. A call
/// whose future is dropped may or may not take place.
pub struct File {
    kind: Kind,
    /// Of one that was opened for direct access.
    alignment: Option<Alignment>,
}

enum Kind {
    Real(RealFile),
    Sim(SimFile),
}

impl File {
    /// Opens `path`.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub async fn open(path: &Path, options: OpenOptions) -> io::Result<File> {
        let core = context::with(|core| core.clone());
        match &core.driver {
            Driver::Real(driver) => {
                let (file, alignment) = RealFile::open(driver, path, options).await?;
                let kind = Kind::Real(file);
                Ok(File { kind, alignment })
            }
            Driver::Sim(port) => {
                let kind = Kind::Sim(SimFile::open(&port.world, path, options).await?);
                let alignment = options.direct.then_some(Alignment::UNKNOWN);
                Ok(File { kind, alignment })
            }
        }
    }

    /// What direct access to this file demands; `None` where it was opened without
    /// [`OpenOptions::direct`].
    pub fn alignment(&self) -> Option<Alignment> {
        self.alignment
    }

    /// An empty buffer for direct access to this file.
    pub fn aligned_buf(&self, capacity: usize) -> AlignedBuf {
        let alignment = self.alignment.unwrap_or(Alignment::UNKNOWN);
        AlignedBuf::new(capacity, alignment.memory_bytes)
    }

    /// As [`File::read_at`], into aligned memory: `len` bytes from `offset` in place of what `buffer` held.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an access that is not aligned as [`File::alignment`] says, with what to change; a buffer
    /// smaller than `len`; else the system's.
    pub async fn read_direct_at(
        &self,
        buffer: AlignedBuf,
        len: usize,
        offset: u64,
    ) -> io::Result<AlignedBuf> {
        if len > buffer.capacity() {
            let text = format!(
                "a read of {len} bytes into a buffer of {}",
                buffer.capacity()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.check_aligned(&buffer, len, offset)?;
        match &self.kind {
            Kind::Real(file) => file.read_direct_at(buffer, len, offset).await,
            Kind::Sim(file) => file.read_direct_at(buffer, len, offset).await,
        }
    }

    /// As [`File::write_at`], from aligned memory. The buffer comes back as it was.
    ///
    /// # Errors
    ///
    /// As [`File::read_direct_at`].
    pub async fn write_direct_at(&self, buffer: AlignedBuf, offset: u64) -> io::Result<AlignedBuf> {
        self.check_aligned(&buffer, buffer.len(), offset)?;
        match &self.kind {
            Kind::Real(file) => file.write_direct_at(buffer, offset).await,
            Kind::Sim(file) => file.write_direct_at(buffer, offset).await,
        }
    }

    fn check_aligned(&self, buffer: &AlignedBuf, len: usize, offset: u64) -> io::Result<()> {
        match &self.alignment {
            Some(alignment) => alignment.check(buffer, len, offset),
            None => Ok(()),
        }
    }

    /// Refuses what would only end in the system's "invalid argument".
    fn check_cached(&self) -> io::Result<()> {
        match self.alignment {
            None => Ok(()),
            Some(_) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the file is open for direct access: use read_direct_at and write_direct_at, or open it without direct()",
            )),
        }
    }

    /// Reads `len` bytes from `offset` into `buffer`, whose contents are replaced. Fewer come back only where
    /// the file ends.
    ///
    /// # Errors
    ///
    /// `InvalidInput` on a file that is open for direct access; else the system's.
    pub async fn read_at(&self, buffer: Vec<u8>, len: usize, offset: u64) -> io::Result<Vec<u8>> {
        self.check_cached()?;
        match &self.kind {
            Kind::Real(file) => file.read_at(buffer, len, offset).await,
            Kind::Sim(file) => file.read_at(buffer, len, offset).await,
        }
    }

    /// Writes the whole of `buffer` at `offset`, and returns it emptied, to be used again. It is not safe on
    /// disk before [`File::sync_data`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` on a file that is open for direct access; else the system's.
    pub async fn write_at(&self, buffer: Vec<u8>, offset: u64) -> io::Result<Vec<u8>> {
        self.check_cached()?;
        match &self.kind {
            Kind::Real(file) => file.write_at(buffer, offset).await,
            Kind::Sim(file) => file.write_at(buffer, offset).await,
        }
    }

    /// Waits until everything written before this call is on stable storage, with the length that belongs to
    /// it.
    pub async fn sync_data(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.sync_data().await,
            Kind::Sim(file) => file.sync_data().await,
        }
    }

    /// Sees to room on the disk for all bytes up to `end`, so that writing there cannot fail for want of it and
    /// costs less. The file is at least that long afterwards; what was not written reads as zeros.
    ///
    /// # Errors
    ///
    /// `StorageFull`, and `Unsupported` on a file system that cannot.
    pub async fn allocate(&self, end: u64) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.allocate(end).await,
            Kind::Sim(file) => file.allocate(end).await,
        }
    }

    /// Cuts the file to `len` bytes, or lengthens it with zeros. As safe on disk as a write.
    pub async fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.set_len(len).await,
            Kind::Sim(file) => file.set_len(len).await,
        }
    }

    /// The file's length in bytes.
    pub async fn len(&self) -> io::Result<u64> {
        match &self.kind {
            Kind::Real(file) => file.len().await,
            Kind::Sim(file) => file.len().await,
        }
    }

    /// Whether the file has no bytes.
    pub async fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len().await? == 0)
    }
}
