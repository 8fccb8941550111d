//! The rebalancer on a simulated node whose load goes from one part of the partitions to another: it follows, and
//! where nothing changes, nothing moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use corelane::rebalance::RebalanceOptions;
use corelane::sim::{World, WorldOptions};
use corelane::{
    Cx, Handle, Handoff, LaunchOptions, Mesh, Outcome, PARTITIONS, Service, ShardId, Target,
    launch_sim, random, task, time,
};

const SHARDS: usize = 4;

/// How long each kind of load lasts.
const STEP: Duration = Duration::from_secs(12);

/// How often the rebalancer looks.
const ROUND: Duration = Duration::from_millis(200);

/// Counts per partition, and counts its handovers.
struct Counters {
    counts: BTreeMap<usize, u64>,
    handovers: Arc<Mutex<Vec<u64>>>,
}

impl Service for Counters {
    const TICK: Duration = Duration::from_secs(1);

    type Request = ();
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, (): (), cx: &Cx<'_, Self>) -> Outcome<Self> {
        let partition = cx.partition().expect("all requests are for a partition");
        let count = self.counts.entry(partition).or_default();
        *count += 1;
        Outcome::Ready(*count)
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

impl Handoff for Counters {
    type Parcel = u64;

    fn hand_over(&mut self, partition: usize) -> u64 {
        let now_ns = time::now_ns();
        self.handovers.lock().expect("not poisoned").push(now_ns);
        self.counts.remove(&partition).unwrap_or(0)
    }

    fn import(&mut self, partition: usize, count: u64) {
        self.counts.insert(partition, count);
    }
}

/// Where the load of a step lies.
#[derive(Debug, Clone, Copy)]
enum Load {
    /// Three of four requests are for these partitions, contiguous and so on one shard at first.
    Hot {
        from: usize,
        count: usize,
    },
    Even,
}

impl Load {
    fn partition(self) -> usize {
        let any = |count: usize| random::below(count as u64) as usize;
        match self {
            Self::Hot { from, count } if any(4) < 3 => from + any(count),
            _ => any(PARTITIONS),
        }
    }
}

/// Asks at a steady pace until `until_ns`.
async fn ask(handle: Handle<Counters>, load: Load, until_ns: u64) {
    while time::now_ns() < until_ns {
        let asks = (0..8).map(|_| (Target::Partition(load.partition()), ()));
        for answer in handle.call_many(asks).await {
            answer.expect("the node serves");
        }
        time::sleep(Duration::from_millis(4)).await;
    }
}

/// How much the busiest shard had to do above the mean, in percent, since the counts `before`.
async fn skew(mesh: &Mesh<Counters>, before: &mut Vec<u64>) -> u64 {
    let counted = async |mesh: Mesh<Counters>| mesh.stats();
    let mut now = Vec::new();
    for shard in mesh.all_shards() {
        let stats = mesh.submit(shard, counted).await.expect("it serves");
        now.push(stats.outside);
    }
    let handled: Vec<u64> = now
        .iter()
        .zip(&*before)
        .map(|(now, before)| now - before)
        .collect();
    *before = now;
    let (most, all) = (
        handled.iter().max().expect("shards"),
        handled.iter().sum::<u64>(),
    );
    most * 100 * SHARDS as u64 / all.max(1)
}

#[test]
fn moves_follow_the_load_and_end_where_it_is_steady() {
    for seed in 0..2 {
        let world = World::new(seed, WorldOptions::default());
        let handovers = Arc::<Mutex<Vec<u64>>>::default();
        let of_node = handovers.clone();
        let init = async move |_| {
            Ok(Counters {
                counts: BTreeMap::new(),
                handovers: of_node.clone(),
            })
        };
        let main = async |mesh: Mesh<Counters>| {
            if mesh.shard() != ShardId::new(0) {
                mesh.stopping().await;
                return Ok(());
            }
            let options = RebalanceOptions {
                min_shard_load: 100,
                ..RebalanceOptions::default()
            };
            let done = mesh.rebalance(ROUND, options).await;
            let done = done.map_err(|error| error.to_string())?;
            assert_eq!((done.given_up, done.busy), (0, 0));
            assert_eq!(done.moved, done.decided.moves);
            Ok(())
        };
        let options = LaunchOptions::unpinned(SHARDS);
        let node = launch_sim(&world, &options, init, main).expect("the node starts");
        let (handle, stopper) = (node.handle(), node.stopper());
        let clients = world.shard(100, "clients");
        let (moved, at_the_end) = world
            .block_on(
                clients,
                drive(handle, handovers, move || stopper.stop("done")),
            )
            .unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
        assert_eq!(node.outcome(), Some(Ok(())), "seed {seed}");
        assert!((20..160).contains(&moved), "seed {seed}: {moved} moves");
        assert!(
            at_the_end.iter().all(|&moves| moves <= 2),
            "seed {seed}: moves in the last third of each step: {at_the_end:?}"
        );
    }
}

/// All moves, and those in the last third of each step.
async fn drive(
    handle: Handle<Counters>,
    handovers: Arc<Mutex<Vec<u64>>>,
    stop: impl FnOnce(),
) -> (usize, Vec<usize>) {
    let steps = [
        Load::Even,
        Load::Hot { from: 0, count: 32 },
        Load::Hot {
            from: 128,
            count: 48,
        },
        Load::Even,
    ];
    let mut at_the_end = Vec::new();
    for load in steps {
        let until_ns = time::now_ns() + STEP.as_nanos() as u64;
        let last_third_ns = until_ns - STEP.as_nanos() as u64 / 3;
        let askers: Vec<_> = (0..3)
            .map(|_| task::spawn(ask(handle.clone(), load, until_ns)))
            .collect();
        time::sleep_until(last_third_ns).await;
        let look = async move |mesh: Mesh<Counters>| {
            let mut counts = vec![0; SHARDS];
            skew(&mesh, &mut counts).await;
            time::sleep_until(until_ns).await;
            skew(&mesh, &mut counts).await
        };
        let skew = handle.submit(ShardId::new(0), look).await;
        let skew = skew.expect("shard 0 serves");
        assert!(
            skew < 140,
            "{load:?}: the busiest shard has {skew}% of the mean"
        );
        for asker in askers {
            asker.await.expect("it does not panic");
        }
        let late = handovers.lock().expect("not poisoned");
        at_the_end.push(late.iter().filter(|&&at_ns| at_ns > last_third_ns).count());
    }
    stop();
    let moved = handovers.lock().expect("not poisoned").len();
    (moved, at_the_end)
}
