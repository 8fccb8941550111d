//! An open file.

use std::io;
use std::path::Path;

use super::options::OpenOptions;
use crate::context::{self, Driver};
use crate::real::RealFile;
use crate::sim::SimFile;

/// An open file. All access is at offsets: there is no cursor, and calls may run at the same time. A call
/// whose future is dropped may or may not take place.
pub struct File(Kind);

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
            Driver::Real(driver) => RealFile::open(driver, path, options).await.map(Kind::Real),
            Driver::Sim(port) => SimFile::open(&port.world, path, options)
                .await
                .map(Kind::Sim),
        }
        .map(File)
    }

    /// Reads `len` bytes from `offset` into `buffer`, whose contents are replaced. Fewer come back only where
    /// the file ends.
    pub async fn read_at(&self, buffer: Vec<u8>, len: usize, offset: u64) -> io::Result<Vec<u8>> {
        match &self.0 {
            Kind::Real(file) => file.read_at(buffer, len, offset).await,
            Kind::Sim(file) => file.read_at(buffer, len, offset).await,
        }
    }

    /// Writes the whole of `buffer` at `offset`, and returns it emptied, to be used again. It is not safe on
    /// disk before [`File::sync_data`].
    pub async fn write_at(&self, buffer: Vec<u8>, offset: u64) -> io::Result<Vec<u8>> {
        match &self.0 {
            Kind::Real(file) => file.write_at(buffer, offset).await,
            Kind::Sim(file) => file.write_at(buffer, offset).await,
        }
    }

    /// Waits until everything written before this call is on stable storage, with the length that belongs to
    /// it.
    pub async fn sync_data(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Real(file) => file.sync_data().await,
            Kind::Sim(file) => file.sync_data().await,
        }
    }

    /// The file's length in bytes.
    pub async fn len(&self) -> io::Result<u64> {
        match &self.0 {
            Kind::Real(file) => file.len().await,
            Kind::Sim(file) => file.len().await,
        }
    }

    /// Whether the file has no bytes.
    pub async fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len().await? == 0)
    }
}
