//! The rivals and ourselves, each reduced to the same four things: make a channel, clone its ends, send
//! a value, receive one. Every body runs in the same `block_on` (pollster), also where nothing in it
//! ever waits, so that all pay alike.

use std::collections::VecDeque;
use std::hint::spin_loop;

use corelane_channel::{mpmc, mpsc, spsc};
use pollster::block_on;

use crate::load::{BATCH, CAPACITY, Load, Payload, flow, rounds};

/// One contestant in one discipline.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Whether tasks wait on it, rather than threads.
    pub(crate) is_async: bool,
    pub(crate) flow: fn(Load) -> f64,
    pub(crate) rounds: fn(u64) -> f64,
}

/// `many(end, n)`: `n` ends, all but the last by `clone`.
fn many<E>(end: E, n: usize, clone: impl Fn(&E) -> E) -> Vec<E> {
    let mut ends: Vec<E> = (1..n).map(|_| clone(&end)).collect();
    ends.push(end);
    ends
}

fn sole<E>(_: &E) -> E {
    unreachable!("a kind with one such end is measured with one")
}

/// Declares a contestant. `send` yields nothing, `recv` yields `Some` until the channel is closed.
macro_rules! peer {
    ($name:literal, $is_async:literal, $t:ident, $make:expr, $clone_tx:expr, $clone_rx:expr,
     |$tx:ident, $value:ident| $send:expr, |$rx:ident| $recv:expr) => {{
        fn run_flow<$t: Payload>(load: Load) -> f64 {
            let (tx, rx) = $make;
            let senders = many(tx, load.senders, $clone_tx).into_iter();
            let receivers = many(rx, load.receivers, $clone_rx).into_iter();
            #[allow(unused_mut)]
            let senders = senders.map(|mut $tx| {
                move || {
                    block_on(async move {
                        for n in 0..load.each() {
                            let $value = $t::of(n);
                            $send
                        }
                    })
                }
            });
            #[allow(unused_mut)]
            let receivers = receivers.map(|mut $rx| {
                move || {
                    block_on(async move {
                        let mut sum = 0;
                        while let Some(value) = $recv {
                            sum += Payload::n(&value);
                        }
                        sum
                    })
                }
            });
            let (senders, receivers) = (senders.collect(), receivers.collect());
            flow(load, senders, receivers)
        }
        #[allow(unused_mut)]
        fn run_rounds<$t: Payload>(count: u64) -> f64 {
            let (mut ping_tx, mut ping_rx) = $make;
            let (mut pong_tx, mut pong_rx) = $make;
            let here = move || {
                block_on(async move {
                    for n in 0..count {
                        {
                            let ($tx, $value) = (&mut ping_tx, $t::of(n));
                            $send
                        }
                        let $rx = &mut pong_rx;
                        let value: Option<$t> = $recv;
                        assert_eq!(value.map(|value| value.n()), Some(n));
                    }
                })
            };
            let there = move || {
                block_on(async move {
                    while let Some($value) = {
                        let $rx = &mut ping_rx;
                        $recv
                    } {
                        let $tx = &mut pong_tx;
                        $send
                    }
                })
            };
            rounds(count, here, there)
        }
        Peer {
            name: $name,
            is_async: $is_async,
            flow: run_flow::<$t>,
            rounds: run_rounds::<$t>,
        }
    }};
}

/// Asks `try_it` until it yields something: how a program that never sleeps waits.
fn spin<R>(mut try_it: impl FnMut() -> Option<R>) -> R {
    loop {
        if let Some(result) = try_it() {
            return result;
        }
        spin_loop();
    }
}

/// One sender, one receiver, bounded.
#[rustfmt::skip]
pub(crate) fn single<T: Payload>() -> Vec<Peer> {
    vec![
        peer!("corelane", true, T, spsc::bounded::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossfire", true, T, crossfire::spsc::bounded_async::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("flume", true, T, flume::bounded::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send_async(value).await.unwrap(), |rx| rx.recv_async().await.ok()),
        peer!("kanal", true, T, kanal::bounded_async::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("corelane", false, T, spsc::bounded::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send_blocking(value).unwrap(), |rx| rx.recv_blocking().ok()),
        peer!("crossfire", false, T, crossfire::spsc::bounded_blocking::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("std", false, T, std::sync::mpsc::sync_channel::<T>(CAPACITY), sole, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("corelane, spinning", false, T, spsc::bounded::<T>(CAPACITY), sole, sole,
            |tx, value| {
                let mut slot = Some(value);
                spin(|| match tx.try_send(slot.take()?) {
                    Ok(()) => Some(()),
                    Err(error) => {
                        slot = Some(error.into_inner());
                        None
                    }
                })
            },
            |rx| spin(|| match rx.try_recv() {
                Ok(value) => Some(Some(value)),
                Err(corelane_channel::RecvError::Closed) => Some(None),
                Err(_) => None,
            })),
        peer!("rtrb, spinning", false, T, rtrb::RingBuffer::<T>::new(CAPACITY), sole, sole,
            |tx, value| {
                let mut slot = Some(value);
                spin(|| match tx.push(slot.take()?) {
                    Ok(()) => Some(()),
                    Err(rtrb::PushError::Full(value)) => {
                        slot = Some(value);
                        None
                    }
                })
            },
            |rx| spin(|| match rx.pop() {
                Ok(value) => Some(Some(value)),
                Err(_) if rx.is_abandoned() && rx.is_empty() => Some(None),
                Err(_) => None,
            })),
    ]
}

/// Many senders, one receiver, bounded.
#[rustfmt::skip]
pub(crate) fn inbox<T: Payload>() -> Vec<Peer> {
    vec![
        peer!("corelane", true, T, mpsc::bounded::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossfire", true, T, crossfire::mpsc::bounded_async::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("flume", true, T, flume::bounded::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send_async(value).await.unwrap(), |rx| rx.recv_async().await.ok()),
        peer!("kanal", true, T, kanal::bounded_async::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("corelane", false, T, mpsc::bounded::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send_blocking(value).unwrap(), |rx| rx.recv_blocking().ok()),
        peer!("crossfire", false, T, crossfire::mpsc::bounded_blocking::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("crossbeam", false, T, crossbeam_channel::bounded::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("std", false, T, std::sync::mpsc::sync_channel::<T>(CAPACITY), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
    ]
}

/// Many senders, many receivers, bounded.
#[rustfmt::skip]
pub(crate) fn queue<T: Payload>() -> Vec<Peer> {
    vec![
        peer!("corelane", true, T, mpmc::bounded::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossfire", true, T, crossfire::mpmc::bounded_async::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("flume", true, T, flume::bounded::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send_async(value).await.unwrap(), |rx| rx.recv_async().await.ok()),
        peer!("kanal", true, T, kanal::bounded_async::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("corelane", false, T, mpmc::bounded::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send_blocking(value).unwrap(), |rx| rx.recv_blocking().ok()),
        peer!("crossfire", false, T, crossfire::mpmc::bounded_blocking::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("crossbeam", false, T, crossbeam_channel::bounded::<T>(CAPACITY), Clone::clone, Clone::clone,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
    ]
}

/// One sender, one receiver, unbounded.
#[rustfmt::skip]
pub(crate) fn single_unbounded<T: Payload>() -> Vec<Peer> {
    vec![
        peer!("corelane", true, T, spsc::unbounded::<T>(), sole, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossfire", true, T, crossfire::spsc::unbounded_async::<T>(), sole, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().await.ok()),
        peer!("flume", true, T, flume::unbounded::<T>(), sole, sole,
            |tx, value| tx.send_async(value).await.unwrap(), |rx| rx.recv_async().await.ok()),
        peer!("kanal", true, T, kanal::unbounded_async::<T>(), sole, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("std", false, T, std::sync::mpsc::channel::<T>(), sole, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
    ]
}

/// Many senders, one receiver, unbounded.
#[rustfmt::skip]
pub(crate) fn inbox_unbounded<T: Payload>() -> Vec<Peer> {
    vec![
        peer!("corelane", true, T, mpsc::unbounded::<T>(), Clone::clone, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossfire", true, T, crossfire::mpsc::unbounded_async::<T>(), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().await.ok()),
        peer!("flume", true, T, flume::unbounded::<T>(), Clone::clone, sole,
            |tx, value| tx.send_async(value).await.unwrap(), |rx| rx.recv_async().await.ok()),
        peer!("kanal", true, T, kanal::unbounded_async::<T>(), Clone::clone, sole,
            |tx, value| tx.send(value).await.unwrap(), |rx| rx.recv().await.ok()),
        peer!("crossbeam", false, T, crossbeam_channel::unbounded::<T>(), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
        peer!("std", false, T, std::sync::mpsc::channel::<T>(), Clone::clone, sole,
            |tx, value| tx.send(value).unwrap(), |rx| rx.recv().ok()),
    ]
}

/// One sender, one receiver, bounded, in batches: ours waits as a task, rtrb's chunks spin.
pub(crate) fn batches<T: Payload>() -> Vec<Peer> {
    vec![
        Peer {
            name: "corelane",
            is_async: true,
            flow: batches_ours::<T>,
            rounds: |_| f64::NAN,
        },
        Peer {
            name: "rtrb, spinning",
            is_async: false,
            flow: batches_rtrb::<T>,
            rounds: |_| f64::NAN,
        },
    ]
}

fn batches_ours<T: Payload>(load: Load) -> f64 {
    let (mut tx, mut rx) = spsc::bounded::<T>(CAPACITY);
    let send = move || {
        block_on(async move {
            let mut staged = VecDeque::with_capacity(BATCH);
            for start in (0..load.each()).step_by(BATCH) {
                staged.extend((start..load.each().min(start + BATCH as u64)).map(T::of));
                tx.send_batch(&mut staged).await.unwrap();
            }
        });
    };
    let receive = move || {
        block_on(async move {
            let mut batch = Vec::with_capacity(BATCH);
            let mut sum = 0;
            while rx.recv_batch(&mut batch, BATCH).await.is_ok() {
                sum += batch.drain(..).map(|value| value.n()).sum::<u64>();
            }
            sum
        })
    };
    flow(load, vec![send], vec![receive])
}

fn batches_rtrb<T: Payload>(load: Load) -> f64 {
    let (mut tx, mut rx) = rtrb::RingBuffer::<T>::new(CAPACITY);
    let send = move || {
        for start in (0..load.each()).step_by(BATCH) {
            let batch = start..load.each().min(start + BATCH as u64);
            let len = (batch.end - batch.start) as usize;
            spin(|| (tx.slots() >= len).then_some(()));
            let chunk = tx.write_chunk_uninit(len).expect("slots that were free");
            chunk.fill_from_iter(batch.map(T::of));
        }
    };
    let receive = move || {
        let mut sum = 0;
        while !(rx.is_abandoned() && rx.is_empty()) {
            let found = rx.slots().min(BATCH);
            if let Ok(chunk) = rx.read_chunk(found) {
                sum += chunk.into_iter().map(|value| value.n()).sum::<u64>();
            }
        }
        sum
    };
    flow(load, vec![send], vec![receive])
}
