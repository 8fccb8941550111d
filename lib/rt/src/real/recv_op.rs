//! A receive that stays armed: the kernel delivers each arrival into a buffer of the shared pool. Compio's own
//! operation does the work; this one counts what was delivered and not yet read, and has the receive stopped
//! when that is too much, so that one connection cannot hoard the pool.

use std::cell::{Cell, RefCell};
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
const UNREAD_MAX: u32 = 8;

type Inner = RecvMulti<SharedFd<Socket>>;

pub(crate) struct RecvOp {
    inner: Inner,
    unread: Rc<Unread>,
}

/// What lies unread, shared between the operation and the stream that reads.
pub(crate) struct Unread {
    count: Cell<u32>,
    cancel: RefCell<Option<Cancel>>,
    paused: Rc<RefCell<Vec<Cancel>>>,
}

impl Unread {
    pub(crate) fn new(paused: &Rc<RefCell<Vec<Cancel>>>) -> Rc<Self> {
        Rc::new(Unread {
            count: Cell::new(0),
            cancel: RefCell::new(None),
            paused: paused.clone(),
        })
    }

    /// How to stop the receive that was just armed.
    pub(crate) fn arm(&self, cancel: Cancel) {
        *self.cancel.borrow_mut() = Some(cancel);
    }

    pub(crate) fn read_one(&self) {
        self.count.set(self.count.get().saturating_sub(1));
    }

    fn delivered(&self) {
        self.count.set(self.count.get() + 1);
        if self.count.get() >= UNREAD_MAX
            && let Some(cancel) = self.cancel.borrow_mut().take()
        {
            self.paused.borrow_mut().push(cancel);
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

// SAFETY: every demand on the entry and the results is met by the inner operation, to which each call is
// handed on unchanged; it lies in place inside this one, so it is pinned as long as this one is.
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
        control: &mut Self::Control,
        result: io::Result<usize>,
        extra: Extra,
    ) {
        self.unread.delivered();
        // SAFETY: the caller's promise is the inner operation's demand.
        unsafe { self.inner.push_multishot(control, result, extra) }
    }

    fn pop_multishot(&mut self, control: &mut Self::Control) -> Option<BufResult<usize, Extra>> {
        self.inner.pop_multishot(control)
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
