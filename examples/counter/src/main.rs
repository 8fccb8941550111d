//! A tour of a worker's life.
#![forbid(unsafe_code)]

use std::time::Duration;

use corelane::worker::{self, DeadLetter, OnFailure, WorkerConfig};
use corelane_example_counter::{Count, Counter};

/// A small mailbox, so that it is seen to be full.
const QUEUE: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let counter = Counter::default();
    let config = WorkerConfig {
        queue: QUEUE,
        on_failure: OnFailure::dead_letter(tell).keep_copies(),
        ..WorkerConfig::default()
    };
    let worker = worker::spawn(counter.clone(), config)?;

    println!("— a thousand messages, waiting for room where the mailbox of {QUEUE} is full");
    for by in 1..=1000 {
        worker.send_blocking(Count::Add(by))?;
    }
    println!("  the sum is {}", worker.call_blocking(Count::Read)?);

    println!("— a paused worker still gives a sign of life, and its mailbox fills");
    worker.pause().wait().map_err(words)?;
    println!("  ping: {:?}", worker.ping().wait().map_err(words)?);
    let sent = (0..)
        .find(|_| worker.try_send(Count::Add(1)).is_err())
        .unwrap_or_default();
    println!(
        "  {sent} messages fit, then: {}",
        refusal(worker.try_send(Count::Add(1)))
    );
    let limit = Duration::from_millis(20);
    println!(
        "  and after {limit:?}: {}",
        refusal(worker.send_timeout(Count::Add(1), limit))
    );
    worker.resume().wait().map_err(words)?;
    println!(
        "  resumed, the sum is {}",
        worker.call_blocking(Count::Read)?
    );

    println!(
        "— a message that fails, and one that panics: both are told of, and the next state begins at 0"
    );
    let failed = worker.call_blocking(Count::Add(i64::MAX));
    println!(
        "  the caller hears: {}",
        failed.map_or_else(|fault| fault.to_string(), |sum| sum.to_string())
    );
    worker.send_blocking(Count::Panic)?;
    println!("  the sum is {}", worker.call_blocking(Count::Read)?);

    println!("— a stop handles what waits");
    worker.pause().wait().map_err(words)?;
    for _ in 0..QUEUE {
        worker.send_blocking(Count::Add(1))?;
    }
    worker.stop()?;
    println!("  the last sum was {}", counter.last_sum());
    println!("  {:?}", worker.stats());
    Ok(())
}

fn tell(letter: DeadLetter<Count>) {
    println!("  dead letter: {:?}: {}", letter.message, letter.reason);
}

fn words(refusal: impl std::fmt::Display) -> String {
    refusal.to_string()
}

fn refusal<E: std::fmt::Display>(sent: Result<(), E>) -> String {
    sent.map_or_else(|refused| refused.to_string(), |()| "sent".to_owned())
}
