//! A file on the real backend: operations of the ring on io_uring, calls on the blocking pool on polling (the
//! driver's own pool would inherit the shard's CPU pin).

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use compio_buf::{BufResult, IntoInner, IoBuf, IoBufExt, IoBufMut};
use compio_driver::op::{ReadAt, Sync, WriteAt};
use rustix::fs::{AtFlags, StatxFlags};

use super::driver::RealDriver;
use super::op::OpFuture;
use crate::blocking;
use crate::fs::{AlignedBuf, Alignment, OpenOptions};

pub(crate) struct RealFile {
    driver: Rc<RealDriver>,
    file: Arc<std::fs::File>,
}

impl RealFile {
    pub(crate) async fn open(
        driver: &Rc<RealDriver>,
        path: &Path,
        options: OpenOptions,
    ) -> io::Result<(Self, Option<Alignment>)> {
        let path = path.to_owned();
        let (file, alignment) = blocking::run(move || open(&path, options)).await?;
        let file = RealFile {
            driver: driver.clone(),
            file: Arc::new(file),
        };
        Ok((file, alignment))
    }

    pub(crate) async fn read_at(
        &self,
        mut buffer: Vec<u8>,
        len: usize,
        offset: u64,
    ) -> io::Result<Vec<u8>> {
        buffer.clear();
        buffer.reserve_exact(len);
        if self.driver.is_uring() {
            return self.read_by_ring(buffer, len, offset, 1).await;
        }
        let file = self.file.clone();
        blocking::run(move || {
            buffer.resize(len, 0);
            let filled = read_blocking(&file, &mut buffer, offset)?;
            buffer.truncate(filled);
            Ok(buffer)
        })
        .await
    }

    pub(crate) async fn read_direct_at(
        &self,
        mut buffer: AlignedBuf,
        len: usize,
        offset: u64,
    ) -> io::Result<AlignedBuf> {
        if self.driver.is_uring() {
            buffer.set_len(0);
            return self.read_by_ring(buffer, len, offset, SECTOR_BYTES).await;
        }
        let file = self.file.clone();
        blocking::run(move || {
            buffer.set_len(len);
            let filled = read_blocking(&file, &mut buffer, offset)?;
            buffer.set_len(filled);
            Ok(buffer)
        })
        .await
    }

    pub(crate) async fn write_at(&self, mut buffer: Vec<u8>, offset: u64) -> io::Result<Vec<u8>> {
        if self.driver.is_uring() {
            buffer = self.write_by_ring(buffer, offset).await?;
        } else {
            let file = self.file.clone();
            let write = move || file.write_all_at(&buffer, offset).map(|()| buffer);
            buffer = blocking::run(write).await?;
        }
        buffer.clear();
        Ok(buffer)
    }

    pub(crate) async fn write_direct_at(
        &self,
        buffer: AlignedBuf,
        offset: u64,
    ) -> io::Result<AlignedBuf> {
        if self.driver.is_uring() {
            return self.write_by_ring(buffer, offset).await;
        }
        let file = self.file.clone();
        blocking::run(move || file.write_all_at(&buffer, offset).map(|()| buffer)).await
    }

    /// Reads into an empty buffer that has room for `len` bytes, in whole `unit`s but for the file's end.
    async fn read_by_ring<B: IoBufMut>(
        &self,
        mut buffer: B,
        len: usize,
        offset: u64,
        unit: usize,
    ) -> io::Result<B> {
        let mut filled = 0;
        while filled < len {
            let op = ReadAt::new(
                self.file.clone(),
                offset + filled as u64,
                buffer.slice(filled..len),
            );
            let BufResult(result, op) = OpFuture::push(&self.driver, op).await;
            buffer = op.into_inner().into_inner();
            match result {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    // SAFETY: the kernel has just written `count` bytes behind the first.
                    unsafe { buffer.set_len(filled) };
                    // The file's odd end; to go on from there would be an access that is not aligned.
                    if !filled.is_multiple_of(unit) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(buffer)
    }

    async fn write_by_ring<B: IoBuf>(&self, mut buffer: B, offset: u64) -> io::Result<B> {
        let len = buffer.buf_len();
        let mut written = 0;
        while written < len {
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
        Ok(buffer)
    }

    pub(crate) async fn allocate(&self, end: u64) -> io::Result<()> {
        let file = self.file.clone();
        let flags = rustix::fs::FallocateFlags::empty();
        // A length of 0 is an error to the system and nothing to do here.
        let allocate = move || match end {
            0 => Ok(()),
            end => rustix::fs::fallocate(&*file, flags, 0, end).map_err(Into::into),
        };
        blocking::run(allocate).await
    }

    pub(crate) async fn set_len(&self, len: u64) -> io::Result<()> {
        let file = self.file.clone();
        blocking::run(move || file.set_len(len)).await
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

fn open(path: &Path, options: OpenOptions) -> io::Result<(std::fs::File, Option<Alignment>)> {
    let opened = options.to_std().open(path);
    if !options.direct {
        return Ok((opened?, None));
    }
    let refused = |path: &Path| {
        let text = format!(
            "{}: its file system has no direct access (O_DIRECT): open it without direct()",
            path.display()
        );
        io::Error::new(io::ErrorKind::Unsupported, text)
    };
    match opened {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(refused(path)),
        Err(error) => Err(error),
        Ok(file) => match alignment_of(&file) {
            Some(alignment) => Ok((file, Some(alignment))),
            None => Err(refused(path)),
        },
    }
}

/// What the kernel says about direct access to a file; `None` where it says that there is none.
fn alignment_of(file: &std::fs::File) -> Option<Alignment> {
    let told = rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::DIOALIGN);
    let Some(told) = told
        .ok()
        .filter(|told| StatxFlags::from_bits_retain(told.stx_mask).contains(StatxFlags::DIOALIGN))
    else {
        return Some(Alignment::UNKNOWN);
    };
    let alignment = Alignment {
        memory_bytes: told.stx_dio_mem_align as usize,
        offset_bytes: told.stx_dio_offset_align as usize,
    };
    (alignment.memory_bytes > 0 && alignment.offset_bytes > 0).then_some(alignment)
}

/// What every device's alignment is a multiple of.
const SECTOR_BYTES: usize = 512;

/// Fills `buffer` as far as the file goes; how far.
fn read_blocking(file: &std::fs::File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
