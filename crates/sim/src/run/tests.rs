//! Runs by hand: small scenarios in a kind world, each for one thing that random ones meet only now and then.

use corelane::sim::WorldOptions;
use corelane_wire::Value;

use super::run;
use crate::model::Action;
use crate::plan::{
    ClientPlan, Expect, Finish, Kind, Pace, Reading, Request, Scenario, SessionPlan, Words,
};

fn session(requests: Vec<Request>, finish: Finish) -> SessionPlan {
    SessionPlan::plain(requests, finish)
}

/// A scenario of two shards in which each client has one connection.
fn scenario(sessions: Vec<SessionPlan>) -> Scenario {
    let clients = sessions.into_iter().map(|session| ClientPlan {
        sessions: vec![session],
    });
    Scenario {
        shards: 2,
        room: 2,
        io_shards: 0,
        lane_capacity: None,
        world: WorldOptions::default(),
        clients: clients.collect(),
        moves: false,
        resizes: false,
        steady: vec![],
        storms: vec![],
        stop_ns: None,
        ..Scenario::of(0)
    }
}

fn ok(text: &str) -> Request {
    Request::fixed(text, Value::Simple("OK".to_owned()))
}

fn silent(request: Request) -> Request {
    Request {
        silent: true,
        ..request
    }
}

fn ping() -> Request {
    Request::fixed("PING", Value::Simple("PONG".to_owned()))
}

#[track_caller]
fn passes(scenario: &Scenario) {
    if let Err(failure) = run(scenario) {
        panic!("{failure}");
    }
}

#[test]
fn a_node_without_clients_comes_and_goes() {
    passes(&scenario(vec![]));
}

#[test]
fn a_client_without_commands_comes_and_goes() {
    for finish in [Finish::Close, Finish::HalfClose, Finish::Linger] {
        passes(&scenario(vec![session(vec![], finish)]));
    }
}

#[test]
fn a_reply_to_be_skipped_is_that_of_the_next_command_even_if_it_is_refused() {
    let refused = Request::fixed("NOSUCHCOMMAND", Value::Null);
    let requests = vec![
        silent(ok("CLIENT REPLY SKIP")),
        silent(refused.clone()),
        ping(),
        silent(ok("CLIENT REPLY OFF")),
        silent(refused),
        silent(ping()),
        ok("CLIENT REPLY ON"),
        ping(),
    ];
    passes(&scenario(vec![session(requests, Finish::HalfClose)]));
}

#[test]
fn a_killed_client_is_gone_and_its_killer_is_told() {
    let kill = Request {
        words: Words::Kill { client: 0 },
        expect: Expect::Kind(Kind::Int),
        silent: false,
    };
    let mut killer = session(vec![ping(), kill, ping()], Finish::Close);
    killer.before_ns = 50_000_000;
    let victim = session(vec![Request::number()], Finish::Linger);
    passes(&scenario(vec![victim, killer]));
}

#[test]
fn a_wrong_reply_is_a_failure() {
    let wrong = Request::fixed("PING", Value::Simple("GNOP".to_owned()));
    let failure = run(&scenario(vec![session(vec![wrong], Finish::Close)]));
    let text = failure.expect_err("it says PONG").to_string();
    assert!(
        text.contains("'PING' was answered with Simple(\"PONG\")"),
        "{text}"
    );
}

#[test]
fn a_missing_reply_is_a_failure() {
    let mut waits = scenario(vec![session(vec![silent(ping()), ping()], Finish::Quit)]);
    waits.world.time_limit = std::time::Duration::from_secs(10);
    let text = run(&waits).expect_err("one reply too many").to_string();
    assert!(text.contains("a reply that nobody waits for"), "{text}");
    let mut waits = scenario(vec![session(vec![ok("CLIENT REPLY OFF")], Finish::Close)]);
    waits.world.time_limit = std::time::Duration::from_secs(10);
    let text = run(&waits).expect_err("no reply at all").to_string();
    assert!(
        text.contains("waits for 1 more, first for 'CLIENT REPLY OFF'"),
        "{text}"
    );
}

#[test]
fn a_node_stopped_at_once_ends_in_order() {
    let mut stopped = scenario(vec![session(vec![ping(), ping()], Finish::Close)]);
    for stop_ns in [0, 1_000, 100_000, 300_000] {
        stopped.stop_ns = Some(stop_ns);
        passes(&stopped);
    }
}

/// A slow reader goes while both sides send more than the other has taken, so that neither reads. Found as seed 18624
/// of the plans before resizes: the session outlived its node.
#[test]
fn a_client_that_is_gone_without_taking_its_replies_is_cut_off_by_a_stop() {
    let echo = |number| {
        let text = format!("{number:0>3000}");
        Request::fixed(&format!("ECHO {text}"), Value::bulk(&text))
    };
    let requests: Vec<Request> = (0..3).map(echo).collect();
    let vanish = Finish::Vanish {
        after: requests.len(),
        abort: false,
    };
    let client = SessionPlan {
        pace: Pace::Window(2),
        reading: Reading::Slow(5_000_000..5_000_001),
        ..session(requests, vanish)
    };
    let mut gone = scenario(vec![client]);
    gone.world.socket_bytes = 64..128;
    gone.stop_ns = Some(1_000_000_000);
    passes(&gone);
}

/// A client that lingers through all of it is still there in the end, as is every key.
#[test]
fn shards_come_and_go_and_everybody_stays() {
    let keyspace = Scenario::of(0).keyspace;
    let object = keyspace.object(0, 0);
    let append = || {
        let more = b"x".as_slice().into();
        Request::action(&keyspace, object, Action::Append(0, more))
    };
    let mut requests = vec![Request::number()];
    for lot in [3, 0, 1, 0] {
        requests.push(append());
        requests.push(Request::resize(lot));
        requests.push(append());
    }
    let busy = session(requests, Finish::Close);
    let stays = session(vec![Request::number(), append()], Finish::Linger);
    let mut resized = scenario(vec![busy, stays]);
    resized.resizes = true;
    resized.room = 4;
    resized.last_sizes = vec![3, 0];
    let passed = run(&resized).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(passed.resizes, 6);
}
