//! New connections are spread evenly over the shards, whoever accepted them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::conn::Conn;
use crate::server::{PATIENCE, Server, eventually};

/// A connection of either kind. It is asked something before it is even accepted.
trait Client: Read + Write + Send + Sized {
    fn connect(server: &Server, socket: &Path) -> Self;
}

impl Client for TcpStream {
    fn connect(server: &Server, _: &Path) -> Self {
        let stream = TcpStream::connect(server.address).expect("the server accepts");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout");
        stream
    }
}

impl Client for UnixStream {
    fn connect(_: &Server, socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the server accepts");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout");
        stream
    }
}

/// How they come.
#[derive(Clone, Copy, Debug)]
enum Rush {
    /// Each when the one before is answered.
    OneByOne,
    /// From several threads, all at once, and answered later.
    Burst,
}

const THREADS: usize = 4;

fn connect<C: Client>(server: &Server, socket: &Path, count: usize, rush: Rush) -> Vec<C> {
    let open = || {
        let mut client = C::connect(server, socket);
        client.write_all(b"PING\r\n").expect("the server reads");
        client
    };
    let answered = |mut client: C| {
        let mut reply = [0; 7];
        client.read_exact(&mut reply).expect("an answer");
        assert_eq!(&reply, b"+PONG\r\n");
        client
    };
    match rush {
        Rush::OneByOne => (0..count).map(|_| answered(open())).collect(),
        Rush::Burst => std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| scope.spawn(|| (0..count / THREADS).map(|_| open()).collect::<Vec<C>>()))
                .collect();
            let opened = threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("connects"));
            opened.map(answered).collect()
        }),
    }
}

/// Clients per shard, the asking one included.
fn per_shard(asking: &mut Conn) -> Vec<usize> {
    let info = asking.call("INFO shards");
    let lines = info.lines().filter_map(|line| line.split_once(",clients="));
    lines
        .map(|(_, rest)| rest.split(',').next().unwrap_or_default())
        .map(|clients| clients.parse().expect("a number"))
        .collect()
}

/// Waits until the server has so many clients, and says how many each shard has.
#[track_caller]
fn settled(asking: &mut Conn, clients: usize) -> Vec<usize> {
    let mut counts = Vec::new();
    eventually("the clients are there", || {
        counts = per_shard(asking);
        counts.iter().sum::<usize>() == clients
    });
    counts
}

#[track_caller]
fn assert_even(counts: &[usize]) {
    let most = counts.iter().max().copied().unwrap_or_default();
    let least = counts.iter().min().copied().unwrap_or_default();
    // Two shards that accept at the same moment may both choose the same third.
    assert!(most - least <= 3, "{counts:?}");
}

fn check<C: Client>(shards: usize, rush: Rush) {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("corelane.sock");
    let server = Server::start(&[
        ("cpu-allocation", &shards.to_string()),
        ("overprovisioned", "yes"),
        ("unixsocket", socket.to_str().expect("text")),
        ("port", "auto"),
    ]);
    let mut asking = server.connect();
    let mut clients: Vec<C> = connect(&server, &socket, 1000, rush);
    let counts = settled(&mut asking, 1001);
    assert_eq!(counts.len(), shards);
    assert_even(&counts);

    // Half of them leave, and all of one shard are among them.
    let mut homes: BTreeMap<String, Vec<C>> = BTreeMap::new();
    for mut client in clients.drain(..) {
        let home = home_of(&mut client);
        homes.entry(home).or_default().push(client);
    }
    let mut staying: Vec<C> = homes.into_values().flatten().collect();
    staying.truncate(500);
    settled(&mut asking, 501);
    let _more: Vec<C> = connect(&server, &socket, 500, rush);
    assert_even(&settled(&mut asking, 1001));
}

/// The shard in a connection's own line of `CLIENT LIST`. Going there at the start is no move.
fn home_of(client: &mut impl Client) -> String {
    client
        .write_all(b"CLIENT INFO\r\n")
        .expect("the server reads");
    let mut line = Vec::new();
    while !line.ends_with(b"\n\r\n") {
        let mut more = [0; 1024];
        let bytes = client.read(&mut more).expect("an answer");
        line.extend_from_slice(&more[..bytes]);
    }
    let line = String::from_utf8_lossy(&line);
    assert!(line.contains(" moves=0"), "{line}");
    let shard = line.split(" shard=").nth(1).expect("its shard");
    shard.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn tcp_connects_one_by_one_are_spread_evenly() {
    check::<TcpStream>(2, Rush::OneByOne);
}

#[test]
fn tcp_connects_in_a_burst_are_spread_evenly() {
    check::<TcpStream>(4, Rush::Burst);
}

#[test]
fn unix_connects_one_by_one_are_spread_evenly() {
    check::<UnixStream>(4, Rush::OneByOne);
}

#[test]
fn unix_connects_in_a_burst_are_spread_evenly() {
    check::<UnixStream>(2, Rush::Burst);
}

#[test]
fn a_client_over_a_unix_socket_has_the_addresses_that_redis_shows() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("corelane.sock");
    let path = socket.to_str().expect("text");
    let server = Server::start(&[("unixsocket", path), ("port", "auto")]);
    let mut client = UnixStream::connect(&socket);
    let client = client.as_mut().expect("the server accepts");
    client
        .write_all(b"CLIENT SETNAME u\r\n")
        .expect("the server reads");
    let mut ok = [0; 5];
    client.read_exact(&mut ok).expect("an answer");
    let list = server.connect().call("CLIENT LIST");
    let line = list
        .lines()
        .find(|line| line.contains(" name=u "))
        .expect(&list);
    assert!(
        line.contains(&format!(" addr={path}:0 laddr={path}:0 ")),
        "{line}"
    );
    assert!(line.contains(" flags=U "), "{line}");
}

#[test]
fn who_listens_on_every_address_says_which_one_was_reached() {
    let server = Server::start(&[("bind", "*"), ("protected-mode", "no")]);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    let info = Conn::open(address).call("CLIENT INFO");
    assert!(info.contains(&format!(" laddr={address} ")), "{info}");
}

#[test]
fn maxclients_is_exact_in_a_burst_and_refusals_are_told_logged_and_counted() {
    const LIMIT: usize = 50;
    const TRIES: usize = 40;
    let server = Server::start(&[
        ("maxclients", "50"),
        ("cpu-allocation", "2"),
        ("overprovisioned", "yes"),
    ]);
    let mut asking = server.connect();
    assert_eq!(asking.call("PING"), "+PONG\r\n");
    let replies: Vec<(TcpStream, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let tried = (0..TRIES).map(|_| {
                        let mut client = TcpStream::connect(server.address).expect("a connect");
                        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
                        // One that is refused may be closed before it has said anything.
                        let _ = client.write_all(b"PING\r\n");
                        let mut reply = vec![0; 128];
                        let bytes = client.read(&mut reply).unwrap_or_default();
                        reply.truncate(bytes);
                        (client, reply)
                    });
                    tried.collect::<Vec<_>>()
                })
            })
            .collect();
        let tried = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("tries"));
        tried.collect()
    });
    let served = replies.iter().filter(|(_, reply)| reply == b"+PONG\r\n");
    assert_eq!(served.count(), LIMIT - 1);
    let told =
        |reply: &[u8]| reply.is_empty() || reply == b"-ERR max number of clients reached\r\n";
    let refused = replies.iter().filter(|(_, reply)| reply != b"+PONG\r\n");
    assert!(refused.clone().all(|(_, reply)| told(reply)));
    assert!(refused.clone().any(|(_, reply)| !reply.is_empty()));
    let stats = asking.call("INFO stats");
    let expected = format!("rejected_connections:{}\r\n", refused.count());
    assert!(stats.contains(&expected), "{expected} is not in {stats}");
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(said.contains("maxclients"), "{said}");
}

/// A figure of `INFO shards`.
fn figure(asking: &mut Conn, name: &str) -> u64 {
    let info = asking.call("INFO shards");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.expect(name).parse().expect("a number")
}

#[test]
fn a_hot_shard_sends_idle_connections_to_one_that_has_time() {
    let server = Server::start(&[
        ("cpu-allocation", "2"),
        ("overprovisioned", "yes"),
        ("routing", "hop"),
    ]);
    let mut asking = server.connect();
    let mut idle: Vec<Conn> = (0..40).map(|_| server.connect()).collect();
    for (number, conn) in idle.iter_mut().enumerate() {
        assert_eq!(
            conn.call(&format!("CLIENT SETNAME idle{number}")),
            "+OK\r\n"
        );
        assert_eq!(conn.call("CLIENT MIGRATE 1"), "+OK\r\n");
        assert_eq!(conn.call("PING"), "+PONG\r\n");
    }
    assert_eq!(figure(&mut asking, "connections_shed"), 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&done);
        for _ in 0..FLOODS {
            scope.spawn(|| flood(&server, b"PING\r\n", b"+PONG\r\n", &done));
        }
        // All of them: sixteen in a second at most, and none of those that make the shard hot.
        eventually("the idle connections are sent away", || {
            let list = asking.call("CLIENT LIST");
            let mut idle = list.lines().filter(|line| line.contains(" name=idle"));
            idle.all(|line| line.contains(" shard=0 "))
        });
        // Its neighbour has more of them by now.
        eventually("a new connection begins where there is time for it", || {
            server.connect().call("CLIENT INFO").contains(" shard=0 ")
        });
    });
    assert!(figure(&mut asking, "connections_shed") >= 40);
    for conn in &mut idle {
        assert_eq!(conn.call("PING"), "+PONG\r\n");
        assert!(conn.call("CLIENT INFO").contains(" shard=0 "));
    }
}

/// Connections that keep a shard hot: so many that one of them always has something to ask, on a machine under load, too.
const FLOODS: usize = 6;

/// Ends the floods, also where what they are for has failed: nothing would else.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Keeps shard 1 busy from a connection that begins there, until told that it is done.
fn flood(server: &Server, request: &[u8], reply: &[u8], done: &AtomicBool) {
    let mut conn = server.connect();
    assert_eq!(conn.call("CLIENT SETNAME flood"), "+OK\r\n");
    assert_eq!(conn.call("CLIENT MIGRATE 1"), "+OK\r\n");
    let requests = request.repeat(4000);
    while !done.load(Ordering::Relaxed) {
        conn.write(&requests);
        (0..4000).for_each(|_| assert_eq!(conn.reply_bytes(), reply));
    }
}

#[test]
fn a_hot_shard_gives_up_some_of_the_connections_that_make_it_hot() {
    let server = Server::start(&[
        ("cpu-allocation", "2"),
        ("overprovisioned", "yes"),
        ("routing", "adaptive"),
    ]);
    let mut asking = server.connect();
    // A key of shard 1.
    assert_eq!(asking.call("SET foo bar"), "+OK\r\n");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&done);
        for _ in 0..FLOODS {
            scope.spawn(|| flood(&server, b"GET foo\r\n", b"$3\r\nbar\r\n", &done));
        }
        eventually(
            "a connection with all its keys on the hot shard is sent away",
            || {
                let list = asking.call("CLIENT LIST");
                let mut floods = list.lines().filter(|line| line.contains(" name=flood "));
                floods.any(|line| line.contains(" shard=0 "))
                    && figure(&mut asking, "connections_shed") > 0
            },
        );
    });
}

#[test]
fn a_client_that_vanishes_without_a_word_is_found_closed_and_counted() {
    let server = Server::start(&[("tcp-keepalive", "1")]);
    let mut asking = server.connect();
    let stream = TcpStream::connect(server.address).expect("the server accepts");
    let mut client = socket2::Socket::from(stream);
    client
        .write_all(b"CLIENT SETNAME ghost\r\n")
        .expect("the server reads");
    let mut ok = [0; 5];
    client.read_exact(&mut ok).expect("an answer");
    let is_listed = |asking: &mut Conn| asking.call("CLIENT LIST").contains(" name=ghost ");
    assert!(is_listed(&mut asking));
    // From here on its socket is deaf, and so dumb: what comes is thrown away before TCP sees it.
    let throw_away = socket2::SockFilter::new(RETURN, 0, 0, 0);
    client.attach_filter(&[throw_away]).expect("a filter");
    eventually("it is found to be gone", || !is_listed(&mut asking));
    let stats = asking.call("INFO stats");
    assert!(stats.contains("half_open_disconnections:1\r\n"), "{stats}");
}

/// `BPF_RET | BPF_K`: how many bytes of a packet are kept.
const RETURN: u16 = 0x06;
