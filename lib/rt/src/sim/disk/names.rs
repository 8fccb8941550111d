//! The simulated disk's names: which file each path means, as programs see it and as a power failure would leave
//! it. Directories, once made, are there for good.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::contents::Contents;
use crate::fs::{DirEntry, FileKind, Metadata, OpenOptions};
use crate::sim::core::SimCore;

pub(crate) type SharedContents = Rc<RefCell<Contents>>;

#[derive(Default)]
pub(crate) struct Disk {
    names: BTreeMap<PathBuf, SharedContents>,
    dirs: BTreeSet<PathBuf>,
    durable: BTreeMap<PathBuf, SharedContents>,
    /// What was done to names since their directory was last synced, in order.
    unsynced: Vec<Rename>,
}

/// A name given to a file (or to none), and what name it had before.
struct Rename {
    path: PathBuf,
    file: Option<SharedContents>,
    from: Option<PathBuf>,
}

impl SimCore {
    pub(crate) async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow_mut().rename(from, to)
    }

    pub(crate) async fn remove(&self, path: &Path) -> io::Result<()> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow_mut().remove(path)
    }

    pub(crate) async fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow_mut().sync_dir(path)
    }

    pub(crate) async fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow().metadata(path)
    }

    pub(crate) async fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow().read_dir(path)
    }

    pub(crate) async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.take_time(&self.options.disk_ns).await;
        self.disk.borrow_mut().create_dir_all(path)
    }
}

impl Disk {
    pub(crate) fn open(&mut self, path: &Path, options: OpenOptions) -> io::Result<SharedContents> {
        let path = plain(path);
        self.check_dir(dir_of(&path))?;
        let there = self.names.get(&path).cloned();
        let file = match there {
            Some(_) if options.create_new => return Err(io::ErrorKind::AlreadyExists.into()),
            Some(file) => file,
            None if options.write && (options.create || options.create_new) => {
                let file = SharedContents::default();
                self.give(path, Some(file.clone()), None);
                file
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        if options.truncate && options.write {
            file.borrow_mut().resize(0);
        }
        Ok(file)
    }

    /// The power fails: of the names not synced, a beginning of what was done is there; of each file, what
    /// [`Contents::lose_power`] leaves.
    pub(crate) fn lose_power(&mut self, rng: &mut fastrand::Rng) {
        let unsynced = std::mem::take(&mut self.unsynced);
        let kept = rng.usize(..=unsynced.len());
        unsynced
            .into_iter()
            .take(kept)
            .for_each(|rename| apply(&mut self.durable, rename));
        self.names = self.durable.clone();
        for file in self.names.values() {
            file.borrow_mut().lose_power(rng);
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (plain(from), plain(to));
        self.check_dir(dir_of(&to))?;
        let file = self
            .names
            .get(&from)
            .cloned()
            .ok_or(io::ErrorKind::NotFound)?;
        self.give(to, Some(file), Some(from));
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let path = plain(path);
        if !self.names.contains_key(&path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.give(path, None, None);
        Ok(())
    }

    fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let path = plain(path);
        self.check_dir(&path)?;
        let (safe, rest) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|rename| dir_of(&rename.path) == path);
        self.unsynced = rest;
        let safe: Vec<Rename> = safe;
        safe.into_iter()
            .for_each(|rename| apply(&mut self.durable, rename));
        Ok(())
    }

    fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        for dir in plain(path).ancestors() {
            if self.names.contains_key(dir) {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            self.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let path = plain(path);
        if let Some(file) = self.names.get(&path) {
            return Ok(Metadata {
                kind: FileKind::File,
                len: file.borrow().bytes.len() as u64,
            });
        }
        self.check_dir(&path)?;
        Ok(Metadata {
            kind: FileKind::Dir,
            len: 0,
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let path = plain(path);
        self.check_dir(&path)?;
        let files = self.names.keys().map(|name| (name, FileKind::File));
        let dirs = self.dirs.iter().map(|name| (name, FileKind::Dir));
        let mut entries: Vec<DirEntry> = files
            .chain(dirs)
            .filter(|(name, _)| dir_of(name) == path)
            .filter_map(|(name, kind)| {
                let name = name.file_name()?.to_owned();
                Some(DirEntry { name, kind })
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn give(&mut self, path: PathBuf, file: Option<SharedContents>, from: Option<PathBuf>) {
        let rename = Rename {
            path: path.clone(),
            file: file.clone(),
            from: from.clone(),
        };
        apply(&mut self.names, Rename { path, file, from });
        self.unsynced.push(rename);
    }

    /// The root and the working directory are always there.
    fn check_dir(&self, dir: &Path) -> io::Result<()> {
        let there = dir.as_os_str().is_empty() || dir == Path::new("/") || self.dirs.contains(dir);
        if there {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

fn apply(names: &mut BTreeMap<PathBuf, SharedContents>, rename: Rename) {
    if let Some(from) = rename.from {
        names.remove(&from);
    }
    match rename.file {
        Some(file) => names.insert(rename.path, file),
        None => names.remove(&rename.path),
    };
}

/// The path without `.` steps.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect()
}

fn dir_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
