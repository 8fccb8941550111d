//! Clients that talk while the node grows and shrinks under them: what each of them sees has no gap, no double
//! and no message out of order, and nobody loses a connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use corelane::{Running, launch};
use corelane_example_rooms::node;
use corelane_example_rooms::state::Rooms;

const ROOMS: usize = 3;
const CLIENTS_PER_ROOM: usize = 3;
/// Together fewer than a room keeps, so that nobody misses any, however slow the machine.
const SAYS: usize = 250;
const SIZES: [usize; 6] = [4, 1, 3, 2, 4, 1];

struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Client {
    fn connect(addr: SocketAddr) -> Self {
        let stream = connect(addr);
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("set");
        Self {
            writer: stream.try_clone().expect("a clone"),
            reader: BufReader::new(stream),
        }
    }

    fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.writer
            .write_all(line.as_bytes())
            .expect("it is connected");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).expect("a line in time");
        assert!(read > 0, "the connection is closed");
        line.trim_end().to_owned()
    }

    /// Reads on to a line that holds `what`.
    fn wait_for(&mut self, what: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(what) {
                return line;
            }
        }
    }
}

/// The shard that lets clients in may take a moment to listen.
fn connect(addr: SocketAddr) -> TcpStream {
    for _ in 0..10_000 {
        match TcpStream::connect(addr) {
            Ok(stream) => return stream,
            Err(_) => thread::yield_now(),
        }
    }
    panic!("nobody listens on {addr}");
}

fn start(active: usize) -> (Running<Rooms>, SocketAddr) {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = free.local_addr().expect("an address");
    drop(free);
    let main = async move |mesh| node::serve(mesh, addr).await;
    let node = launch(&node::options(4, active), node::init, main).expect("the node starts");
    (node, addr)
}

/// `[room number] name: text`, in parts.
fn parts(line: &str) -> Option<(u64, &str, usize)> {
    let (head, said) = line.strip_prefix('[')?.split_once("] ")?;
    let number = head.split_once(' ')?.1.parse().ok()?;
    let (name, text) = said.split_once(": ")?;
    Some((number, name, text.parse().ok()?))
}

/// Says its numbers and reads everybody's.
fn talk(addr: SocketAddr, room: usize, number: usize, together: &Barrier) {
    let mut client = Client::connect(addr);
    client.say(&format!("/name client-{number}"));
    client.say(&format!("/join room-{room}"));
    client.wait_for(&format!("you are in room-{room}"));
    together.wait();
    let lines: String = (0..SAYS).map(|n| format!("{n}\n")).collect();
    client
        .writer
        .write_all(lines.as_bytes())
        .expect("it is connected");

    let mut next = [0; CLIENTS_PER_ROOM];
    for expected in 1..=(CLIENTS_PER_ROOM * SAYS) as u64 {
        let line = client.line();
        let (seen, name, said) = parts(&line).unwrap_or_else(|| panic!("in room {room}: {line:?}"));
        assert_eq!(seen, expected, "a gap or a double in room {room}: {line:?}");
        let speaker = name
            .strip_prefix("client-")
            .and_then(|n| n.parse::<usize>().ok());
        let next = &mut next[speaker.expect("a client")];
        assert_eq!(said, *next, "out of order in room {room}: {line:?}");
        *next += 1;
    }
    client.say("/quit");
    client.wait_for("good bye");
}

/// Resizes the node through all sizes, again and again until everybody has finished.
fn resize(addr: SocketAddr, talking: &AtomicUsize) -> usize {
    let mut operator = Client::connect(addr);
    operator.say("/join operators");
    operator.wait_for("you are in operators");
    let mut rounds = 0;
    while rounds == 0 || talking.load(Ordering::Acquire) > 0 {
        for shards in SIZES {
            operator.say(&format!("/resize {shards}"));
            let told = operator.wait_for("*: ");
            assert!(told.contains(&format!("{shards} shards serve")), "{told}");
        }
        rounds += 1;
    }
    operator.say("/where");
    assert!(operator.wait_for("you are on").contains("shard 0 of 1"));
    rounds
}

#[test]
fn nobody_misses_a_word_while_the_node_is_resized() {
    let (node, addr) = start(2);
    let together = Barrier::new(ROOMS * CLIENTS_PER_ROOM);
    let talking = AtomicUsize::new(ROOMS * CLIENTS_PER_ROOM);
    thread::scope(|scope| {
        for room in 0..ROOMS {
            for number in 0..CLIENTS_PER_ROOM {
                let (together, talking) = (&together, &talking);
                scope.spawn(move || {
                    // Counted down also where it panics, so that the operator ends.
                    let _done = Done(talking);
                    talk(addr, room, number, together);
                });
            }
        }
        scope.spawn(|| resize(addr, &talking));
    });
    node.stop();
    node.join().expect("it ends well");
}

struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[test]
fn a_client_is_told_what_it_did_and_where_it_is() {
    let (node, addr) = start(2);
    let mut client = Client::connect(addr);
    client.wait_for("welcome, guest-1");
    for (line, told) in [
        ("/name two words", "a name is 1 to 32"),
        ("/dance", "say something, or"),
        (
            "/resize 9",
            "not resized: this node can have 1 to 4 shards, not 9",
        ),
        ("/where", "you are on shard 1 of 2"),
        (&"x".repeat(500), "a line has 400 bytes at most"),
        // The shard that it is on goes to sleep.
        ("/resize 1", "1 shards serve, 2 did"),
        ("/where", "you are on shard 0 of 1, lobby is on shard 0"),
        ("still here", "guest-1: still here"),
    ] {
        client.say(line);
        client.wait_for(told);
    }
    node.stop();
    client.wait_for("the server is going down");
    node.join().expect("it ends well");
}
