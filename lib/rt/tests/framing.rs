//! Frames of real and simulated streams.

mod support;

use corelane_rt::net::framing::{FrameReader, Lengths, Lines, put_frame};
use corelane_rt::net::{ListenOptions, Listener, Stream};
use corelane_rt::sim::{World, WorldOptions};
use support::{listen_tcp, on_each};

/// Sends what is to be read back: lines, an overlong one, and at last half a line.
async fn lines(mut client: Stream, mut server: Stream) {
    let long = vec![b'x'; 100_000];
    client.start_send([b"one\r\ntwo\n", &long[..], b"\nthree\nhal"].concat());
    let mut reader = FrameReader::new(Lines { max_bytes: 64 });
    for expected in ["one", "two"] {
        let line = reader.next(&mut server).await.expect("a line");
        assert_eq!(line, Some(expected.as_bytes()));
    }
    let error = reader.next(&mut server).await.expect_err("too long");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(
        error.to_string(),
        "a line is longer than the 64 bytes allowed"
    );
    assert_eq!(
        reader.next(&mut server).await.expect("a line"),
        Some(&b"three"[..])
    );
    client.shutdown_write().expect("shutdown");
    client.sent().await.expect("sent");
    let error = reader.next(&mut server).await.expect_err("half a line");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(
        error.to_string(),
        "the stream ended within a frame, after 3 bytes of it"
    );
}

async fn lengths(mut client: Stream, mut server: Stream) {
    let frames = [vec![], vec![1; 10], vec![2; 70_000]];
    let mut bytes = Vec::new();
    for frame in &frames {
        put_frame(&mut bytes, frame, 70_000).expect("within the bound");
    }
    client.start_send(bytes);
    let mut reader = FrameReader::new(Lengths { max_bytes: 70_000 });
    for expected in &frames {
        let frame = reader.next(&mut server).await.expect("a frame");
        assert!(frame == Some(expected), "a frame differs");
    }
    client.sent().await.expect("sent");
    drop(client);
    assert_eq!(reader.next(&mut server).await.expect("the end"), None);
}

#[test]
fn frames_of_real_streams() {
    on_each(|| async {
        let (listener, addr) = listen_tcp();
        for over in [true, false] {
            let client = Stream::connect(&addr).await.expect("connect");
            let (server, _) = listener.accept().await.expect("accept");
            match over {
                true => lines(client, server).await,
                false => lengths(client, server).await,
            }
        }
    });
}

#[test]
fn frames_of_simulated_streams() {
    for seed in 0..20 {
        let world = World::new(seed, WorldOptions::default());
        let shard = world.shard(0, "shard");
        let ran = world.block_on(shard, async {
            let addr = "127.0.0.1:7"
                .parse::<std::net::SocketAddr>()
                .expect("addr")
                .into();
            let listener = Listener::bind(&addr, &ListenOptions::default()).expect("bind");
            for over in [true, false] {
                let client = Stream::connect(&addr).await.expect("connect");
                let (server, _) = listener.accept().await.expect("accept");
                match over {
                    true => lines(client, server).await,
                    false => lengths(client, server).await,
                }
            }
        });
        ran.unwrap_or_else(|stuck| panic!("{stuck}"));
    }
}
