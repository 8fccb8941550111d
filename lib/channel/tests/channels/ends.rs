//! What closing and dropping do.

use std::collections::VecDeque;
use std::sync::Arc;

use corelane_channel::{Full, Options, RecvError, SendError, mpmc, mpsc};

macro_rules! a_gone_receiver_gives_values_back {
    ($kind:path) => {{
        use $kind as kind;
        let (mut tx, rx) = kind::bounded::<u8>(4);
        drop(rx);
        assert!(tx.is_closed());
        assert_eq!(tx.try_send(1), Err(SendError::Closed(1)));
        assert_eq!(tx.send_blocking(2), Err(SendError::Closed(2)));
        let mut staged = VecDeque::from([3, 4]);
        assert_eq!(tx.try_send_batch(&mut staged), Err(SendError::Closed(())));
        assert_eq!(staged, [3, 4]);
        let stats = tx.gauge().stats();
        assert_eq!((stats.send.sent, stats.send.refused_closed), (0, 4));
        assert_eq!((stats.senders, stats.receivers), (1, 0));
    }};
}

macro_rules! gone_senders_leave_what_they_sent {
    ($kind:path) => {{
        use $kind as kind;
        for (mut tx, mut rx) in [kind::bounded::<u8>(4), kind::unbounded()] {
            tx.try_send(1).unwrap();
            tx.try_send(2).unwrap();
            let gauge = tx.gauge();
            drop(tx);
            assert!(!rx.is_closed());
            assert_eq!(rx.try_recv(), Ok(1));
            assert_eq!(rx.recv_blocking(), Ok(2));
            assert!(rx.is_closed());
            assert_eq!(rx.try_recv(), Err(RecvError::Closed));
            assert_eq!(rx.recv_blocking(), Err(RecvError::Closed));
            assert_eq!(
                rx.try_recv_batch(&mut Vec::new(), 9),
                Err(RecvError::Closed)
            );
            drop(rx);
            // Figures outlive the ends.
            let stats = gauge.stats();
            assert_eq!((stats.send.sent, stats.receive.received), (2, 2));
        }
    }};
}

macro_rules! every_value_is_dropped_once {
    ($kind:path) => {{
        use $kind as kind;
        let witness = Arc::new(());
        let drops = |witness: &Arc<()>| Arc::strong_count(witness) - 1;
        for full in [Full::Wait, Full::DropOldest, Full::DropNewest] {
            let (mut tx, mut rx) = kind::with(Options::new(2).full(full)).unwrap();
            for _ in 0..3 {
                let _ = tx.try_send(witness.clone());
            }
            assert_eq!(drops(&witness), 2, "{full:?}: two wait, the third is gone");
            drop(rx.try_recv());
            assert_eq!(drops(&witness), 1);
            // The last receiver leaves nothing behind, though the sender lives.
            drop(rx);
            assert_eq!(drops(&witness), 0, "{full:?}");
            drop(tx);
        }
        let (mut tx, rx) = kind::unbounded();
        for _ in 0..500 {
            tx.try_send(witness.clone()).unwrap();
        }
        drop(tx);
        assert_eq!(drops(&witness), 500);
        drop(rx);
        assert_eq!(drops(&witness), 0);
    }};
}

every_kind!(
    a_gone_receiver_gives_values_back
    gone_senders_leave_what_they_sent
    every_value_is_dropped_once
);

#[test]
fn a_channel_closes_with_its_last_sender() {
    let (tx, mut rx) = mpsc::bounded::<u8>(2);
    let second = tx.clone();
    assert_eq!(tx.gauge().stats().senders, 2);
    drop(tx);
    assert_eq!(rx.try_recv(), Err(RecvError::Empty));
    drop(second);
    assert_eq!(rx.try_recv(), Err(RecvError::Closed));
}

#[test]
fn a_channel_closes_with_its_last_receiver() {
    let (mut tx, rx) = mpmc::bounded::<u8>(2);
    let mut second = rx.clone();
    drop(rx);
    tx.try_send(1).unwrap();
    assert_eq!(second.try_recv(), Ok(1));
    drop(second);
    assert_eq!(tx.try_send(2), Err(SendError::Closed(2)));
}
