//! Requests and answers as bytes, in as many pieces as the network likes.

use std::cell::RefCell;
use std::rc::Rc;

use corelane::http::{Options, Stats};
use corelane::net::Addr;

use crate::client::{Client, header};
use crate::service::BIG_BYTES;
use crate::{everywhere, simulate, start};

/// Sends `request` and reads to the end of the stream: how the answer begins, and how it ends.
async fn check(addr: &Addr, request: &str, begins: &str, ends: &str) {
    let mut client = Client::connect(addr).await;
    client.start_send(request);
    let answer = client.rest().await;
    assert!(
        answer.starts_with(begins) && answer.ends_with(ends),
        "{request:?} was answered by {answer:?}"
    );
}

#[test]
fn requests_are_answered_or_refused() {
    everywhere(async || {
        let (addr, server) = start(Options::default());
        let long_head = format!(
            "GET /hello HTTP/1.1\r\nlong: {}\r\n\r\n",
            "x".repeat(20_000)
        );
        let endless_head = format!("GET /hello HTTP/1.1\r\nlong: {}", "x".repeat(100_000));
        let many = format!("GET /hello HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
        let rows = [
            (
                "GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                "HTTP/1.1 200 OK\r\n",
                "\r\n\r\nhello",
            ),
            (
                "GET /hello HTTP/1.0\r\n\r\n",
                "HTTP/1.0 200 OK\r\n",
                "\r\n\r\nhello",
            ),
            (
                "HEAD /hello HTTP/1.1\r\nconnection: close\r\n\r\n",
                "HTTP/1.1 200 OK\r\n",
                "\r\n\r\n",
            ),
            (
                "GET /nowhere HTTP/1.1\r\nconnection: close\r\n\r\n",
                "HTTP/1.1 404 Not Found\r\n",
                "\r\n\r\n",
            ),
            (
                "POST /echo HTTP/1.1\r\ncontent-length: 4\r\nconnection: close\r\n\r\nabcd",
                "HTTP/1.1 200 OK\r\n",
                "\r\n\r\nabcd",
            ),
            (
                "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n",
                "\r\n\r\nabcde",
            ),
            (
                "POST /echo HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab",
                "HTTP/1.1 ",
                "\r\n\r\nab",
            ),
            // Two in one write: two answers, in order.
            (
                "GET /nowhere HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\nconnection: close\r\n\r\n",
                "HTTP/1.1 404 Not Found\r\n",
                "\r\n\r\nhello",
            ),
            ("BAD\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "\r\n\r\n"),
            ("\0\0\0\0", "HTTP/1.1 400 Bad Request\r\n", "\r\n\r\n"),
            (
                "GET / HTTP/9.9\r\n\r\n",
                "HTTP/1.1 400 Bad Request\r\n",
                "\r\n\r\n",
            ),
            (
                "POST /echo HTTP/1.1\r\ncontent-length: many\r\n\r\n",
                "HTTP/1.1 400 Bad Request\r\n",
                "\r\n\r\n",
            ),
            (&long_head, "HTTP/1.1 431 ", "\r\n\r\n"),
            (&endless_head, "HTTP/1.1 431 ", "\r\n\r\n"),
            (&many, "HTTP/1.1 431 ", "\r\n\r\n"),
        ];
        for (request, begins, ends) in rows {
            check(&addr, request, begins, ends).await;
        }
        let stats = server.stats();
        assert_eq!((stats.requests, stats.bad_requests), (9, 7), "{stats:?}");
        assert_eq!(
            (stats.accepted, stats.broken),
            (rows.len() as u64, 0),
            "{stats:?}"
        );
    });
}

#[test]
fn a_connection_serves_many_requests() {
    everywhere(async || {
        let (addr, server) = start(Options::default());
        let mut client = Client::connect(&addr).await;
        for round in 0..20 {
            let body = format!("round {round}");
            let length = body.len();
            let head = format!("POST /echo HTTP/1.1\r\ncontent-length: {length}\r\n\r\n");
            client.send(head + &body).await;
            let (head, echo) = client.response().await;
            assert_eq!(echo, body.as_bytes());
            assert!(
                header(&head, "date").is_some_and(|date| date.ends_with("GMT")),
                "{head}"
            );
        }
        let stats = server.stats();
        assert_eq!((stats.accepted, stats.requests), (1, 20), "{stats:?}");
    });
}

#[test]
fn keep_alive_can_be_turned_off() {
    simulate(async || {
        let options = Options {
            keep_alive: false,
            ..Options::default()
        };
        let (addr, _) = start(options);
        check(
            &addr,
            "GET /hello HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "hello",
        )
        .await;
    });
}

#[test]
fn large_bodies_pass_both_ways() {
    everywhere(async || {
        let (addr, _) = start(Options::default());
        let mut client = Client::connect(&addr).await;
        client.send("GET /big HTTP/1.1\r\n\r\n").await;
        let (_, body) = client.response().await;
        assert!(body.len() == BIG_BYTES && body.iter().all(|&byte| byte == b'x'));

        let body: Vec<u8> = (0..400_000u32).map(|n| (n / 251) as u8).collect();
        let head = format!(
            "POST /echo HTTP/1.1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        client.start_send([head.as_bytes(), &body].concat());
        assert!(client.response().await.1 == body, "the echo differs");
    });
}

/// A body of unknown length comes in chunks, each when it is there; pauses of the service are no fault of the
/// client.
#[test]
fn streams_may_pause() {
    simulate(async || {
        let (addr, server) = start(Options::default());
        let request = "GET /stream HTTP/1.1\r\nconnection: close\r\n\r\n";
        let ends = "\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n";
        check(&addr, request, "HTTP/1.1 200 OK\r\n", ends).await;
        let stats = server.stats();
        assert_eq!((stats.requests, stats.idle_timeouts), (1, 0), "{stats:?}");
    });
}

/// A client must be able to tell an answer that the service did not finish.
#[test]
fn a_broken_answer_is_cut_off() {
    everywhere(async || {
        let (addr, server) = start(Options::default());
        let mut client = Client::connect(&addr).await;
        client.send("GET /broken HTTP/1.1\r\n\r\n").await;
        let answer = client.rest().await;
        assert!(!answer.ends_with("0\r\n\r\n"), "{answer:?}");
        let stats = server.stats();
        assert_eq!((stats.failed_answers, stats.broken), (1, 0), "{stats:?}");
    });
}

#[test]
fn clients_that_leave_are_forgotten() {
    simulate(async || {
        let (addr, server) = start(Options::default());
        for request in [
            "",
            "GET /he",
            "GET /never HTTP/1.1\r\n\r\n",
            "POST /echo HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc",
        ] {
            let mut client = Client::connect(&addr).await;
            client.send(request).await;
            drop(client);
        }
        while (server.stats().accepted, server.stats().open) != (4, 0) {
            corelane::task::yield_now().await;
        }
        let stats = server.stats();
        let expected = Stats {
            accepted: 4,
            requests: stats.requests,
            broken: stats.broken,
            ..Stats::default()
        };
        assert_eq!(stats, expected, "no limit had to be reached for that");
    });
}

/// The service time of each request, and of none twice.
#[test]
fn the_observer_hears_of_every_answer() {
    everywhere(async || {
        let served = Rc::new(RefCell::new(Vec::new()));
        let heard = served.clone();
        let options = Options {
            observer: Some(Rc::new(move |served| {
                heard.borrow_mut().push(served.service_ns)
            })),
            ..Options::default()
        };
        let (addr, _) = start(options);
        let mut client = Client::connect(&addr).await;
        for _ in 0..3 {
            client
                .send("GET /hello HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n")
                .await;
            client.response().await;
            client.response().await;
        }
        client.send("GET /wait HTTP/1.1\r\n\r\n").await;
        client.response().await;
        let served = served.borrow();
        assert_eq!(served.len(), 7, "{served:?}");
        assert!(served[6] >= 500_000_000, "it waited: {served:?}");
        assert!(served[..6].iter().all(|&ns| ns < 400_000_000), "{served:?}");
    });
}
