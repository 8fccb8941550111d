//! Each limit, reached: what the client is told, and what is counted. In virtual time.

use std::time::Duration;

use corelane::http::{Options, Stats};
use corelane::time;

use crate::client::Client;
use crate::{simulate, start, start_until};

/// Short ones, so that they are told apart by when they are reached.
fn options() -> Options {
    Options {
        connections_max: 2,
        head_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(20),
        answer_timeout: Duration::from_secs(30),
        stall_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(2),
        ..Options::default()
    }
}

/// Sends `request` and waits for the end: the answer, and that it took `seconds`.
async fn check(request: &str, begins: &str, ends: &str, seconds: u64, counted: fn(&Stats) -> u64) {
    let (addr, server) = start(options());
    let mut client = Client::connect(&addr).await;
    let began_ns = time::now_ns();
    client.send(request).await;
    let answer = client.rest().await;
    assert!(
        answer.starts_with(begins) && answer.ends_with(ends),
        "{request:?} was answered by {answer:?}"
    );
    let took_ms = (time::now_ns() - began_ns) / 1_000_000;
    assert!(
        took_ms.abs_diff(seconds * 1000) < 100,
        "{request:?} took {took_ms} ms"
    );
    drop(client);
    while server.stats().open > 0 {
        time::sleep(Duration::from_millis(1)).await;
    }
    let stats = server.stats();
    assert_eq!(counted(&stats), 1, "{request:?}: {stats:?}");
}

#[test]
fn slow_clients_and_services_are_ended_in_words() {
    let (slow_head, slow_answer) = ("arrive\n", "in time\n");
    simulate(async move || {
        let (head, answer) = ("HTTP/1.1 408 ", "HTTP/1.1 503 ");
        check("", "", "", 20, |stats| stats.idle_timeouts).await;
        check("G", head, slow_head, 10, |stats| stats.head_timeouts).await;
        check("GET / HTTP/1.1\r\n", head, slow_head, 10, |stats| {
            stats.head_timeouts
        })
        .await;
        let kept = "GET /hello HTTP/1.1\r\n\r\n";
        check(kept, "HTTP/1.1 200 ", "hello", 20, |stats| {
            stats.idle_timeouts
        })
        .await;
        let never = "GET /never HTTP/1.1\r\n\r\n";
        check(never, answer, slow_answer, 30, |stats| {
            stats.answer_timeouts
        })
        .await;
        let half = "POST /echo HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc";
        check(half, answer, slow_answer, 30, |stats| stats.answer_timeouts).await;
    });
}

/// A byte now and then does not keep a connection alive.
#[test]
fn a_head_by_drips_is_not_waited_for() {
    simulate(async || {
        let (addr, server) = start(options());
        let mut client = Client::connect(&addr).await;
        let began_ns = time::now_ns();
        for byte in "GET /hello".bytes() {
            client.try_send([byte]).await;
            time::sleep(Duration::from_millis(1200)).await;
        }
        assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
        assert!(time::now_ns() - began_ns < 12_500_000_000);
        assert_eq!(server.stats().head_timeouts, 1);
    });
}

/// The timer of an idle connection is set to its idle limit; a head's, which is nearer, must not wait for it.
#[test]
fn a_nearer_limit_is_kept() {
    simulate(async || {
        let (addr, server) = start(options());
        let mut client = Client::connect(&addr).await;
        client.send("GET /hello HTTP/1.1\r\n\r\n").await;
        client.response().await;
        time::sleep(Duration::from_secs(1)).await;
        let began_ns = time::now_ns();
        client.send("GET").await;
        assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
        let took_ms = (time::now_ns() - began_ns) / 1_000_000;
        assert!((9_900..10_100).contains(&took_ms), "{took_ms} ms");
        assert_eq!(server.stats().head_timeouts, 1);
    });
}

#[test]
fn who_does_not_read_is_cut_off() {
    simulate(async || {
        let (addr, server) = start(options());
        let mut client = Client::connect(&addr).await;
        let began_ns = time::now_ns();
        client.send("GET /big HTTP/1.1\r\n\r\n").await;
        while server.stats().stall_timeouts == 0 {
            time::sleep(Duration::from_millis(100)).await;
        }
        let took_ms = (time::now_ns() - began_ns) / 1_000_000;
        assert!((5_000..6_000).contains(&took_ms), "{took_ms} ms");
        drop(client);
    });
}

#[test]
fn one_connection_too_many_is_told_so() {
    simulate(async || {
        let (addr, server) = start(options());
        let mut clients = [Client::connect(&addr).await, Client::connect(&addr).await];
        for client in &mut clients {
            client.send("GET /hello HTTP/1.1\r\n\r\n").await;
            client.response().await;
        }
        // Also where its request comes before the refusal has left.
        let mut refused = Client::connect(&addr).await;
        refused.start_send("GET /hello HTTP/1.1\r\n\r\n");
        let answer = refused.rest().await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.ends_with("try again later\n"), "{answer}");
        drop(clients);
        while server.stats().open > 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
        let mut client = Client::connect(&addr).await;
        client.send("GET /hello HTTP/1.1\r\n\r\n").await;
        assert_eq!(client.response().await.1, b"hello");
        let stats = server.stats();
        assert_eq!((stats.accepted, stats.refused_busy), (4, 1), "{stats:?}");
    });
}

/// What is under way is answered, who is idle is let go, and who takes too long is cut off.
#[test]
fn a_stop_drains() {
    simulate(async || {
        let stop_at = Duration::from_secs(3);
        let limits = Options {
            connections_max: 9,
            ..options()
        };
        let began_ns = time::now_ns();
        let (addr, server, served) = start_until(limits, time::sleep(stop_at));
        let mut silent = Client::connect(&addr).await;
        let mut idle = Client::connect(&addr).await;
        idle.send("GET /hello HTTP/1.1\r\n\r\n").await;
        idle.response().await;
        let mut hanging = Client::connect(&addr).await;
        hanging.send("GET /never HTTP/1.1\r\n\r\n").await;
        time::sleep_until(began_ns + stop_at.as_nanos() as u64 - 200_000_000).await;
        let mut busy = Client::connect(&addr).await;
        busy.send("GET /wait HTTP/1.1\r\n\r\n").await;

        let (head, body) = busy.response().await;
        assert!(head.contains("connection: close\r\n"), "{head}");
        assert_eq!(body, b"waited");
        for client in [&mut silent, &mut idle, &mut busy, &mut hanging] {
            assert_eq!(client.rest().await, "");
        }
        served.await.expect("no panic");
        let took_ms = (time::now_ns() - began_ns) / 1_000_000;
        assert!((5_000..5_100).contains(&took_ms), "{took_ms} ms");
        let stats = server.stats();
        assert_eq!((stats.open, stats.drain_cuts), (0, 1), "{stats:?}");
        assert!(
            corelane::net::Stream::connect(&addr).await.is_err(),
            "it no longer listens"
        );
    });
}
