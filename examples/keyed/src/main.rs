//! Processes made-up readings on a pool of workers, and tells what they found.
#![forbid(unsafe_code)]

use std::time::Instant;

use clap::Parser;
use corelane::pool::WorkerPool;
use corelane_example_keyed::processor::{Processor, Report, Work};
use corelane_example_keyed::source::readings;

/// Readings of sensors, processed by key on a pool of workers.
#[derive(Parser)]
struct Args {
    /// Sensors.
    #[arg(long, default_value_t = 10_000)]
    sensors: u32,
    /// Readings of each.
    #[arg(long, default_value_t = 500)]
    each: u64,
    /// The readings follow from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Workers; as many as this machine has room for by default.
    #[arg(long)]
    workers: Option<usize>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What goes wrong, and not how the pool comes and goes.
    let errors = tracing_subscriber::filter::LevelFilter::ERROR;
    tracing_subscriber::fmt().with_max_level(errors).init();
    let args = Args::parse();
    let pool = match args.workers {
        // Nothing to configure: the plan of this machine says how many, and where.
        None => WorkerPool::auto(|_| Processor)?,
        Some(workers) => WorkerPool::builder()
            .workers(workers)
            .spawn(|_| Processor)?,
    };
    let workers = pool.workers();
    println!(
        "{workers} workers process {} readings of {} sensors",
        u64::from(args.sensors) * args.each,
        args.sensors
    );

    let began = Instant::now();
    let work = readings(args.sensors, args.each, args.seed);
    pool.send_many_blocking(work.map(|reading| (reading.key(), Work::Process(reading))))?;
    let reports: Vec<Report> = pool
        .call_all_blocking(|_| Work::Report)
        .into_iter()
        .collect::<Result<_, _>>()?;
    let took = began.elapsed();
    for (worker, report) in reports.iter().enumerate() {
        println!("worker {worker}: {report:?}");
    }
    let sum: Report = reports.into_iter().sum();
    println!("together: {sum:?}");
    let processed = sum.normal + sum.outliers + sum.out_of_order;
    println!(
        "{:.1} million readings a second",
        processed as f64 / took.as_secs_f64() / 1e6
    );
    pool.stop_all()?;
    Ok(())
}
