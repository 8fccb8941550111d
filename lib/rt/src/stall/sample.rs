//! A look at another thread: its registers and a copy of its stack, taken by a signal handler on that thread.
//!
//! The handler touches nothing but the one static [`Request`], and calls nothing but `pwrite` and `gettid`, which are
//! plain system calls. It neither locks, allocates nor unwinds, so it is safe wherever the thread was interrupted. A
//! request is answered by the thread it names, or revoked, so that a signal that comes late finds nothing to do.

use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_void};
use rustix::fs::{MemfdFlags, memfd_create};

use super::report::Frame;
use super::unwind;

/// How much of a stalled thread's stack is looked at, from its innermost frame on.
pub const STACK_BYTES: usize = 128 * 1024;

/// By which signal a thread is asked.
const SIGNAL: c_int = libc::SIGURG;

/// Above the frame of `block_on` this much is copied, too, so that the frame itself is whole.
const ABOVE_TOP_BYTES: usize = 1024;

/// How long the thread has to answer: one that waits for a disk does not.
const ANSWER: Duration = Duration::from_millis(100);

/// How long an answer that has begun may take: the thread may be off its CPU in the middle of it.
const FINISH: Duration = Duration::from_secs(1);

/// What a thread was doing.
pub(super) struct Sample {
    pub(super) registers: Registers,
    pub(super) stack: Vec<u8>,
}

/// What unwinding begins with. `link` is where the architecture has such a register.
#[derive(Clone, Copy)]
pub(super) struct Registers {
    pub(super) pc: u64,
    pub(super) sp: u64,
    pub(super) fp: u64,
    pub(super) link: u64,
}

impl Sample {
    /// Where the thread was, the innermost call first.
    pub(super) fn frames(&self) -> Vec<Frame> {
        unwind::frames(self)
    }
}

/// Makes ready what a sample needs. At the watchdog's start and not at the first stall, so that the process's
/// descriptors do not change by one at some moment.
pub(super) fn prepare() {
    handler();
}

/// Asks thread `tid` of this process, whose loop runs below `stack_top`. Only the watchdog comes here: there is one
/// request.
pub(super) fn take(tid: i32, stack_top: usize) -> Option<Sample> {
    let file = handler()?;
    if stack_top == 0 || !REQUEST.ask(tid, stack_top + ABOVE_TOP_BYTES, file.as_raw_fd()) {
        return None;
    }
    // SAFETY: plain system calls without pointers. A thread that is gone is an error, and a number that another thread
    // of this process has by now finds that the request is not for it.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, SIGNAL) };
    let (registers, copied) = REQUEST.answer()?;
    let mut stack = vec![0; copied];
    let read = rustix::io::pread(file, &mut stack, 0).ok()?;
    stack.truncate(read);
    Some(Sample { registers, stack })
}

/// Installs the handler once, and makes the file that stacks are copied to. `None`: the system or the program does not
/// let us.
fn handler() -> Option<&'static OwnedFd> {
    static FILE: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let file = memfd_create("stalled-stack", MemfdFlags::CLOEXEC).ok()?;
        install().then_some(file)
    });
    file.as_ref()
}

fn install() -> bool {
    // SAFETY: a sigaction is numbers, pointers and a set, all of which may be 0: the default action.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: reads the present action into one of ours.
    let read = unsafe { libc::sigaction(SIGNAL, ptr::null(), &raw mut action) };
    let free = [libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction);
    if read != 0 || !free {
        return false;
    }
    action.sa_sigaction = on_signal as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: fills a set of ours: no other signal interrupts the handler.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    // SAFETY: the action is complete, and its handler has the signature that SA_SIGINFO asks for and does only what a
    // handler may (see there).
    unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) == 0 }
}

extern "C" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: a system call without arguments.
    let me = unsafe { libc::syscall(libc::SYS_gettid) };
    let Some((stack_top, file)) = REQUEST.accept(me) else {
        return;
    };
    // SAFETY: with SA_SIGINFO the kernel hands a valid ucontext_t.
    let registers = unsafe { registers(&*context.cast::<libc::ucontext_t>()) };
    let below = stack_top.saturating_sub(registers.sp as usize);
    // SAFETY: this thread's own errno, which the interrupted code may be about to read; it is put back below.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let kept = unsafe { *errno };
    // SAFETY: `pwrite` is a system call. The kernel reads the bytes, and answers with an error or with less where an
    // address cannot be read; nothing here reads them as values.
    let copied = unsafe {
        let from = registers.sp as *const c_void;
        libc::pwrite(file, from, below.min(STACK_BYTES), 0)
    };
    // SAFETY: as above.
    unsafe { *errno = kept };
    REQUEST.complete(registers, usize::try_from(copied).unwrap_or(0));
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    let register = |number: c_int| context.uc_mcontext.gregs[number as usize] as u64;
    Registers {
        pc: register(libc::REG_RIP),
        sp: register(libc::REG_RSP),
        fp: register(libc::REG_RBP),
        link: 0,
    }
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    Registers {
        pc: context.uc_mcontext.pc,
        sp: context.uc_mcontext.sp,
        fp: context.uc_mcontext.regs[29],
        link: context.uc_mcontext.regs[30],
    }
}

static REQUEST: Request = Request::new();

/// The states of a request. The watchdog: idle → asked, asked → idle (revoked), taken → idle. The handler: asked →
/// taking → taken.
const IDLE: u32 = 0;
const ASKED: u32 = 1;
const TAKING: u32 = 2;
const TAKEN: u32 = 3;

/// The one request, in static memory: a handler that runs late finds it in another state, never gone.
struct Request {
    state: AtomicU32,
    tid: AtomicI32,
    stack_top: AtomicUsize,
    file: AtomicI32,
    registers: [AtomicU64; 4],
    copied: AtomicUsize,
}

impl Request {
    const fn new() -> Self {
        Request {
            state: AtomicU32::new(IDLE),
            tid: AtomicI32::new(0),
            stack_top: AtomicUsize::new(0),
            file: AtomicI32::new(-1),
            registers: [const { AtomicU64::new(0) }; 4],
            copied: AtomicUsize::new(0),
        }
    }

    /// The watchdog's: puts a request. False: an earlier one is still being answered.
    fn ask(&self, tid: i32, stack_top: usize, file: i32) -> bool {
        if self.state.load(Ordering::Acquire) == TAKING {
            return false;
        }
        // Idle, or answered too late to be wanted: no handler touches it.
        self.state.store(IDLE, Ordering::Relaxed);
        self.tid.store(tid, Ordering::Relaxed);
        self.stack_top.store(stack_top, Ordering::Relaxed);
        self.file.store(file, Ordering::Relaxed);
        self.state.store(ASKED, Ordering::Release);
        true
    }

    /// The handler's: takes the request, if it is for this thread.
    fn accept(&self, me: libc::c_long) -> Option<(usize, i32)> {
        if self.state.load(Ordering::Acquire) != ASKED
            || libc::c_long::from(self.tid.load(Ordering::Relaxed)) != me
        {
            return None;
        }
        self.state
            .compare_exchange(ASKED, TAKING, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some((
            self.stack_top.load(Ordering::Relaxed),
            self.file.load(Ordering::Relaxed),
        ))
    }

    /// The handler's: answers.
    fn complete(&self, registers: Registers, copied: usize) {
        let values = [registers.pc, registers.sp, registers.fp, registers.link];
        for (slot, value) in self.registers.iter().zip(values) {
            slot.store(value, Ordering::Relaxed);
        }
        self.copied.store(copied, Ordering::Relaxed);
        self.state.store(TAKEN, Ordering::Release);
    }

    /// The watchdog's: waits for the answer, or revokes the request.
    fn answer(&self) -> Option<(Registers, usize)> {
        if !self.wait_taken(ANSWER) {
            let revoked =
                self.state
                    .compare_exchange(ASKED, IDLE, Ordering::AcqRel, Ordering::Acquire);
            if revoked.is_ok() || !self.wait_taken(FINISH) {
                return None;
            }
        }
        let [pc, sp, fp, link] =
            [0, 1, 2, 3].map(|at: usize| self.registers[at].load(Ordering::Relaxed));
        let registers = Registers { pc, sp, fp, link };
        let copied = self.copied.load(Ordering::Relaxed);
        self.state.store(IDLE, Ordering::Relaxed);
        Some((registers, copied))
    }

    fn wait_taken(&self, limit: Duration) -> bool {
        let began = Instant::now();
        while self.state.load(Ordering::Acquire) != TAKEN {
            if began.elapsed() > limit {
                return false;
            }
            thread::sleep(Duration::from_micros(50));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERS: Registers = Registers {
        pc: 1,
        sp: 2,
        fp: 3,
        link: 4,
    };

    #[test]
    fn a_request_is_answered_by_the_thread_it_names() {
        let request = Request::new();
        assert_eq!(request.accept(7), None, "nobody was asked");
        assert!(request.ask(7, 100, 5));
        assert_eq!(request.accept(8), None, "another one was");
        assert_eq!(request.accept(7), Some((100, 5)));
        assert_eq!(request.accept(7), None, "once");
        request.complete(REGISTERS, 64);
        let (registers, copied) = request.answer().expect("an answer");
        assert_eq!(
            (registers.pc, registers.sp, registers.fp, copied),
            (1, 2, 3, 64)
        );
    }

    #[test]
    fn a_late_answer_meets_no_later_request() {
        let request = Request::new();
        assert!(request.ask(7, 100, 5));
        assert!(request.answer().is_none(), "the thread is silent");
        assert_eq!(request.accept(7), None, "the request was revoked");
        assert!(request.ask(7, 200, 5));
        request.accept(7).expect("the second request");
        assert!(!request.ask(9, 300, 5), "it is being answered");
        request.complete(REGISTERS, 0);
        assert!(
            request.ask(9, 300, 5),
            "an answer that nobody fetched is in nobody's way"
        );
        assert_eq!(request.accept(9), Some((300, 5)));
    }
}
