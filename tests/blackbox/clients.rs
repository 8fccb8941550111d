//! Connections as seen from others: `CLIENT LIST`, `CLIENT KILL`, `CLIENT REPLY`, names.

use crate::server::{Server, eventually};

#[test]
fn the_list_shows_every_shards_clients() {
    let server = Server::start(&[]);
    let mut conns: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for (n, conn) in conns.iter_mut().enumerate() {
        assert_eq!(conn.call(&format!("CLIENT SETNAME conn-{n}")), "+OK\r\n");
    }
    let list = conns[0].call("CLIENT LIST");
    for n in 0..20 {
        assert!(
            list.contains(&format!("name=conn-{n} ")),
            "conn-{n} is missing: {list}"
        );
    }
    assert!(list.contains(" cmd=client|list ") && list.contains(" cmd=client|setname "));
    assert_eq!(conns[2].call("PING"), "+PONG\r\n");
    let list = conns[3].call("CLIENT LIST");
    assert!(list.contains(" cmd=ping "), "{list}");
    let own = conns[3].call("CLIENT INFO");
    assert!(own.contains("name=conn-3 ") && own.contains(" cmd=client|info "));
    assert_eq!(conns[3].call("CLIENT GETNAME"), "$6\r\nconn-3\r\n");
    assert!(
        conns[3]
            .call("INFO clients")
            .contains("connected_clients:20\r\n")
    );
}

#[test]
fn killed_clients_are_gone_wherever_they_are() {
    let server = Server::start(&[]);
    let mut killer = server.connect();
    let mut victims: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for victim in &mut victims {
        let id = victim.call("CLIENT ID");
        let id = id.trim_start_matches(':').trim_end();
        assert_eq!(killer.call(&format!("CLIENT KILL ID {id}")), ":1\r\n");
        assert!(victim.is_closed());
        assert_eq!(killer.call(&format!("CLIENT KILL ID {id}")), ":0\r\n");
    }
    let mut others: Vec<_> = (0..5).map(|_| server.connect()).collect();
    others
        .iter_mut()
        .for_each(|other| assert_eq!(other.call("PING"), "+PONG\r\n"));
    assert_eq!(killer.call("CLIENT KILL TYPE normal"), ":5\r\n");
    others
        .iter_mut()
        .for_each(|other| assert!(other.is_closed()));
    assert_eq!(
        killer.call("CLIENT KILL 127.0.0.1:1"),
        "-ERR No such client\r\n"
    );
}

#[test]
fn replies_can_be_turned_off_and_skipped() {
    let server = Server::start(&[]);
    let mut conn = server.connect();
    conn.write(b"CLIENT REPLY OFF\r\n");
    for n in 0..50 {
        conn.send(&format!("SET k{n} {n}"));
        conn.send(&format!("MGET k{n} k0 k1 k2 k3"));
        conn.send("DBSIZE");
    }
    conn.write(b"CLIENT REPLY ON\r\n");
    assert_eq!(conn.reply(), "+OK\r\n");
    assert_eq!(conn.call("DBSIZE"), ":50\r\n");
    conn.write(b"GET k1\r\nCLIENT REPLY SKIP\r\nGET k2\r\nGET k3\r\n");
    assert_eq!(conn.reply(), "$1\r\n1\r\n");
    assert_eq!(conn.reply(), "$1\r\n3\r\n");
}

#[test]
fn reset_and_select_are_the_connections_own() {
    let server = Server::start(&[]);
    let (mut a, mut b) = (server.connect(), server.connect());
    assert_eq!(a.call("SELECT 3"), "+OK\r\n");
    assert_eq!(a.call("SET only-in-3 1"), "+OK\r\n");
    assert_eq!(b.call("EXISTS only-in-3"), ":0\r\n");
    assert_eq!(a.call("RESET"), "+RESET\r\n");
    assert_eq!(a.call("EXISTS only-in-3"), ":0\r\n");
}

#[test]
fn closed_connections_give_their_descriptors_back() {
    let server = Server::start(&[]);
    assert_eq!(server.connect().call("PING"), "+PONG\r\n");
    eventually("the first connection is gone", || {
        server
            .connect()
            .call("INFO clients")
            .contains("connected_clients:1\r\n")
    });
    let before = server.descriptors();
    for round in 0..200 {
        let mut conn = server.connect();
        match round % 4 {
            0 => assert_eq!(conn.call("PING"), "+PONG\r\n"),
            1 => conn.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nhalf"),
            2 => conn.half_close(),
            _ => {}
        }
    }
    eventually("all descriptors are back", || {
        server.descriptors() <= before
    });
}
