//! Holding the map still while partitions move and shards come and go, in the simulator: under a hold every partition
//! is at its owner, all maps say the same, and moves get their turn.

use std::collections::BTreeSet;
use std::time::Duration;

use corelane::sim::{World, WorldOptions};
use corelane::{
    Cx, Handoff, LaunchOptions, Mesh, MoveError, NodeFailure, Outcome, PARTITIONS, ResizeError,
    Service, ShardId, launch_sim, random, task, time,
};

/// Shards that there is room for.
const ROOM: usize = 4;

/// The partitions that a shard holds.
struct Held(BTreeSet<usize>);

impl Service for Held {
    type Request = ();
    type Reply = ();
    type Control = ();

    fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(())
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

impl Handoff for Held {
    type Parcel = usize;

    fn hand_over(&mut self, partition: usize) -> usize {
        assert!(self.0.remove(&partition), "{partition} was not here");
        partition
    }

    fn import(&mut self, partition: usize, parcel: usize) {
        assert_eq!(partition, parcel);
        assert!(self.0.insert(partition), "{partition} was here already");
    }
}

/// Runs a node of which one shard serves at first, in the world of `seed`.
fn run<M>(seed: u64, main: M) -> Result<(), NodeFailure>
where
    M: AsyncFn(Mesh<Held>) -> Result<(), String> + Send + Sync + 'static,
{
    let options = WorldOptions {
        step_limit: 20_000_000,
        ..WorldOptions::default()
    };
    let world = World::new(seed, options);
    let mut options = LaunchOptions::unpinned(ROOM);
    options.active = Some(1);
    let init = async |shard: ShardId| {
        let first = (shard.index() == 0).then_some(0..PARTITIONS);
        Ok(Held(first.into_iter().flatten().collect()))
    };
    let main = async move |mesh: Mesh<Held>| main(mesh).await;
    let node = launch_sim(&world, &options, init, main).expect("the node starts");
    if let Err(stuck) = world.run() {
        panic!("seed {seed}: {stuck}");
    }
    node.outcome().expect("the world ran until the node ended")
}

/// What must be true under a hold.
async fn look(mesh: &Mesh<Held>) -> Result<(), String> {
    let _hold = mesh.hold_map().await;
    let mut seen = BTreeSet::new();
    for shard in mesh.all_shards() {
        time::sleep(Duration::from_micros(random::below(50))).await;
        let asked = mesh.submit(shard, async |mesh: Mesh<Held>| {
            (mesh.map().epoch(), mesh.with(|held| held.0.clone()))
        });
        let (epoch, held) = asked.await.map_err(|error| error.to_string())?;
        if epoch != mesh.map().epoch() {
            return Err(format!("{shard} has map {epoch}, not {:?}", mesh.map()));
        }
        for partition in held {
            if !seen.insert(partition) || mesh.map().owner(partition) != shard {
                return Err(format!("{partition} is on {shard}"));
            }
        }
    }
    match seen.len() {
        PARTITIONS => Ok(()),
        seen => Err(format!("{seen} partitions are on shards")),
    }
}

#[test]
fn under_a_hold_all_is_where_the_map_says() {
    for seed in 0..20 {
        let ended = run(seed, async |mesh: Mesh<Held>| {
            if mesh.shard() == ShardId::new(0) {
                let mesh = mesh.clone();
                task::spawn(async move {
                    for shards in [3, 2, 4, 1] {
                        mesh.resize(shards).await.expect("nobody else resizes");
                    }
                    assert!(mesh.partitions_moved() > 400);
                    mesh.stop("all has moved");
                });
            }
            while !mesh.is_stopping() {
                look(&mesh).await?;
                time::sleep(Duration::from_micros(random::below(300))).await;
            }
            Ok(())
        });
        assert_eq!(ended, Ok(()), "seed {seed}");
    }
}

/// Whoever asks meanwhile waits for a part of it only.
#[test]
fn a_move_waits_for_a_long_hold_and_lets_others_in_before_it() {
    for seed in 0..20 {
        let ended = run(seed, async |mesh: Mesh<Held>| {
            let is_first = mesh.shard() == ShardId::new(0);
            if !is_first {
                mesh.stopping().await;
                return Ok(());
            }
            let long = mesh.hold_map().await;
            let resizing = task::spawn({
                let mesh = mesh.clone();
                async move { mesh.resize(2).await }
            });
            let until_ns = time::now_ns() + 300_000_000;
            let mut let_in = 0;
            while time::now_ns() < until_ns {
                drop(mesh.hold_map().await);
                let_in += 1;
                time::sleep(Duration::from_micros(100)).await;
            }
            assert!(let_in > 5, "{let_in}");
            assert_eq!(mesh.shards(), 1, "it waits");
            drop(long);
            let resized = resizing.await.map_err(|panicked| panicked.message)?;
            assert_eq!(resized.map(|resized| resized.moved), Ok(128));
            mesh.stop("it has moved");
            Ok(())
        });
        assert_eq!(ended, Ok(()), "seed {seed}");
    }
}

#[test]
fn a_hold_that_never_ends_is_reported_and_nothing_moves() {
    let ended = run(1, async |mesh: Mesh<Held>| {
        let hold = mesh.hold_map().await;
        let patience = Duration::from_secs(10);
        assert_eq!(mesh.resize(2).await, Err(ResizeError::Held(patience)));
        assert_eq!(mesh.shards(), 1);
        drop(hold);
        assert_eq!(mesh.resizing(), None);
        mesh.stop("it was told");
        Ok(())
    });
    assert_eq!(ended, Ok(()));
    let ended = run(2, async |mesh: Mesh<Held>| {
        if mesh.shard() != ShardId::new(0) {
            mesh.stopping().await;
            return Ok(());
        }
        mesh.resize(2).await.map_err(|error| error.to_string())?;
        let hold = mesh.hold_map().await;
        let patience = Duration::from_secs(10);
        let moved = mesh.move_partition(0, ShardId::new(1)).await;
        assert_eq!(moved, Err(MoveError::Held(patience)));
        drop(hold);
        assert_eq!(mesh.move_partition(0, ShardId::new(1)).await, Ok(()));
        mesh.stop("it was told");
        Ok(())
    });
    assert_eq!(ended, Ok(()));
}

/// Holds that overlap without an end, each shorter than a move's patience.
#[test]
fn holds_without_a_gap_let_moves_through() {
    for seed in 0..10 {
        let ended = run(seed, async |mesh: Mesh<Held>| {
            for _ in 0..3 {
                let mesh = mesh.clone();
                task::spawn(async move {
                    while !mesh.is_stopping() {
                        let hold = mesh.hold_map().await;
                        time::sleep(Duration::from_millis(5 + random::below(20))).await;
                        drop(hold);
                    }
                });
            }
            if mesh.shard() == ShardId::new(0) {
                mesh.resize(2).await.map_err(|error| error.to_string())?;
                for to in [0, 1, 0, 1] {
                    let moved = mesh.move_partition(9, ShardId::new(to)).await;
                    moved.map_err(|error| error.to_string())?;
                }
                mesh.stop("they have moved");
            }
            mesh.stopping().await;
            Ok(())
        });
        assert_eq!(ended, Ok(()), "seed {seed}");
    }
}
