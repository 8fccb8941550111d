//! Services that panic and restart: on threads and in the simulator, by every strategy, with requests that are
//! refused meanwhile or wait.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use corelane::sim::{World, WorldOptions};
use corelane::supervision::{Backoff, Strategy, Supervision};
use corelane::{
    CallError, Cx, LaunchError, LaunchOptions, Mesh, NodeFailure, Outcome, Refusal, Service,
    ShardId, WhileDown, launch, launch_sim, random, task, time,
};

/// Counts what it handles, and panics when asked to.
struct Fragile {
    handled: u64,
    log: Log,
    me: ShardId,
}

/// What was begun and put down, in order.
type Log = Arc<Mutex<Vec<(char, u16)>>>;

impl Service for Fragile {
    const TICK: Duration = Duration::from_secs(1);
    type Request = u64;
    type Reply = u64;
    type Control = ();

    fn handle(&mut self, number: u64, _cx: &Cx<'_, Self>) -> Outcome<Self> {
        assert_ne!(number, 13, "bad luck");
        self.handled += 1;
        Outcome::Ready(number)
    }

    fn control(&mut self, (): (), _from: ShardId) {
        panic!("no control");
    }

    fn label(number: &u64) -> &'static str {
        if *number == 13 { "thirteen" } else { "" }
    }

    fn shutdown(&mut self) {
        self.log.lock().unwrap().push(('-', self.me.number()));
    }
}

fn options(shards: usize, strategy: Strategy, while_down: WhileDown) -> LaunchOptions {
    let mut options = common::options(shards, 8);
    options.supervision = Some(Supervision {
        strategy,
        max_restarts: 100,
        backoff: Backoff::new(Duration::from_micros(50), Duration::from_millis(1)).unwrap(),
        ..Supervision::default()
    });
    options.while_down = while_down;
    options
}

fn init(log: &Log) -> impl AsyncFn(ShardId) -> Result<Fragile, String> + Send + Sync + 'static {
    let log = log.clone();
    async move |me: ShardId| {
        log.lock().unwrap().push(('+', me.number()));
        Ok(Fragile {
            handled: 0,
            log: log.clone(),
            me,
        })
    }
}

/// Runs `main` in the world of `seed`; how the node ended, and what was begun and put down.
fn simulate<M>(
    seed: u64,
    options: &LaunchOptions,
    main: M,
) -> (Result<(), NodeFailure>, Vec<(char, u16)>)
where
    M: AsyncFn(Mesh<Fragile>) -> Result<(), String> + Send + Sync + 'static,
{
    let log = Log::default();
    let world = World::new(seed, WorldOptions::default());
    let node = launch_sim(&world, options, init(&log), main).unwrap();
    if let Err(stuck) = world.run() {
        panic!("seed {seed}: {stuck}");
    }
    let log = log.lock().unwrap().clone();
    (node.outcome().expect("it has ended"), log)
}

/// Everybody calls everybody, panics among the calls. Where requests wait nothing comes back; where they are
/// refused, only that does.
async fn stormy(mesh: Mesh<Fragile>, waits: bool) -> Result<(), String> {
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let mesh = mesh.clone();
            task::spawn(async move {
                for _ in 0..20 {
                    let to = ShardId::new(random::below(mesh.shards() as u64) as u16);
                    let number = random::below(40);
                    let answer = mesh.call(to, number).await;
                    let right = match &answer {
                        Ok(same) => *same == number && number != 13,
                        Err(CallError::Panicked) => number == 13,
                        Err(CallError::Refused(refused)) => {
                            !waits && refused.reason == Refusal::Down
                        }
                        Err(_) => false,
                    };
                    assert!(right, "shard {to}, {number}: {answer:?}");
                    if random::below(3) == 0 {
                        time::sleep(Duration::from_micros(random::below(100))).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|panicked| panicked.to_string())?;
    }
    Ok(())
}

#[test]
fn shards_restart_under_load_and_no_call_hangs() {
    for seed in 0..300 {
        let strategy = [
            Strategy::OneForOne,
            Strategy::OneForAll,
            Strategy::RestForOne,
        ][seed as usize % 3];
        let (while_down, waits) = match seed % 2 {
            0 => (WhileDown::Wait, true),
            _ => (WhileDown::Refuse, false),
        };
        let options = options(1 + seed as usize % 4, strategy, while_down);
        let main = async move |mesh| stormy(mesh, waits).await;
        let (outcome, _) = simulate(seed, &options, main);
        assert_eq!(outcome, Ok(()), "seed {seed}");
    }
}

#[test]
fn a_strategy_says_who_falls_along_and_in_which_order() {
    let begun = [('+', 0), ('+', 1), ('+', 2)];
    let rows: [(_, &[(char, u16)]); 3] = [
        (Strategy::OneForOne, &[('+', 1)]),
        (
            Strategy::OneForAll,
            &[('-', 2), ('-', 0), ('+', 0), ('+', 1), ('+', 2)],
        ),
        (Strategy::RestForOne, &[('-', 2), ('+', 1), ('+', 2)]),
    ];
    for (strategy, expected) in rows {
        for seed in 0..20 {
            let options = options(3, strategy, WhileDown::Wait);
            let (outcome, mut log) = simulate(seed, &options, async |mesh: Mesh<Fragile>| {
                if mesh.shard() == ShardId::new(0) {
                    let fault = mesh.call(ShardId::new(1), 13).await;
                    assert_eq!(fault, Err(CallError::Panicked));
                    time::sleep(Duration::from_millis(5)).await;
                    mesh.stop("seen");
                }
                mesh.stopping().await;
                Ok(())
            });
            assert_eq!(outcome, Ok(()));
            log[..3].sort_unstable();
            assert_eq!(log[..3], begun);
            assert_eq!(
                &log[3..log.len() - 3],
                expected,
                "{strategy:?}, seed {seed}"
            );
        }
    }
}

#[test]
fn one_panic_too_many_ends_the_node_with_what_it_was_doing() {
    let mut options = options(2, Strategy::OneForOne, WhileDown::Wait);
    options.supervision.as_mut().unwrap().max_restarts = 2;
    let (outcome, _) = simulate(7, &options, async |mesh: Mesh<Fragile>| {
        if mesh.shard() == ShardId::new(0) {
            for _ in 0..3 {
                assert_eq!(
                    mesh.call(ShardId::new(1), 13).await,
                    Err(CallError::Panicked)
                );
            }
        }
        mesh.stopping().await;
        time::sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    let failure = outcome.unwrap_err();
    assert_eq!(failure.shard, ShardId::new(1));
    for says in [
        "handling `thirteen` of shard 0 panicked: ",
        "bad luck",
        "child 1 failed, and the 2 restarts",
    ] {
        assert!(
            failure.reason.contains(says),
            "{failure} does not say {says}"
        );
    }
}

#[test]
fn an_init_that_fails_again_counts_as_a_panic() {
    let tries = Arc::new(AtomicU64::new(0));
    let counted = tries.clone();
    let world = World::new(1, WorldOptions::default());
    let init = async move |me: ShardId| match counted.fetch_add(1, Ordering::Relaxed) {
        1..4 => Err("no room yet".to_owned()),
        _ => Ok(Fragile {
            handled: 0,
            log: Log::default(),
            me,
        }),
    };
    let main = async |mesh: Mesh<Fragile>| {
        assert_eq!(
            mesh.call(ShardId::new(0), 13).await,
            Err(CallError::Panicked)
        );
        assert_eq!(mesh.call(ShardId::new(0), 14).await, Ok(14));
        Ok(())
    };
    let node = launch_sim(
        &world,
        &options(1, Strategy::OneForOne, WhileDown::Wait),
        init,
        main,
    )
    .unwrap();
    world.run().unwrap();
    assert_eq!(node.outcome(), Some(Ok(())));
    assert_eq!(tries.load(Ordering::Relaxed), 5);
}

#[test]
fn a_panic_outside_of_requests_restarts_too_and_main_goes_on() {
    let options = options(2, Strategy::OneForOne, WhileDown::Wait);
    let (outcome, log) = simulate(3, &options, async |mesh: Mesh<Fragile>| {
        if mesh.shard() == ShardId::new(1) {
            mesh.control(ShardId::new(0), ())
                .map_err(|e| e.to_string())?;
            return Ok(());
        }
        while mesh.stats().restarts == 0 {
            time::sleep(Duration::from_micros(100)).await;
        }
        assert_eq!(mesh.try_with(|fragile| fragile.handled), Some(0));
        assert_eq!(mesh.stats().panics, 1);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(log.iter().filter(|entry| **entry == ('+', 0)).count(), 2);
}

#[test]
fn rules_that_are_none_are_refused() {
    let mut options = options(1, Strategy::OneForOne, WhileDown::Wait);
    options.supervision.as_mut().unwrap().window = Duration::ZERO;
    let world = World::new(1, WorldOptions::default());
    let main = async |_: Mesh<Fragile>| Ok(());
    let refused = launch_sim(&world, &options, init(&Log::default()), main).unwrap_err();
    assert!(matches!(refused, LaunchError::Supervision(_)), "{refused}");
}

/// On threads: the caller hears of the panic at once, and the next call waits for the next state.
#[test]
fn a_panic_is_seen_and_the_shard_is_back_on_threads() {
    const ROUNDS: usize = 20;
    let options = options(2, Strategy::OneForOne, WhileDown::Wait);
    let main = async |mesh: Mesh<Fragile>| {
        mesh.stopping().await;
        Ok(())
    };
    let node = launch(&options, init(&Log::default()), main).unwrap();
    let handle = node.handle();
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        assert_eq!(
            handle.call(ShardId::new(1), 13).wait(),
            Err(CallError::Panicked)
        );
        seen.push(began.elapsed());
        assert_eq!(handle.call(ShardId::new(1), 14).wait(), Ok(14));
    }
    seen.sort_unstable();
    // Generous: tests share their machine, and the first panics print their backtraces.
    assert!(seen[ROUNDS / 2] < Duration::from_millis(100), "{seen:?}");
    node.stop();
    node.join().unwrap();
}
