//! Names and whole files.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::{File, OpenOptions};
use crate::blocking;
use crate::context::{self, Driver};

/// Gives a file another name, replacing what had it. Not safe on disk before [`sync_dir`].
///
/// # Panics
///
/// Outside a runtime.
pub async fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.rename(from, to).await;
    }
    let (from, to) = (from.to_owned(), to.to_owned());
    blocking::run(move || std::fs::rename(from, to)).await
}

/// Takes a file's name away; the file goes with the last that has it open. Not safe on disk before
/// [`sync_dir`].
///
/// # Panics
///
/// Outside a runtime.
pub async fn remove(path: &Path) -> io::Result<()> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.remove(path).await;
    }
    let path = path.to_owned();
    blocking::run(move || std::fs::remove_file(path)).await
}

/// Waits until the names in a directory are on stable storage: files made, renamed and removed there.
///
/// # Panics
///
/// Outside a runtime.
pub async fn sync_dir(path: &Path) -> io::Result<()> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.sync_dir(path).await;
    }
    let path = path.to_owned();
    blocking::run(move || std::fs::File::open(path)?.sync_all()).await
}

/// Makes a directory and those it lies in.
///
/// # Panics
///
/// Outside a runtime.
pub async fn create_dir_all(path: &Path) -> io::Result<()> {
    let core = context::with(|core| core.clone());
    if let Driver::Sim(port) = &core.driver {
        return port.world.create_dir_all(path).await;
    }
    let path = path.to_owned();
    blocking::run(move || std::fs::create_dir_all(path)).await
}

/// The whole of a file, up to its end and not to the length it says it has: files of `/proc` say 0.
///
/// # Panics
///
/// Outside a runtime.
pub async fn read_to_vec(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path, OpenOptions::new().read()).await?;
    let len = file.len().await?;
    let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut whole = file.read_at(Vec::new(), len.max(READ_BYTES), 0).await?;
    loop {
        let more = file
            .read_at(Vec::new(), READ_BYTES, whole.len() as u64)
            .await?;
        if more.is_empty() {
            return Ok(whole);
        }
        whole.extend_from_slice(&more);
    }
}

/// Read at once where a file's length says nothing.
const READ_BYTES: usize = 16 * 1024;

/// Replaces a file's contents so that, whatever happens meanwhile, the old or the new are there whole: writes
/// a file beside it, syncs it, renames it, and syncs the directory.
///
/// # Panics
///
/// Outside a runtime.
pub async fn write_atomic(path: &Path, bytes: Vec<u8>) -> io::Result<()> {
    let beside = beside(path)?;
    let written = write_beside(&beside, bytes).await;
    let replaced = match written {
        Ok(()) => rename(&beside, path).await,
        Err(error) => Err(error),
    };
    if let Err(error) = replaced {
        // What is left there only takes room; the error that matters is the first.
        let _ = remove(&beside).await;
        return Err(error);
    }
    sync_dir(parent(path)).await
}

async fn write_beside(beside: &Path, bytes: Vec<u8>) -> io::Result<()> {
    let file = File::open(beside, OpenOptions::new().write().create().truncate()).await?;
    file.write_at(bytes, 0).await?;
    file.sync_data().await
}

/// `dir/name` → `dir/.name.new`
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        let text = format!("{} names no file", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    Ok(path.with_file_name(hidden))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
