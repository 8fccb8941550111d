//! A service that panics while its partition moves: the move is given up, the shard restarts, and calls for the
//! partition go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use corelane::sim::{World, WorldOptions};
use corelane::supervision::Supervision;
use corelane::{
    Cx, Handoff, LaunchOptions, Mesh, MoveError, Outcome, Service, ShardId, Target, launch_sim,
    time,
};

const EXPORT: u8 = 1;
const HAND_OVER: u8 = 2;
const IMPORT: u8 = 3;

/// Panics once, at one step of a move.
struct Fragile(Arc<AtomicU8>);

impl Fragile {
    fn step(&self, step: u8) {
        let now = self
            .0
            .compare_exchange(step, 0, Ordering::Relaxed, Ordering::Relaxed);
        assert!(now.is_err(), "asked to panic at step {step}");
    }
}

impl Service for Fragile {
    type Request = u64;
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, number: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(number)
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

impl Handoff for Fragile {
    type Parcel = ();

    fn export(&mut self, _partition: usize) -> Option<()> {
        self.step(EXPORT);
        None
    }

    fn hand_over(&mut self, _partition: usize) {
        self.step(HAND_OVER);
    }

    fn import(&mut self, _partition: usize, (): ()) {
        self.step(IMPORT);
    }
}

#[test]
fn a_panic_in_a_move_ends_the_move_and_nothing_else() {
    for (step, seed) in [EXPORT, HAND_OVER, IMPORT]
        .into_iter()
        .flat_map(|s| [(s, 1), (s, 2)])
    {
        let options = WorldOptions {
            time_limit: std::time::Duration::from_secs(30),
            ..WorldOptions::default()
        };
        let world = World::new(seed, options);
        let trap = Arc::new(AtomicU8::new(step));
        let mut options = LaunchOptions::unpinned(2);
        options.supervision = Some(Supervision::default());
        let init = async move |_| Ok(Fragile(trap.clone()));
        let main = async |mesh: Mesh<Fragile>| {
            mesh.stopping().await;
            Ok(())
        };
        let node = launch_sim(&world, &options, init, main).expect("the node starts");
        let (handle, stopper) = (node.handle(), node.stopper());
        let clients = world.shard(100, "clients");
        let scenario = async move {
            let moved = handle.move_partition(0, ShardId::new(1)).await;
            assert_eq!(moved, Err(MoveError::Down), "step {step}");
            while handle.call(Target::Partition(0), 7).await != Ok(7) {
                time::sleep(std::time::Duration::from_millis(1)).await;
            }
            // The one that was given up may be on its way out.
            let moved = loop {
                match handle.move_partition(0, ShardId::new(1)).await {
                    Err(MoveError::Busy | MoveError::Down) => {}
                    moved => break moved,
                }
                time::sleep(std::time::Duration::from_millis(1)).await;
            };
            assert_eq!(moved, Ok(()), "step {step}, once it is back");
            assert_eq!(handle.call(Target::Partition(0), 8).await, Ok(8));
            stopper.stop("done");
        };
        let ran = world.block_on(clients, scenario);
        ran.unwrap_or_else(|stuck| panic!("step {step}, seed {seed}: {stuck}"));
        assert_eq!(node.outcome(), Some(Ok(())), "step {step}, seed {seed}");
    }
}
