//! That the flags on which the cost of a request depends are in force: not what the builder was told, but what
//! the kernel does.

use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use compio_driver::SharedFd;
use compio_driver::op::{Interest, PollOnce};

use super::*;

/// How many completions the kernel has posted to the ring so far, which reading does not change.
fn posted(ring: RawFd) -> u64 {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{ring}")).expect("fdinfo");
    let tail = info
        .lines()
        .find_map(|line| line.strip_prefix("CqTail:"))
        .expect("CqTail");
    tail.trim().parse().expect("a number")
}

/// Completes an operation behind the ring's back and makes some system calls. How many completions the kernel
/// posted by then, and how many once the ring was entered.
fn completions_before_and_after_entering(proactor: &mut Proactor) -> (u64, u64) {
    let ring = proactor.as_raw_fd();
    let (mut near, far) = UnixStream::pair().expect("a pair");
    let _key = proactor.push(PollOnce::new(SharedFd::new(far), Interest::Readable));
    let _ = proactor.poll(Some(Duration::ZERO));
    let start = posted(ring);
    near.write_all(b"x").expect("write");
    for _ in 0..10 {
        let _ = rustix::process::getpid();
    }
    let before = posted(ring) - start;
    let _ = proactor.poll(Some(Duration::ZERO));
    (before, posted(ring) - start)
}

#[test]
fn completions_are_deferred_until_the_ring_is_entered() {
    let ours = RealDriver::new(&RuntimeOptions::default(), Arc::default()).expect("a driver");
    if !ours.is_uring() {
        eprintln!("no io_uring here: nothing to test");
        return;
    }
    let seen = ours.with(completions_before_and_after_entering);
    assert_eq!(
        seen,
        (0, 1),
        "DEFER_TASKRUN (and SINGLE_ISSUER, which it demands) is not in force"
    );

    // The test can tell: a ring without the flags completes at the next system call.
    let mut plain = Proactor::new().expect("a plain ring");
    assert_eq!(completions_before_and_after_entering(&mut plain), (1, 1));
}

/// A look asks the kernel for nothing unless its flag says that completions wait: without TASKRUN_FLAG it
/// would never see one.
#[test]
fn a_look_without_waiting_reaps_what_is_deferred() {
    let driver = RealDriver::new(&RuntimeOptions::default(), Arc::default()).expect("a driver");
    let (mut near, far) = UnixStream::pair().expect("a pair");
    let op = PollOnce::new(SharedFd::new(far), Interest::Readable);
    let PushEntry::Pending(key) = driver.push(op) else {
        panic!("nothing can be readable yet");
    };
    driver.poll(Some(Duration::ZERO));
    near.write_all(b"x").expect("write");
    driver.poll(Some(Duration::ZERO));
    let reaped = driver.with(|proactor| proactor.pop(key)).is_ready();
    assert!(reaped, "TASKRUN_FLAG is not in force");
}

#[test]
fn auto_means_io_uring_where_the_kernel_has_it() {
    let asked = RuntimeOptions {
        io: IoBackend::Uring,
        ..RuntimeOptions::default()
    };
    if RealDriver::new(&asked, Arc::default()).is_err() {
        eprintln!("no io_uring here: nothing to test");
        return;
    }
    let auto = RealDriver::new(&RuntimeOptions::default(), Arc::default()).expect("a driver");
    assert_eq!(auto.backend(), Backend::IoUring);
}
