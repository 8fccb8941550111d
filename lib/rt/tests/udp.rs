//! Datagrams on the real backends, and what the simulated network does to them.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use corelane_rt::net::{DATAGRAM_BYTES_MAX, UdpOptions, UdpSocket};
use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{task, time};
use support::on_each;

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn bind(port: u16) -> UdpSocket {
    UdpSocket::bind(local(port), &UdpOptions::default()).expect("bind")
}

#[test]
fn datagrams_come_whole_with_their_sender() {
    on_each(|| async {
        let (one, other) = (bind(0), bind(0));
        let to = other.local_addr().expect("addr");
        for len in [0, 1, 1400, DATAGRAM_BYTES_MAX] {
            one.send_to(&vec![7; len], to).await.expect("send");
            let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
            let got = other.recv_from(&mut buffer).await.expect("recv");
            assert_eq!((got.filled, got.len, got.is_cut()), (len, len, false));
            assert_eq!(got.from, one.local_addr().expect("addr"));
            assert!(buffer[..len].iter().all(|&byte| byte == 7));
        }
    });
}

#[test]
fn a_reader_waits_and_a_dropped_one_loses_nothing() {
    on_each(|| async {
        let (one, other) = (bind(0), bind(0));
        one.connect(other.local_addr().expect("addr"))
            .expect("connect");
        let mut buffer = [0; 16];
        for _ in 0..20 {
            let waiting = other.recv_from(&mut buffer);
            assert!(time::timeout(Duration::ZERO, waiting).await.is_err());
            let reader = async { other.recv_from(&mut buffer).await.expect("recv").filled };
            one.send(b"hello").await.expect("send");
            assert_eq!(reader.await, 5);
        }
    });
}

#[test]
fn what_does_not_fit_is_told() {
    on_each(|| async {
        let (one, other) = (bind(0), bind(0));
        one.send_to(b"0123456789", other.local_addr().expect("addr"))
            .await
            .expect("send");
        let mut buffer = [0; 4];
        let got = other.recv_from(&mut buffer).await.expect("recv");
        assert_eq!((got.filled, got.len, got.is_cut()), (4, 10, true));
        let error = one
            .send_to(&vec![0; DATAGRAM_BYTES_MAX + 1], local(9))
            .await
            .expect_err("too long");
        assert_eq!(
            error.to_string(),
            "a datagram of 65508 bytes: UDP carries at most 65507, so send it in parts"
        );
    });
}

#[test]
fn shards_share_an_address_and_strangers_are_refused() {
    on_each(|| async {
        let shared = UdpOptions { reuse_port: true };
        let first = UdpSocket::bind(local(0), &shared).expect("bind");
        let addr = first.local_addr().expect("addr");
        let second = UdpSocket::bind(addr, &shared).expect("the same address");
        assert_eq!(second.local_addr().expect("addr"), addr);
        let error = UdpSocket::bind(addr, &UdpOptions::default()).expect_err("taken");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    });
}

/// Sends numbered datagrams in a world, and how often each arrived, in what order.
fn simulate(seed: u64, options: WorldOptions) -> (Vec<u32>, u64) {
    const SENT: u32 = 100;
    let world = World::new(seed, options);
    let [from, to] = [0, 1].map(|shard| world.shard(shard, "shard"));
    let got = Rc::new(RefCell::new(Vec::new()));
    let put = got.clone();
    world.enter(to, || {
        drop(task::spawn(async move {
            let socket = bind(7);
            let mut buffer = [0; 4];
            loop {
                let datagram = socket.recv_from(&mut buffer).await.expect("recv");
                assert_eq!((datagram.len, datagram.from.ip()), (4, local(0).ip()));
                put.borrow_mut().push(u32::from_le_bytes(buffer));
            }
        }));
    });
    let sent = world.block_on(from, async {
        let socket = bind(0);
        socket.connect(local(7)).expect("connect");
        // Else the first find nobody.
        time::sleep(Duration::from_millis(1)).await;
        for number in 0..SENT {
            socket.send(&number.to_le_bytes()).await.expect("send");
            task::yield_now().await;
        }
        time::sleep(Duration::from_millis(10)).await;
    });
    sent.unwrap_or_else(|stuck| panic!("{stuck}"));
    (got.take(), world.trace_hash())
}

#[test]
fn a_simulated_network_loses_doubles_and_reorders_as_told() {
    let kind = WorldOptions {
        datagrams_reordered: false,
        ..WorldOptions::default()
    };
    let unkind = WorldOptions {
        datagrams_lost_per_10k: 1000,
        datagrams_doubled_per_10k: 1000,
        ..WorldOptions::default()
    };
    let (mut lost, mut doubled, mut overtaken) = (0, 0, 0);
    for seed in 0..20 {
        let (got, _) = simulate(seed, kind.clone());
        assert_eq!(got, (0..100).collect::<Vec<u32>>(), "seed {seed}");
        let (got, hash) = simulate(seed, unkind.clone());
        assert_eq!(
            simulate(seed, unkind.clone()),
            (got.clone(), hash),
            "seed {seed}"
        );
        overtaken += got.windows(2).filter(|pair| pair[0] > pair[1]).count();
        let mut times = BTreeMap::new();
        got.iter()
            .for_each(|number| *times.entry(number).or_insert(0) += 1);
        lost += 100 - times.len();
        doubled += times.values().filter(|&&count| count == 2).count();
    }
    let rows = [
        ("lost", lost, 100..320),
        ("doubled", doubled, 80..320),
        ("overtaken", overtaken, 100..2000),
    ];
    for (name, count, expected) in rows {
        assert!(expected.contains(&count), "{name}: {count} of 2000");
    }
}
