//! Closing a gate: who waits, who is refused, what is left behind.

use std::pin::pin;
use std::task::{Context, Waker};

use super::*;

#[test]
fn it_closes_at_once_and_waits_for_who_is_inside() {
    let mut cx = Context::from_waker(Waker::noop());
    for inside in [0, 1, 3] {
        let gate = Gate::new();
        let mut holds: Vec<_> = (0..inside).map(|_| gate.enter().expect("open")).collect();
        let mut closing = pin!(gate.close());
        assert!(gate.is_closed());
        assert_eq!(gate.enter().map(drop), Err(GateClosed));
        while let Some(hold) = holds.pop() {
            assert!(closing.as_mut().poll(&mut cx).is_pending());
            drop(hold);
        }
        assert!(closing.as_mut().poll(&mut cx).is_ready());
        // Closing it again is the same.
        assert!(pin!(gate.close()).poll(&mut cx).is_ready());
        let want = GateStats {
            inside: 0,
            entered: inside,
            refused: 1,
        };
        assert_eq!(gate.stats(), want);
    }
}

#[test]
fn closers_are_woken_and_leave_nothing_behind() {
    let (waker, woken) = crate::sync::testing::counting();
    let mut cx = Context::from_waker(&waker);
    let gate = Gate::new();
    let hold = gate.enter().expect("open");
    let mut first = pin!(gate.close());
    {
        let mut second = pin!(gate.close());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        assert_eq!(gate.0.closing.len(), 2);
    }
    assert_eq!(gate.0.closing.len(), 1);
    drop(hold);
    assert_eq!(woken.count(), 1);
    assert!(first.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn work_runs_inside_or_not_at_all() {
    let mut cx = Context::from_waker(Waker::noop());
    let gate = Gate::new();
    {
        let mut work = pin!(gate.run(std::future::pending::<()>()));
        assert!(work.as_mut().poll(&mut cx).is_pending());
        assert_eq!(gate.stats().inside, 1);
    }
    assert_eq!(gate.stats().inside, 0, "cancelled work has left");
    assert!(pin!(gate.close()).poll(&mut cx).is_ready());
    let mut late = pin!(gate.run(async { unreachable!("it must not begin") }));
    assert!(late.as_mut().poll(&mut cx).is_ready());
}
