//! Descriptors all come back. Alone in its process: other tests open files, too.

mod support;

use std::time::Duration;

use corelane_rt::net::Stream;
use corelane_rt::{task, time};
use support::{listen_tcp, on_each};

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("the list of open files")
        .count()
}

async fn settles_at(want: usize, what: &str) {
    for _ in 0..2000 {
        if open_files() <= want {
            return;
        }
        time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{what}: {} descriptors are open, not {want}", open_files());
}

#[test]
fn no_descriptor_is_lost() {
    on_each(|| async {
        let before = open_files();
        let (listener, addr) = listen_tcp();
        let listening = open_files();

        // Closed by either side, in every state.
        for round in 0..200 {
            let mut client = Stream::connect(&addr).await.expect("connect");
            let (mut server, _) = listener.accept().await.expect("accept");
            match round % 5 {
                0 => drop(client),
                1 => drop(server),
                2 => {
                    client.start_send(vec![1; 100_000]);
                    drop(client);
                    drop(server);
                }
                3 => {
                    client.start_send(b"x".to_vec());
                    assert_eq!(&*server.recv().await.expect("recv"), b"x");
                    drop(client);
                    let _ = time::timeout(Duration::ZERO, server.recv()).await;
                }
                _ => {
                    client.start_send(vec![1; 8_000_000]);
                    client.abort();
                }
            }
        }
        settles_at(listening, "streams").await;

        // Connections that arrive at an accept whose future, task or listener is gone.
        for _ in 0..50 {
            let _ = time::timeout(Duration::ZERO, listener.accept()).await;
        }
        let client = Stream::connect(&addr).await.expect("connect");
        time::sleep(Duration::from_millis(5)).await;
        drop(listener);
        settles_at(before + 1, "a connection that was never taken").await;
        drop(client);
        settles_at(before, "the last").await;

        // Connects that are given up.
        let (listener, addr) = listen_tcp();
        for _ in 0..50 {
            let addr = addr.clone();
            let connect = task::spawn(async move { Stream::connect(&addr).await.map(|_| ()) });
            task::yield_now().await;
            connect.cancel();
        }
        drop(listener);
        settles_at(before, "connects that were given up").await;
    });
}
