//! What a runtime shows of itself to the watchdog: that its loop turns, and what it runs. Written by its own thread with
//! plain stores, one per turn and one per task.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Tells a name. A function and not the name, as a pointer to it fits into one word.
pub(crate) type NameFn = fn() -> &'static str;

/// The name of a future's type, as a pointer that lives for ever.
pub(crate) fn name_of<F: ?Sized>() -> &'static NameFn {
    struct Of<F: ?Sized>(std::marker::PhantomData<F>);
    impl<F: ?Sized> Of<F> {
        const NAME: &'static NameFn = &(std::any::type_name::<F> as NameFn);
    }
    Of::<F>::NAME
}

/// On cache lines of its own, as it is written all the time and read rarely.
#[repr(align(128))]
pub(crate) struct Pulse {
    turns: AtomicU64,
    /// Null: nothing that could hold the thread (the loop itself, or it sleeps).
    running: AtomicPtr<NameFn>,
    /// Where the stack of `block_on`'s caller begins: what the loop runs lies below. 0: outside `block_on`.
    stack_top: AtomicUsize,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Pulse {
            turns: AtomicU64::new(0),
            running: AtomicPtr::new(ptr::null_mut()),
            stack_top: AtomicUsize::new(0),
        }
    }

    /// The loop has turned.
    pub(crate) fn beat(&self) {
        let turns = self.turns.load(Ordering::Relaxed);
        self.turns.store(turns.wrapping_add(1), Ordering::Relaxed);
    }

    /// What runs from now on.
    pub(crate) fn runs(&self, what: &'static NameFn) {
        self.running
            .store(ptr::from_ref(what).cast_mut(), Ordering::Relaxed);
    }

    /// Nothing runs.
    pub(crate) fn rests(&self) {
        self.running.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// The loop runs above this address of its thread's stack no more.
    pub(crate) fn set_stack_top(&self, address: usize) {
        self.stack_top.store(address, Ordering::Relaxed);
    }

    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) fn stack_top(&self) -> usize {
        self.stack_top.load(Ordering::Relaxed)
    }

    pub(super) fn running(&self) -> Option<&'static NameFn> {
        let running = self.running.load(Ordering::Relaxed);
        // SAFETY: it is null or what `runs` stored: a shared reference that lives for ever, to a constant, which needs
        // no ordering to be seen whole.
        unsafe { running.as_ref() }
    }
}
