//! Many wanderers and an operator, until the server has counted enough moves.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Instant;

use crate::operator::Operator;
use crate::report::Report;
use crate::wanderer::{Orders, live};
use crate::wire::{Connect, Line};

/// How many, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Moves that the server is to count from now on.
    pub moves: u64,
    /// Clients; each second one speaks RESP3.
    pub clients: usize,
    /// Shards that keep clients.
    pub shards: usize,
    /// For all that is chosen at random.
    pub seed: u64,
}

/// Lets clients wander. `ways` are taken in turn: one for plain connections, one for encrypted ones, and so on.
/// Everybody is connected until all have had their last reply, so that moves can be counted twice.
///
/// # Panics
/// If there is no way to connect.
#[must_use]
pub fn wander(options: &Options, ways: &[&Connect<'_>]) -> Report {
    let began = Instant::now();
    let ids: Vec<AtomicI64> = (0..options.clients).map(|_| AtomicI64::new(0)).collect();
    let enough = AtomicBool::new(false);
    let together = Barrier::new(options.clients + 1);
    let mut report = thread::scope(|scope| {
        let (ids, enough, together) = (&ids, &enough, &together);
        let client = |number: usize| {
            let connect = ways[number % ways.len()];
            let orders = Orders {
                seed: options.seed.wrapping_add(number as u64),
                number,
                shards: options.shards,
                enough,
                id: &ids[number],
            };
            scope.spawn(move || live(connect().map(Line::new), &orders, together))
        };
        let clients: Vec<_> = (0..options.clients).map(client).collect();
        let mut report = oversee(options, ways[0], ids, enough, together);
        for client in clients {
            let seen = client.join();
            report.add(seen.unwrap_or_else(|_| failed("a client panicked".to_owned())));
        }
        report
    });
    report.took = began.elapsed();
    report
}

/// The operator's part, from the moment when everybody has a number to when everybody may go.
fn oversee(
    options: &Options,
    connect: &Connect<'_>,
    ids: &[AtomicI64],
    enough: &AtomicBool,
    together: &Barrier,
) -> Report {
    let line = connect().map(Line::new);
    let line = line.map_err(|error| format!("the operator cannot connect: {error}"));
    let mut operator = line.and_then(|line| Operator::new(line, options.seed));
    together.wait();
    let conducted = operator.as_mut().map_err(|problem| problem.clone());
    let conducted = conducted.and_then(|operator| operator.conduct(ids, options, enough));
    enough.store(true, Ordering::Relaxed);
    together.wait();
    let counted = match (&mut operator, conducted) {
        (Ok(operator), Ok(())) => operator.count(ids),
        (_, Err(problem)) => Err(problem),
        (Err(problem), _) => Err(problem.clone()),
    };
    together.wait();
    counted.unwrap_or_else(|problem| failed(format!("the operator: {problem}")))
}

fn failed(problem: String) -> Report {
    Report {
        wrong: vec![problem],
        ..Report::default()
    }
}
