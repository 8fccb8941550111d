//! A file on the real backend: operations of the ring on io_uring, calls on the blocking pool on polling (the
//! driver's own pool would inherit the shard's CPU pin).

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use compio_buf::{BufResult, IntoInner, IoBufExt};
use compio_driver::op::{ReadAt, Sync, WriteAt};

use super::driver::RealDriver;
use super::op::OpFuture;
use crate::blocking;
use crate::fs::OpenOptions;

pub(crate) struct RealFile {
    driver: Rc<RealDriver>,
    file: Arc<std::fs::File>,
}

impl RealFile {
    pub(crate) async fn open(
        driver: &Rc<RealDriver>,
        path: &Path,
        options: OpenOptions,
    ) -> io::Result<Self> {
        let path = path.to_owned();
        let file = blocking::run(move || options.to_std().open(path)).await?;
        Ok(RealFile {
            driver: driver.clone(),
            file: Arc::new(file),
        })
    }

    pub(crate) async fn read_at(
        &self,
        mut buffer: Vec<u8>,
        len: usize,
        offset: u64,
    ) -> io::Result<Vec<u8>> {
        buffer.clear();
        buffer.reserve_exact(len);
        if !self.driver.is_uring() {
            let file = self.file.clone();
            return blocking::run(move || read_blocking(&file, buffer, len, offset)).await;
        }
        while buffer.len() < len {
            let filled = buffer.len();
            let op = ReadAt::new(
                self.file.clone(),
                offset + filled as u64,
                buffer.slice(filled..len),
            );
            let BufResult(result, op) = OpFuture::push(&self.driver, op).await;
            buffer = op.into_inner().into_inner();
            match result {
                Ok(0) => break,
                // SAFETY: the kernel has just written `count` bytes behind the first `filled`.
                Ok(count) => unsafe { buffer.set_len(filled + count) },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(buffer)
    }

    pub(crate) async fn write_at(&self, mut buffer: Vec<u8>, offset: u64) -> io::Result<Vec<u8>> {
        if !self.driver.is_uring() {
            let file = self.file.clone();
            let write = move || file.write_all_at(&buffer, offset).map(|()| buffer);
            buffer = blocking::run(write).await?;
            buffer.clear();
            return Ok(buffer);
        }
        let mut written = 0;
        while written < buffer.len() {
            let op = WriteAt::new(
                self.file.clone(),
                offset + written as u64,
                buffer.slice(written..),
            );
            let BufResult(result, op) = OpFuture::push(&self.driver, op).await;
            buffer = op.into_inner().into_inner();
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.clear();
        Ok(buffer)
    }

    pub(crate) async fn sync_data(&self) -> io::Result<()> {
        let file = self.file.clone();
        if !self.driver.is_uring() {
            return blocking::run(move || file.sync_data()).await;
        }
        let BufResult(result, _) = OpFuture::push(&self.driver, Sync::new(file, true)).await;
        result.map(|_| ())
    }

    pub(crate) async fn len(&self) -> io::Result<u64> {
        let file = self.file.clone();
        blocking::run(move || Ok(file.metadata()?.len())).await
    }
}

fn read_blocking(
    file: &std::fs::File,
    mut buffer: Vec<u8>,
    len: usize,
    offset: u64,
) -> io::Result<Vec<u8>> {
    buffer.resize(len, 0);
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}
