//! The disciplines, the interleaved rounds, and the table they end in.

use crate::load::{Load, Payload};
use crate::peers::{self, Peer};

/// Values of one one-way measurement: some tens of milliseconds.
const VALUES: u64 = 1 << 20;

/// Rounds there and back of one measurement.
const HOPS: u64 = 5_000;

/// What is done with a channel.
#[derive(Clone, Copy)]
enum Way {
    /// So many senders and receivers, one direction.
    Flow(usize, usize),
    /// There and back.
    Rounds,
}

struct Discipline {
    name: String,
    way: Way,
    peers: Vec<Peer>,
}

/// Measures everything whose name contains `filter` and prints the table.
pub(crate) fn run(rounds: usize, filter: &str) {
    let mut disciplines = of_size::<u64>();
    disciplines.extend(of_size::<[u64; 8]>());
    disciplines.retain(|discipline| discipline.name.contains(filter));
    println!("| what | channel | waits as | ns | M/s | ours is |");
    println!("|---|---|---|---|---|---|");
    for discipline in &disciplines {
        print(discipline, &measure(discipline, rounds));
    }
}

fn of_size<T: Payload>() -> Vec<Discipline> {
    type Peers = fn() -> Vec<Peer>;
    let rows: [(&str, Way, Peers); 12] = [
        ("spsc one way", Way::Flow(1, 1), peers::single::<T>),
        ("spsc in batches", Way::Flow(1, 1), peers::batches::<T>),
        ("spsc hop", Way::Rounds, peers::single::<T>),
        (
            "spsc unbounded",
            Way::Flow(1, 1),
            peers::single_unbounded::<T>,
        ),
        ("mpsc one way, 1 to 1", Way::Flow(1, 1), peers::inbox::<T>),
        ("mpsc one way, 4 to 1", Way::Flow(4, 1), peers::inbox::<T>),
        ("mpsc hop", Way::Rounds, peers::inbox::<T>),
        (
            "mpsc unbounded, 1 to 1",
            Way::Flow(1, 1),
            peers::inbox_unbounded::<T>,
        ),
        (
            "mpsc unbounded, 4 to 1",
            Way::Flow(4, 1),
            peers::inbox_unbounded::<T>,
        ),
        ("mpmc one way, 1 to 1", Way::Flow(1, 1), peers::queue::<T>),
        ("mpmc one way, 4 to 4", Way::Flow(4, 4), peers::queue::<T>),
        ("mpmc hop", Way::Rounds, peers::queue::<T>),
    ];
    rows.into_iter()
        .map(|(name, way, peers)| Discipline {
            name: format!("{name}, {} B", T::BYTES),
            way,
            peers: peers(),
        })
        .collect()
}

/// Medians in nanoseconds, one per contestant.
fn measure(discipline: &Discipline, rounds: usize) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(rounds); discipline.peers.len()];
    for _ in 0..rounds {
        for (peer, samples) in discipline.peers.iter().zip(&mut samples) {
            samples.push(match discipline.way {
                Way::Flow(senders, receivers) => (peer.flow)(Load {
                    values: VALUES,
                    senders,
                    receivers,
                }),
                Way::Rounds => (peer.rounds)(HOPS),
            });
        }
    }
    samples.into_iter().map(median).collect()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// One line per contestant. "Ours is 1.20" says that ours moves 1.2 times as many in the same time as
/// that contestant, waiting the same way.
fn print(discipline: &Discipline, medians: &[f64]) {
    for (peer, &nanos) in discipline.peers.iter().zip(medians) {
        let ours = discipline
            .peers
            .iter()
            .position(|ours| ours.name.starts_with("corelane") && alike(ours, peer));
        let ours = ours.map_or(medians[0], |ours| medians[ours]);
        println!(
            "| {} | {} | {} | {nanos:.1} | {:.1} | {:.2} |",
            discipline.name,
            peer.name,
            if peer.is_async { "task" } else { "thread" },
            1e3 / nanos,
            nanos / ours,
        );
    }
}

/// Whether two contestants wait in the same way.
fn alike(one: &Peer, other: &Peer) -> bool {
    let spins = |peer: &Peer| peer.name.ends_with("spinning");
    one.is_async == other.is_async && spins(one) == spins(other)
}
