//! A receive that stays armed: the kernel delivers each arrival into a buffer of the shared pool. Compio's own
//! operation does the work; this one keeps what was delivered and not yet read, in eight bytes each, and has the
//! receive stopped when that is too much, so that one connection cannot hoard the pool.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use compio_buf::BufResult;
use compio_driver::op::{RecvFlags, RecvMulti};
use compio_driver::{
    BufferPool, BufferRef, Cancel, Decision, Extra, IourOpCode, OpEntry, OpType, PollOpCode,
    SharedFd, TakeBuffer,
};
use socket2::Socket;

/// Deliveries that may lie unread before the receive is stopped. More can come in the same reap: the kernel
/// delivers up to 32 at once.
const UNREAD_MAX: usize = 8;

type Inner = RecvMulti<SharedFd<Socket>>;

pub(crate) struct RecvOp {
    inner: Inner,
    unread: Rc<Unread>,
}

/// What lies unread, shared between the operation and the stream that reads.
pub(crate) struct Unread {
    pool: BufferPool,
    deliveries: RefCell<Deliveries>,
    cancel: RefCell<Option<Cancel>>,
    paused: Rc<RefCell<Vec<Cancel>>>,
}

/// Bytes that the kernel has put into a buffer of the pool.
#[derive(Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) bytes: u32,
    /// The buffer's number.
    pub(crate) buffer: Option<u16>,
}

/// Oldest first. A reader that keeps up finds one at a time, and nothing is allocated for it.
#[derive(Default)]
struct Deliveries {
    first: Option<Delivery>,
    rest: Vec<Delivery>,
}

impl Deliveries {
    fn push(&mut self, delivery: Delivery) {
        if self.first.is_none() {
            self.first = Some(delivery);
        } else {
            self.rest.push(delivery);
        }
    }

    fn pop(&mut self) -> Option<Delivery> {
        let first = self.first.take();
        if !self.rest.is_empty() {
            self.first = Some(self.rest.remove(0));
            if self.rest.is_empty() {
                self.rest = Vec::new();
            }
        }
        first
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

impl Unread {
    pub(crate) fn new(pool: &BufferPool, paused: &Rc<RefCell<Vec<Cancel>>>) -> Rc<Self> {
        Rc::new(Unread {
            pool: pool.clone(),
            deliveries: RefCell::default(),
            cancel: RefCell::new(None),
            paused: paused.clone(),
        })
    }

    /// How to stop the receive that was just armed.
    pub(crate) fn arm(&self, cancel: Cancel) {
        *self.cancel.borrow_mut() = Some(cancel);
    }

    /// The oldest delivery.
    pub(crate) fn read_one(&self) -> Option<Delivery> {
        self.deliveries.borrow_mut().pop()
    }

    fn delivered(&self, delivery: Delivery) {
        let mut deliveries = self.deliveries.borrow_mut();
        deliveries.push(delivery);
        if deliveries.len() >= UNREAD_MAX
            && let Some(cancel) = self.cancel.borrow_mut().take()
        {
            self.paused.borrow_mut().push(cancel);
        }
    }
}

impl Drop for Unread {
    /// The kernel gets back the buffers that nobody will read.
    fn drop(&mut self) {
        while let Some(delivery) = self.read_one() {
            if let Some(buffer) = delivery.buffer {
                // Fails where the pool has ended: then its buffers have, too.
                let _ = self.pool.reset(buffer);
            }
        }
    }
}

impl RecvOp {
    pub(crate) fn new(
        fd: SharedFd<Socket>,
        pool: &BufferPool,
        unread: Rc<Unread>,
    ) -> io::Result<Self> {
        Ok(RecvOp {
            inner: Inner::new(fd, pool, 0, RecvFlags::empty())?,
            unread,
        })
    }

    /// The buffer that came with the last completion, if one did.
    pub(crate) fn take_buffer(self) -> Option<BufferRef> {
        self.inner.take_buffer()
    }
}

// SAFETY: every demand on the entry and the last result is met by the inner operation, to which each call is
// handed on unchanged; it lies in place inside this one, so it is pinned as long as this one is. The results before
// the last are kept here: each names a buffer, which is taken from the pool by whoever reads, or given back.
unsafe impl IourOpCode for RecvOp {
    type Control = <Inner as IourOpCode>::Control;

    unsafe fn init(&mut self, control: &mut Self::Control) {
        // SAFETY: the caller's promise is the inner operation's demand.
        unsafe { IourOpCode::init(&mut self.inner, control) }
    }

    fn create_entry(&mut self, control: &mut Self::Control) -> OpEntry {
        self.inner.create_entry(control)
    }

    fn create_entry_fallback(&mut self, control: &mut Self::Control) -> OpEntry {
        self.inner.create_entry_fallback(control)
    }

    fn call_blocking(&mut self, control: &mut Self::Control) -> io::Result<usize> {
        self.inner.call_blocking(control)
    }

    unsafe fn set_result(
        &mut self,
        control: &mut Self::Control,
        result: &io::Result<usize>,
        extra: &Extra,
    ) {
        // SAFETY: the caller's promise is the inner operation's demand.
        unsafe { IourOpCode::set_result(&mut self.inner, control, result, extra) }
    }

    unsafe fn push_multishot(
        &mut self,
        _control: &mut Self::Control,
        result: io::Result<usize>,
        extra: Extra,
    ) {
        // More is announced only behind bytes in a buffer; an error is the receive's last result.
        self.unread.delivered(Delivery {
            bytes: result.map_or(0, |bytes| bytes as u32),
            buffer: extra.buffer_id().ok(),
        });
    }

    /// Never asked: [`Unread`] has them.
    fn pop_multishot(&mut self, _control: &mut Self::Control) -> Option<BufResult<usize, Extra>> {
        None
    }
}

// SAFETY: handed on unchanged, as above. (A polling driver is never given this operation: it has no pool of
// the kernel's.)
unsafe impl PollOpCode for RecvOp {
    type Control = <Inner as PollOpCode>::Control;

    unsafe fn init(&mut self, control: &mut Self::Control) {
        // SAFETY: the caller's promise is the inner operation's demand.
        unsafe { PollOpCode::init(&mut self.inner, control) }
    }

    fn pre_submit(&mut self, control: &mut Self::Control) -> io::Result<Decision> {
        self.inner.pre_submit(control)
    }

    fn op_type(&mut self, control: &mut Self::Control) -> Option<OpType> {
        self.inner.op_type(control)
    }

    fn operate(&mut self, control: &mut Self::Control) -> Poll<io::Result<usize>> {
        self.inner.operate(control)
    }
}
