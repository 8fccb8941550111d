//! What is in a directory, and what a name means.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::blocking;
use crate::context::{self, Driver};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Bytes.
    File,
    /// Names.
    Dir,
    /// A socket, a device, a link that leads nowhere.
    Other,
}

/// What is known of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes; of a directory nothing that means anything.
    pub len: u64,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Without the directory.
    pub name: OsString,
    /// What it stands for; links are not followed.
    pub kind: FileKind,
}

/// What `path` stands for; links are followed.
///
/// # Panics
///
/// Outside a runtime.
pub async fn metadata(path: &Path) -> io::Result<Metadata> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.metadata(path).await;
    }
    let path = path.to_owned();
    blocking::run(move || {
        let metadata = std::fs::metadata(path)?;
        Ok(Metadata {
            kind: kind_of(metadata.file_type()),
            len: metadata.len(),
        })
    })
    .await
}

/// The names in a directory, in order. All of them are held in memory at once.
///
/// # Panics
///
/// Outside a runtime.
pub async fn read_dir(path: &Path) -> io::Result<Vec<DirEntry>> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.read_dir(path).await;
    }
    let path = path.to_owned();
    blocking::run(move || {
        let mut entries = std::fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                let kind = kind_of(entry.file_type()?);
                let name = entry.file_name();
                Ok(DirEntry { name, kind })
            })
            .collect::<io::Result<Vec<DirEntry>>>()?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    })
    .await
}

fn kind_of(kind: std::fs::FileType) -> FileKind {
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Dir
    } else {
        FileKind::Other
    }
}
