//! The pool against the same work by a loop, on threads and in the simulator.

use std::collections::HashMap;

use corelane::pool::{To, WorkerPool};
use corelane::sim::{World, WorldOptions};
use corelane_example_keyed::processor::{Processor, Report, Work};
use corelane_example_keyed::series::{Series, Verdict};
use corelane_example_keyed::source::{Reading, readings};

const SENSORS: u32 = 300;
const EACH: u64 = 200;

fn by_a_loop(readings: impl Iterator<Item = Reading>) -> Report {
    let mut all: HashMap<u32, Series> = HashMap::new();
    let mut report = Report::default();
    for reading in readings {
        match all
            .entry(reading.sensor)
            .or_default()
            .take(reading.number, reading.value)
        {
            Verdict::Normal => report.normal += 1,
            Verdict::Outlier => report.outliers += 1,
            Verdict::OutOfOrder => report.out_of_order += 1,
        }
    }
    report.sensors = all.len() as u64;
    report
}

fn work(seed: u64) -> impl Iterator<Item = ([u8; 4], Work)> {
    readings(SENSORS, EACH, seed).map(|reading| (reading.key(), Work::Process(reading)))
}

#[test]
fn a_pool_finds_what_a_loop_finds() {
    for workers in 1..=4 {
        let seed = workers as u64;
        let expected = by_a_loop(readings(SENSORS, EACH, seed));
        assert!(
            expected.outliers > 0 && expected.out_of_order == 0,
            "{expected:?}"
        );

        let pool = WorkerPool::builder()
            .workers(workers)
            .spawn(|_| Processor)
            .expect("it starts");
        pool.send_many_blocking(work(seed)).expect("it runs");
        let reports = pool.call_all_blocking(|_| Work::Report).into_iter();
        let reports: Vec<Report> = reports.map(|report| report.expect("it runs")).collect();
        assert!(
            reports.iter().all(|report| report.sensors > 0),
            "{reports:?}"
        );
        assert_eq!(
            reports.into_iter().sum::<Report>(),
            expected,
            "{workers} workers"
        );

        // A reading that comes again is known wherever it comes from.
        let again = readings(1, 1, seed).next().expect("one");
        let report = pool.call_blocking(To::Key(&again.key()), Work::Process(again));
        assert_eq!(report.expect("it runs").out_of_order, 1);
        pool.stop_all().expect("it ends well");
    }
}

#[test]
fn in_the_simulator_too() {
    for seed in 0..10 {
        let expected = by_a_loop(readings(SENSORS, 20, seed));
        let world = World::new(seed, WorldOptions::default());
        let pool = WorkerPool::builder().workers(1 + seed as usize % 4);
        let pool = pool.spawn_sim(&world, |_| Processor).expect("it starts");
        let handle = pool.handle();
        let place = world.shard(100, "sender");
        let sum = world.block_on(place, async move {
            let work = readings(SENSORS, 20, seed);
            let work = work.map(|reading| (reading.key(), Work::Process(reading)));
            handle.send_many(work).await.expect("it runs");
            let reports = handle.call_all(|_| Work::Report).await.into_iter();
            let sum: Report = reports.map(|report| report.expect("it runs")).sum();
            handle.stop().await.expect("it ends well");
            sum
        });
        assert_eq!(
            sum.unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}")),
            expected
        );
    }
}
