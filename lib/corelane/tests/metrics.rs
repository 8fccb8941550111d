//! What a running node shows of itself to threads that are none of its shards.

use std::collections::BTreeSet;
use std::time::Duration;

use corelane::metrics::{Owner, Value, Writer, prometheus, registry};
use corelane::sim::{World, WorldOptions};
use corelane::{
    Cx, Handle, LaunchOptions, Mesh, Outcome, Service, ShardId, launch, launch_sim, time,
};

corelane::metrics! {
    /// What the service itself counts.
    struct Own;

    /// Words said.
    counter words = "test_words_total";
}

/// Says a number back, and counts by itself.
struct Parrot {
    own: Writer<Own>,
}

impl Parrot {
    async fn new(shard: ShardId) -> Result<Self, String> {
        let registry = registry().ok_or("a shard has a registry from its init on")?;
        let own = registry.register(Owner::service(shard, "parrot's own"));
        Ok(Self {
            own: own.map_err(|error| error.to_string())?,
        })
    }
}

impl Service for Parrot {
    type Request = u64;
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, word: u64, cx: &Cx<'_, Self>) -> Outcome<Self> {
        self.own.words.inc();
        match word {
            0 => Outcome::rejected("nothing to say"),
            1..1000 => Outcome::Ready(word),
            _ => {
                let mesh = cx.mesh().clone();
                Outcome::later(async move {
                    time::sleep(Duration::from_nanos(word)).await;
                    drop(mesh);
                    word
                })
            }
        }
    }

    fn control(&mut self, _message: (), _from: ShardId) {}
}

/// Each shard of two asks each a hundred times: 99 words and one refusal.
async fn ask_around(mesh: &Mesh<Parrot>) {
    for word in 0..100 {
        for shard in mesh.all_shards() {
            let said = mesh.call(shard, word).await;
            assert_eq!(said.is_ok(), word > 0, "{word}: {said:?}");
        }
    }
    let later = mesh.call(mesh.shard(), 2_000_000).await;
    assert_eq!(later.ok(), Some(2_000_000));
}

/// What every such node shows at its end.
fn check(snapshot: &corelane::metrics::Snapshot) {
    for (name, expected) in [
        ("test_words_total", 402),
        ("corelane_handled_total", 200),
        ("corelane_local_calls_total", 202),
        ("corelane_calls_total", 200),
        ("corelane_later_total", 2),
        ("corelane_lives_total", 2),
        ("corelane_queue_depth", 0),
        ("corelane_wedges_total", 0),
    ] {
        assert_eq!(snapshot.total(name), expected, "{name}");
    }
    let rejected = snapshot
        .named("corelane_refused_total")
        .filter(|row| row.metric.label == Some(("reason", "rejected")))
        .map(|row| match row.value {
            Value::Count(count) => count,
            _ => unreachable!("a counter"),
        });
    assert_eq!(rejected.sum::<u64>(), 4);
    assert!(snapshot.total("corelane_runtime_spawned_total") > 0);
    let handling = snapshot.durations("corelane_handle_seconds");
    assert!(handling.count().abs_diff(402) <= 62, "{}", handling.count());
    let later = snapshot.durations("corelane_later_seconds");
    assert_eq!(later.count(), 2);
    assert!(
        later.quantile(0.0) >= Some(Duration::from_millis(2)),
        "{later:?}"
    );
}

#[test]
fn a_node_is_watched_while_it_runs_and_after_its_end() {
    let node = launch(&LaunchOptions::unpinned(2), Parrot::new, async |mesh| {
        ask_around(&mesh).await;
        mesh.stopping().await;
        Ok(())
    })
    .expect("the node starts");
    let (handle, metrics): (Handle<Parrot>, _) = (node.handle(), node.metrics());
    assert_eq!(handle.call(ShardId::new(1), 7).wait().ok(), Some(7));
    while metrics.snapshot().total("test_words_total") < 403 {
        std::thread::yield_now();
    }
    let outside = handle.metrics().snapshot().total("corelane_outside_total");
    assert_eq!(outside, 1);
    drop(handle);
    node.stop();
    node.join().expect("a clean end");
    let text = prometheus::render(&metrics.snapshot());
    for line in [
        "corelane_outside_total{shard=\"1\",service=\"Parrot\"} 1",
        "corelane_queue_depth{shard=\"0\",service=\"Parrot\",queue=\"inbox\"} 0",
        "corelane_refused_total{shard=\"0\",service=\"Parrot\",reason=\"rejected\"} 2",
        "test_words_total{shard=\"0\",service=\"parrot's own\"} 201",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn a_simulated_node_counts_the_same() {
    let world = World::new(5, WorldOptions::default());
    let options = LaunchOptions::unpinned(2);
    let node = launch_sim(&world, &options, Parrot::new, async |mesh| {
        ask_around(&mesh).await;
        Ok(())
    })
    .expect("the node starts");
    world.run().expect("everything comes to an end");
    node.outcome().expect("it ended").expect("a clean end");
    check(&node.metrics().snapshot());
}

#[test]
fn a_real_node_counts_exactly() {
    let node = launch(&LaunchOptions::unpinned(2), Parrot::new, async |mesh| {
        ask_around(&mesh).await;
        Ok(())
    })
    .expect("the node starts");
    let metrics = node.metrics();
    node.join().expect("a clean end");
    check(&metrics.snapshot());
}

/// Everything that a node shows is in the reference.
#[test]
fn a_node_shows_what_is_documented() {
    let page = include_str!("../../../docs/reference/metrics.md");
    let node = launch(&LaunchOptions::unpinned(1), Parrot::new, async |_| Ok(()));
    let node = node.expect("the node starts");
    let metrics = node.metrics();
    node.join().expect("a clean end");
    let snapshot = metrics.snapshot();
    let shown: BTreeSet<_> = snapshot.rows().iter().map(|row| row.metric.name).collect();
    for name in shown.iter().filter(|name| name.starts_with("corelane_")) {
        assert!(
            page.contains(&format!("| `{name}")),
            "{name} is not on the page"
        );
    }
    assert!(shown.len() > 30, "{shown:?}");
}
