//! Listening sockets that many runtimes share: however their listeners come and go, no connection is lost.

mod support;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use corelane_rt::net::{Addr, ListenOptions, Listener, SharedListener, Stream};
use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{IoBackend, random, task, time};
use support::{BACKENDS, on_each, runtime};

const PATIENCE: Duration = Duration::from_secs(20);

fn any_port() -> Addr {
    Addr::Tcp("127.0.0.1:0".parse().expect("an address"))
}

fn bind(addr: &Addr) -> SharedListener {
    SharedListener::bind(addr, &ListenOptions::default()).expect("bind")
}

/// As many bytes as a question and an answer have.
async fn recv_eight(stream: &mut Stream) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < 8 {
        let chunk = stream.recv().await.expect("recv");
        assert!(!chunk.is_empty(), "the stream ended after {got:?}");
        got.extend_from_slice(&chunk);
    }
    got
}

async fn answer(mut stream: Stream) {
    let question = recv_eight(&mut stream).await;
    drop(stream.send_all(question).await.expect("send"));
}

/// Listens for a moment, then is gone for a moment, until told to stop; every connection is answered.
async fn come_and_go(shared: SharedListener, stop: Arc<AtomicBool>, answered: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Acquire) {
        let listener = shared.listener().expect("a listener");
        for _ in 0..random::next_u64() % 4 {
            let patience = Duration::from_micros(random::next_u64() % 300);
            if let Ok(accepted) = time::timeout(patience, listener.accept()).await {
                let (stream, _) = accepted.expect("accept");
                // Before its client can know: the last one's answer ends the test.
                answered.fetch_add(1, Ordering::Relaxed);
                drop(task::spawn(answer(stream)));
            }
        }
        drop(listener);
        time::sleep(Duration::from_micros(random::next_u64() % 100)).await;
    }
}

fn ask(addr: &Addr, number: usize) {
    let text = number.to_le_bytes();
    let mut back = [0; 8];
    match addr {
        Addr::Tcp(addr) => {
            let mut stream = std::net::TcpStream::connect(addr).expect("connect");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            stream.write_all(&text).expect("write");
            stream.read_exact(&mut back).expect("an answer");
        }
        Addr::Unix(path) => {
            let mut stream = std::os::unix::net::UnixStream::connect(path).expect("connect");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            stream.write_all(&text).expect("write");
            stream.read_exact(&mut back).expect("an answer");
        }
    }
    assert_eq!(back, text);
}

#[test]
fn listeners_that_go_away_under_a_burst_lose_no_connection() {
    const CLIENTS: usize = 4;
    const EACH: usize = 150;
    let dir = tempfile::tempdir().expect("a directory");
    for io in BACKENDS {
        for addr in [any_port(), Addr::Unix(dir.path().join("burst.sock"))] {
            let shared = bind(&addr);
            let stop = Arc::new(AtomicBool::new(false));
            let answered = Arc::new(AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    let (shared, stop, answered) = (shared.clone(), stop.clone(), answered.clone());
                    scope.spawn(move || {
                        runtime(io).block_on(come_and_go(shared, stop, answered));
                    });
                }
                let clients: Vec<_> = (0..CLIENTS)
                    .map(|client| {
                        let addr = shared.local_addr().clone();
                        scope.spawn(move || (0..EACH).for_each(|n| ask(&addr, client * EACH + n)))
                    })
                    .collect();
                let asked: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
                stop.store(true, Ordering::Release);
                assert!(asked.iter().all(Result::is_ok), "on {io:?} at {addr}");
            });
            assert_eq!(answered.load(Ordering::Relaxed), CLIENTS * EACH);
        }
    }
}

#[test]
fn a_connection_that_nobody_took_waits_for_the_next_listener() {
    on_each(|| async {
        let shared = bind(&any_port());
        let first = shared.listener().expect("a listener");
        // From here on an accept waits in the kernel.
        let _ = time::timeout(Duration::from_millis(1), first.accept()).await;
        let mut client = Stream::connect(shared.local_addr()).await.expect("connect");
        time::sleep(Duration::from_millis(5)).await;
        drop(first);
        client.start_send(b"hello".to_vec());
        let second = shared.listener().expect("another");
        let (mut stream, _) = time::timeout(PATIENCE, second.accept())
            .await
            .expect("the connection was lost")
            .expect("accept");
        assert_eq!(&*stream.recv().await.expect("recv"), b"hello");
    });
}

#[test]
fn who_came_before_the_end_is_handed_over() {
    on_each(|| async {
        let listener = Listener::bind(&any_port(), &ListenOptions::default()).expect("bind");
        let addr = listener.local_addr().expect("its address");
        // From here on an accept waits in the kernel: it gets the first, and the others wait in the queue.
        let _ = time::timeout(Duration::from_millis(1), listener.accept()).await;
        let mut clients = Vec::new();
        for number in 0..5u8 {
            let mut client = Stream::connect(&addr).await.expect("connect");
            client.start_send(vec![number]);
            clients.push(client);
        }
        let last = listener.close().await;
        assert_eq!(last.len(), clients.len());
        for (number, (mut stream, _)) in last.into_iter().enumerate() {
            assert_eq!(&*stream.recv().await.expect("recv"), [number as u8]);
        }
        assert!(Stream::connect(&addr).await.is_err(), "nobody listens");
    });
}

#[test]
fn what_one_listener_took_goes_to_another_that_waits() {
    on_each(|| async {
        let shared = bind(&any_port());
        let leaving = shared.listener().expect("a listener");
        let _ = time::timeout(Duration::from_millis(1), leaving.accept()).await;
        let staying = shared.listener().expect("another");
        let waits = task::spawn(async move { staying.accept().await.map(|_| ()) });
        // The accept that has waited longest is told of it: the one of the listener that nobody asks any more.
        let _client = Stream::connect(shared.local_addr()).await.expect("connect");
        time::sleep(Duration::from_millis(5)).await;
        drop(leaving);
        let accepted = time::timeout(PATIENCE, waits).await.expect("it was lost");
        accepted.expect("the task").expect("accept");
    });
}

#[test]
fn a_listener_that_was_told_of_a_connection_and_goes_tells_the_others() {
    for io in BACKENDS {
        let shared = bind(&any_port());
        let (said, accepted) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let other = shared.clone();
            runtime(io).block_on(async {
                let leaving = shared.listener().expect("a listener");
                let _ = time::timeout(Duration::from_millis(1), leaving.accept()).await;
                scope.spawn(move || {
                    let accept_one = async {
                        let listener = other.listener().expect("another");
                        listener.accept().await.map(|_| ())
                    };
                    let patient = time::timeout(PATIENCE, accept_one);
                    said.send(runtime(io).block_on(patient))
                        .expect("it is waited for");
                });
                // Long enough for the other to wait in the kernel; what is shown does not hang on it.
                time::sleep(Duration::from_millis(50)).await;
                let Addr::Tcp(addr) = shared.local_addr() else {
                    panic!("not TCP");
                };
                // The kernel tells the accept that waits first, and before this thread hears of it, it is gone.
                let _client = std::net::TcpStream::connect(addr).expect("connect");
                drop(leaving);
                let ended = loop {
                    match accepted.try_recv() {
                        Ok(ended) => break ended,
                        Err(_) => time::sleep(Duration::from_millis(1)).await,
                    }
                };
                let accepted = ended.expect("nobody took the connection");
                accepted.expect("accept");
            });
        });
    }
}

#[test]
fn the_address_is_taken_from_the_bind_to_the_last_listener() {
    on_each(|| async {
        let shared = bind(&any_port());
        let addr = shared.local_addr().clone();
        let taken = || SharedListener::bind(&addr, &ListenOptions::default()).is_err();
        assert!(taken(), "nobody listens yet, but it is bound");
        let listener = shared.listener().expect("a listener");
        assert_eq!(listener.local_addr().expect("its address"), addr);
        shared.close();
        assert!(shared.listener().is_err(), "it is closed");
        assert!(taken(), "a listener is left");
        let client = Stream::connect(&addr).await.expect("connect");
        listener.accept().await.expect("the last listener goes on");
        drop((client, listener));
        time::timeout(PATIENCE, async {
            while Stream::connect(&addr).await.is_ok() {
                time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("somebody still listens");
    });
}

#[test]
fn a_socket_file_has_its_mode_and_goes_with_the_last_listener() {
    on_each(|| async {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("shared.sock");
        let options = ListenOptions {
            unix_mode: Some(0o600),
            ..ListenOptions::default()
        };
        let shared = SharedListener::bind(&Addr::Unix(path.clone()), &options).expect("bind");
        let mode = std::fs::metadata(&path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let listeners = [shared.listener(), shared.listener()].map(|made| made.expect("made"));
        drop(shared);
        let [first, last] = listeners;
        drop(first);
        assert!(path.exists(), "a listener is left");
        drop(last);
        assert!(!path.exists(), "the file outlives its socket");

        let shared = SharedListener::bind(&Addr::Unix(path.clone()), &options).expect("again");
        std::fs::remove_file(&path).expect("remove");
        std::fs::write(&path, "another's").expect("write");
        drop(shared);
        assert!(path.exists(), "a file that another made was removed");
    });
}

#[test]
fn only_a_dead_socket_gives_way_to_a_new_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, socket) = (dir.path().join("notes"), dir.path().join("old.sock"));
    let link = dir.path().join("link");
    std::fs::write(&file, "precious").expect("write");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for path in [&file, &link, &dir.path().to_owned()] {
        let bound = SharedListener::bind(&Addr::Unix(path.clone()), &ListenOptions::default());
        let error = bound.expect_err("it was taken for a dead socket");
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{error}");
        assert!(error.to_string().contains("not a socket"), "{error}");
    }
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&file).expect("read"), "precious");

    // The standard library's leaves its file behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("bind"));
    assert!(socket.exists());
    let ours = bind(&Addr::Unix(socket.clone()));
    let second = SharedListener::bind(&Addr::Unix(socket), &ListenOptions::default());
    let error = second.expect_err("somebody listens there");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(ours);
}

#[test]
fn runtimes_of_both_backends_cannot_share() {
    let shared = bind(&any_port());
    let _first = runtime(IoBackend::Uring).block_on(async { shared.listener().map(drop) });
    let second = runtime(IoBackend::Polling).block_on(async { shared.listener().map(drop) });
    let error = second.expect_err("it was let in").to_string();
    assert!(error.contains("io_uring"), "{error}");
}

#[test]
fn simulated_listeners_come_and_go_and_lose_nothing() {
    const CLIENTS: usize = 40;
    for seed in 0..60 {
        let world = World::new(seed, WorldOptions::default());
        let addr = Addr::Tcp("127.0.0.1:7".parse().expect("an address"));
        let shared =
            SharedListener::bind_in(&world, &addr, &ListenOptions::default()).expect("bind");
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        for number in 0..3 {
            let shard = world.shard(number, "listens");
            let serving = come_and_go(shared.clone(), stop.clone(), answered.clone());
            world.enter(shard, || drop(task::spawn(serving)));
        }
        let clients = world.shard(9, "clients");
        for number in 0..CLIENTS {
            let addr = addr.clone();
            drop(world.spawn_on(clients, async move {
                time::sleep(Duration::from_micros(random::next_u64() % 500)).await;
                let mut stream = Stream::connect(&addr).await.expect("connect");
                stream.start_send(number.to_le_bytes().to_vec());
                assert_eq!(recv_eight(&mut stream).await, number.to_le_bytes());
            }));
        }
        world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
        assert_eq!(
            SharedListener::bind_in(&world, &addr, &ListenOptions::default())
                .map(|_| ())
                .map_err(|error| error.kind()),
            Err(std::io::ErrorKind::AddrInUse)
        );
        stop.store(true, Ordering::Release);
        shared.close();
        let a_moment = world.run_for(Duration::from_millis(20));
        a_moment.unwrap_or_else(|stuck| panic!("{stuck}"));
        let refused = async move { Stream::connect(&addr).await.is_err() };
        assert!(world.block_on(clients, refused).expect("it ends"));
    }
}
