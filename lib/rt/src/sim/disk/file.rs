//! An open file of the simulated disk.

use std::io;
use std::path::Path;
use std::rc::Rc;

use super::names::SharedContents;
use crate::fs::{AlignedBuf, OpenOptions};
use crate::sim::core::SimCore;

pub(crate) struct SimFile {
    world: Rc<SimCore>,
    contents: SharedContents,
    options: OpenOptions,
}

impl SimFile {
    pub(crate) async fn open(
        world: &Rc<SimCore>,
        path: &Path,
        options: OpenOptions,
    ) -> io::Result<Self> {
        world.take_time(&world.options.disk_ns).await;
        let contents = world.disk.borrow_mut().open(path, options)?;
        Ok(SimFile {
            world: world.clone(),
            contents,
            options,
        })
    }

    pub(crate) async fn read_at(
        &self,
        mut buffer: Vec<u8>,
        len: usize,
        offset: u64,
    ) -> io::Result<Vec<u8>> {
        self.take_time().await;
        allow(self.options.read)?;
        buffer.clear();
        buffer.extend_from_slice(self.contents.borrow().read(offset, len));
        Ok(buffer)
    }

    pub(crate) async fn write_at(&self, mut buffer: Vec<u8>, offset: u64) -> io::Result<Vec<u8>> {
        self.take_time().await;
        allow(self.options.write)?;
        self.contents.borrow_mut().write(offset, &buffer);
        buffer.clear();
        Ok(buffer)
    }

    pub(crate) async fn read_direct_at(
        &self,
        mut buffer: AlignedBuf,
        len: usize,
        offset: u64,
    ) -> io::Result<AlignedBuf> {
        self.take_time().await;
        allow(self.options.read)?;
        buffer.fill_from(self.contents.borrow().read(offset, len));
        Ok(buffer)
    }

    pub(crate) async fn write_direct_at(
        &self,
        buffer: AlignedBuf,
        offset: u64,
    ) -> io::Result<AlignedBuf> {
        self.take_time().await;
        allow(self.options.write)?;
        self.contents.borrow_mut().write(offset, &buffer);
        Ok(buffer)
    }

    pub(crate) async fn allocate(&self, end: u64) -> io::Result<()> {
        self.take_time().await;
        allow(self.options.write)?;
        let mut contents = self.contents.borrow_mut();
        if (contents.bytes.len() as u64) < end {
            contents.resize(end as usize);
        }
        Ok(())
    }

    pub(crate) async fn set_len(&self, len: u64) -> io::Result<()> {
        self.take_time().await;
        if !self.options.write {
            return Err(rustix::io::Errno::INVAL.into());
        }
        self.contents.borrow_mut().resize(len as usize);
        Ok(())
    }

    pub(crate) async fn sync_data(&self) -> io::Result<()> {
        self.take_time().await;
        self.contents.borrow_mut().sync();
        Ok(())
    }

    pub(crate) async fn len(&self) -> io::Result<u64> {
        self.take_time().await;
        Ok(self.contents.borrow().bytes.len() as u64)
    }

    async fn take_time(&self) {
        self.world.take_time(&self.world.options.disk_ns).await;
    }
}

/// A file that was not opened for this: "bad file descriptor", as the system says it.
fn allow(allowed: bool) -> io::Result<()> {
    if allowed {
        Ok(())
    } else {
        Err(rustix::io::Errno::BADF.into())
    }
}
