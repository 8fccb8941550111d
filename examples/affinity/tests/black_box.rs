//! The real binary over real sockets: every input is answered or refused in words, whatever the routing.

mod support;

use corelane_example_affinity::{NUMBER_MAX, fibonacci};
use support::{Server, eventually};

const ROUTINGS: [&str; 3] = ["migrate", "hop", "adaptive"];

/// Runs `test` against a server of three shards with each routing, on io_uring where there is one and on polling; every
/// file that was opened is closed afterwards, and the server stops in peace.
fn on_each(test: impl Fn(&Server)) {
    for routing in ROUTINGS {
        for more in [&[][..], &["--polling"]] {
            let args = [&["--shards", "3", "--routing", routing], more].concat();
            let server = Server::start(&args);
            test(&server);
            server.has_lost_no_file();
            assert!(server.stop().success(), "it did not end in peace: {args:?}");
        }
    }
}

#[test]
fn numbers_one_by_one_joined_and_split() {
    on_each(|server| {
        let mut client = server.connect();
        for number in 0..=NUMBER_MAX {
            assert_eq!(
                client.ask(&number.to_string()),
                fibonacci(number).to_string()
            );
        }
        let joined: String = (0..=NUMBER_MAX)
            .map(|number| format!("{number}\r\n"))
            .collect();
        client.write(joined.as_bytes());
        for number in 0..=NUMBER_MAX {
            assert_eq!(client.line(), fibonacci(number).to_string(), "of {number}");
        }
        for piece in joined.as_bytes().chunks(2) {
            client.write(piece);
        }
        for number in 0..=NUMBER_MAX {
            assert_eq!(client.line(), fibonacci(number).to_string(), "of {number}");
        }
    });
}

#[test]
fn bad_lines_are_answered_in_words_and_the_next_is_served() {
    on_each(|server| {
        let mut client = server.connect();
        let huge = "9".repeat(1_000_000);
        let rows = [
            (
                "187",
                "error: too large: Fibonacci numbers up to that of 186 fit into 128 bits",
            ),
            (
                "-1",
                "error: not a number: send digits alone, from 0 to 186",
            ),
            (
                "forty-two",
                "error: not a number: send digits alone, from 0 to 186",
            ),
            ("", "error: an empty line: send a number from 0 to 186"),
            (&huge, "error: a line is longer than the 64 bytes allowed"),
        ];
        for (line, expected) in rows {
            assert_eq!(client.ask(line), expected);
            assert_eq!(client.ask("42"), "267914296");
        }
        // All at once, and the replies in order.
        rows.iter()
            .for_each(|(line, _)| client.write(format!("{line}\n10\n").as_bytes()));
        for (_, expected) in rows {
            assert_eq!(client.line(), expected);
            assert_eq!(client.line(), "55");
        }
    });
}

#[test]
fn a_client_that_ends_within_a_line_is_told() {
    on_each(|server| {
        let mut client = server.connect();
        client.write(b"10\n4");
        client.end_writing();
        assert_eq!(client.rest(), "55\nerror: the last line has no end\n");
    });
}

#[test]
fn a_slow_reader_holds_up_nobody_but_itself() {
    const MOST: usize = 256 << 20;
    let server = Server::start(&["--shards", "2"]);
    let mut slow = server.connect();
    let written = slow.write_until_stuck(b"186\n185\n", MOST);
    assert!(
        written < MOST,
        "256 MiB of questions were taken, and none of the answers"
    );
    for number in 0..100 {
        let answer = server.connect().ask(&number.to_string());
        assert_eq!(answer, fibonacci(number).to_string());
    }
    for line in 0..10_000 {
        let number = 186 - (line % 2) as u8;
        assert_eq!(slow.line(), fibonacci(number).to_string(), "line {line}");
    }
    drop(slow);
    server.has_lost_no_file();
}

#[test]
fn too_many_connections_are_refused_in_words() {
    let server = Server::start(&["--shards", "2", "--max-connections", "3"]);
    let mut held: Vec<_> = (0..3).map(|_| server.connect()).collect();
    held.iter_mut()
        .for_each(|client| assert_eq!(client.ask("10"), "55"));
    for _ in 0..20 {
        let mut refused = server.connect();
        refused.write(b"10\n");
        refused.end_writing();
        let text = refused.rest();
        assert_eq!(
            text,
            "error: 3 connections are open, as many as are allowed; try again later\n"
        );
    }
    drop(held.pop());
    eventually(
        || server.connect().try_ask("10").as_deref() == Some("55"),
        || "no room came back".to_owned(),
    );
    drop(held);
    eventually(
        || server.connect().try_ask("10").as_deref() == Some("55"),
        || "no room came back".to_owned(),
    );
    assert!(server.stat("refused") >= 20);
}

#[test]
fn routing_does_what_it_says() {
    let ask_all = |routing| {
        let server = Server::start(&["--shards", "3", "--routing", routing]);
        let mut client = server.connect();
        for _ in 0..3 {
            for number in 0..=NUMBER_MAX {
                assert_eq!(
                    client.ask(&number.to_string()),
                    fibonacci(number).to_string()
                );
            }
        }
        for _ in 0..300 {
            assert_eq!(client.ask("77"), fibonacci(77).to_string());
        }
        (
            server.stat("moved"),
            server.stat("hops"),
            server.stat("local"),
        )
    };
    let (moved, hops, local) = ask_all("migrate");
    assert!(
        moved > 200 && hops == 0 && local == 861,
        "{moved} {hops} {local}"
    );
    let (moved, hops, local) = ask_all("hop");
    assert!(
        moved == 0 && hops > 200 && hops + local == 861,
        "{moved} {hops} {local}"
    );
    // Scattered requests hop; those about one number are worth a move, if it is not already where it belongs.
    let (moved, hops, local) = ask_all("adaptive");
    assert!(
        moved <= 8 && local > 300 && hops + local == 861,
        "{moved} {hops} {local}"
    );
}

#[test]
fn a_stop_ends_connections_that_wait() {
    let server = Server::start(&["--shards", "2"]);
    let mut waiting: Vec<_> = (0..20).map(|_| server.connect()).collect();
    waiting
        .iter_mut()
        .for_each(|client| assert_eq!(client.ask("10"), "55"));
    assert!(server.stop().success());
    waiting
        .into_iter()
        .for_each(|client| assert_eq!(client.rest(), ""));
}
