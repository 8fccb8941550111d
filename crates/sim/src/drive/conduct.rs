//! All clients of a run, looks at every shard, and the end of the node.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use corelane::Stopper;
use corelane_wire::Value;

use super::session::Session;
use super::stage::{Finding, Stage};
use crate::model::Action;
use crate::plan::{Finish, Pace, Request, SessionPlan};

/// Lives through one client's plan.
pub(crate) async fn client(stage: Rc<Stage>, client: usize) {
    let plan = &stage.scenario.clients[client];
    for (number, session) in plan.sessions.iter().enumerate() {
        corelane::time::sleep(Duration::from_nanos(session.before_ns)).await;
        let seen = Session::run(&stage, Some((client, number)), session).await;
        let lingered = session.finish == Finish::Linger && seen.is_some_and(|seen| seen.complete);
        if lingered {
            // It was done when it began to linger, and the node has ended since.
            return;
        }
        if seen.is_none() {
            break;
        }
    }
    stage.done();
}

/// What clients have left behind settles within this time: vanished ones may have commands under way, and what they were
/// sending to a node that does not read is given up after ten seconds.
const GONE: Duration = Duration::from_secs(11);

/// What a storm has left behind settles within this time.
const SETTLE: Duration = Duration::from_secs(1);

/// Connections that a look makes at most: which shard takes one is chance.
const LOOKS: usize = 64;

/// Stops the node when its time has come.
pub(crate) async fn conduct(stage: Rc<Stage>, stopper: Stopper) {
    let steady = corelane::task::spawn(resize_steadily(stage.clone()));
    match stage.scenario.stop_ns {
        Some(stop_ns) => corelane::time::sleep(Duration::from_nanos(stop_ns)).await,
        None => {
            stage.all_done().await;
            // A panic ends the run anyway.
            let _ = steady.await;
            corelane::time::sleep(GONE).await;
            match stage.scenario.resizes {
                true => look_at_sizes(&stage).await,
                false => look(&stage, true).await,
            }
            for storm in 0..stage.scenario.storms.len() {
                rage(&stage, storm).await;
                corelane::time::sleep(SETTLE).await;
                look(&stage, false).await;
            }
        }
    }
    stage.stop();
    stopper.stop("the run is over");
}

/// How often a resize is tried that meets one which clients have left behind, and how long it waits in between.
const RESIZE_TRIES: usize = 200;
const RESIZE_RETRY: Duration = Duration::from_millis(100);

/// Brings the node to each of the last numbers of shards, and looks at everything there.
async fn look_at_sizes(stage: &Stage) {
    for lot in &stage.scenario.last_sizes {
        let shards = stage.scenario.size(*lot);
        let plan = SessionPlan::plain(
            vec![Request::resize(*lot), Request::shards()],
            Finish::HalfClose,
        );
        for _ in 0..RESIZE_TRIES {
            let seen = Session::run(stage, None, &plan).await;
            if seen.is_some_and(|seen| seen.complete) && stage.serving() == shards {
                break;
            }
            corelane::time::sleep(RESIZE_RETRY).await;
        }
        if stage.serving() != shards {
            let text = format!(
                "{} shards serve, and not the {shards} that were asked for",
                stage.serving()
            );
            return stage.found(Finding::Reply(text));
        }
        look(stage, true).await;
    }
}

/// Asks for one number of shards after another while the clients are at work.
async fn resize_steadily(stage: Rc<Stage>) {
    let plan = SessionPlan {
        pace: Pace::Window(1),
        ..SessionPlan::plain(stage.scenario.steady.clone(), Finish::Close)
    };
    if !plan.requests.is_empty() {
        Session::run(&stage, None, &plan).await;
    }
}

/// Lets the clients of a storm loose, all at once.
async fn rage(stage: &Rc<Stage>, storm: usize) {
    let session = |number| {
        let stage = stage.clone();
        corelane::task::spawn(async move {
            let plan = &stage.scenario.storms[storm][number];
            Session::run(&stage, None, plan).await;
        })
    };
    let sessions: Vec<_> = (0..stage.scenario.storms[storm].len())
        .map(session)
        .collect();
    for session in sessions {
        // A panic ends the run anyway.
        let _ = session.await;
    }
}

/// Reads the setting on every shard that keeps clients and, if asked, every key once.
async fn look(stage: &Stage, keys: bool) {
    let keepers = stage.scenario.keep_clients(stage.serving());
    let mut seen_shards = BTreeSet::new();
    let mut keys_left = keys;
    for round in 0..LOOKS {
        // A connection begins where the fewest are, which may be the same shard again and again.
        let shard = round % keepers;
        let plan = look_plan(stage, shard, keys_left);
        let Some(seen) = Session::run(stage, None, &plan).await else {
            return;
        };
        if seen.complete {
            keys_left = false;
            seen_shards.insert(shard);
        }
        if seen_shards.len() == keepers {
            return;
        }
    }
    if !stage.scenario.resets() {
        let text = format!("{LOOKS} connections have met only the shards {seen_shards:?}");
        stage.found(Finding::Reply(text));
    }
}

fn look_plan(stage: &Stage, shard: usize, keys: bool) -> SessionPlan {
    let keyspace = &stage.scenario.keyspace;
    let ok = || Value::Simple("OK".to_owned());
    let go = Request::fixed(&format!("CLIENT MIGRATE {shard}"), ok());
    let mut requests = vec![go, Request::read_setting(keyspace)];
    if keys {
        requests.extend([Request::everybody(), Request::moves()]);
        let groups = keyspace.groups.len();
        for object in 0..keyspace.setting() {
            if object % groups == 0 {
                let select = format!("SELECT {}", object / groups);
                requests.push(Request::fixed(&select, ok()));
            }
            let keys = 0..keyspace.names(object).len() as u8;
            let read = Action::Mget(keys.clone().collect());
            requests.push(Request::action(keyspace, object, read));
            requests.extend(keys.map(|key| Request::action(keyspace, object, Action::Ttl(key))));
        }
    }
    SessionPlan::plain(requests, Finish::HalfClose)
}
