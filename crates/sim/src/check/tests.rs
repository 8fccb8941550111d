//! Histories that are known to be possible and known not to be, and random ones against every order there is.

use super::{End, Model, Op, Verdict, check, shrink};

/// One number that can be read, set and exchanged.
struct Cell;

/// The numbers as values.
const NUMBERS: [u8; 256] = {
    let mut numbers = [0; 256];
    let mut n = 0;
    while n < 256 {
        numbers[n] = n as u8;
        n += 1;
    }
    numbers
};

fn value(number: u8) -> Vec<&'static [u8]> {
    vec![&NUMBERS[usize::from(number)..][..1]]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Read,
    /// Answers 0.
    Set(u8),
    /// Answers what was there.
    Swap(u8),
}

impl Model for Cell {
    type State = u8;
    type Action = Action;
    type Reply = u8;

    fn step(state: &u8, action: &Action, reply: Option<&u8>) -> Option<u8> {
        let (after, answer) = match action {
            Action::Read => (*state, *state),
            Action::Set(value) => (*value, 0),
            Action::Swap(value) => (*value, *state),
        };
        reply.is_none_or(|reply| *reply == answer).then_some(after)
    }

    fn is_inert(action: &Action, _: Option<&u8>) -> bool {
        matches!(action, Action::Read)
    }

    fn values(state: &u8) -> Vec<&[u8]> {
        value(*state)
    }

    fn seen<'a>(action: &'a Action, reply: &'a u8) -> Vec<&'a [u8]> {
        match action {
            Action::Read | Action::Swap(_) => value(*reply),
            Action::Set(_) => Vec::new(),
        }
    }

    fn may_make(action: &Action, _: Option<&u8>, made: &[u8]) -> bool {
        matches!(action, Action::Set(number) | Action::Swap(number) if *number == made[0])
    }
}

type CellOp = Op<Action, u8>;

const BOUND: usize = 100_000;

/// `process called-over action -> reply`, such as `1 0-5 swap 3 -> 0`; without a reply it is done by then, without
/// an end (`1 0- set 3`) nobody knows.
fn op(line: &str) -> CellOp {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (called, over) = words[1].split_once('-').expect("called-over");
    let number = |word: &str| word.parse::<u8>().expect("a number");
    let (action, rest) = match words[2] {
        "read" => (Action::Read, &words[3..]),
        "set" => (Action::Set(number(words[3])), &words[4..]),
        "swap" => (Action::Swap(number(words[3])), &words[4..]),
        other => panic!("no action '{other}'"),
    };
    let at_ns = over.parse().ok();
    let end = match (at_ns, rest) {
        (Some(at_ns), ["->", reply]) => End::Replied {
            at_ns,
            reply: number(reply),
        },
        (Some(by_ns), _) => End::Done { by_ns },
        (None, _) => End::Open,
    };
    Op {
        process: words[0].parse().expect("a process"),
        called_ns: called.parse().expect("a time"),
        action,
        end,
    }
}

fn history(lines: &[&str]) -> Vec<CellOp> {
    lines.iter().map(|line| op(line)).collect()
}

#[test]
fn known_histories() {
    #[track_caller]
    fn possible(lines: &[&str]) {
        let verdict = check::<Cell>(&0, &history(lines), BOUND);
        assert_eq!(verdict, Verdict::Linearizable, "{lines:?}");
    }
    #[track_caller]
    fn impossible(lines: &[&str]) {
        let verdict = check::<Cell>(&0, &history(lines), BOUND);
        assert!(matches!(verdict, Verdict::Impossible(_)), "{lines:?}");
    }
    possible(&[]);
    possible(&["1 0-1 read -> 0"]);
    impossible(&["1 0-1 read -> 1"]);
    // Overlapping calls may fall either way, but one way for all.
    possible(&["1 0-9 set 1 -> 0", "2 1-2 read -> 0", "2 3-4 read -> 1"]);
    possible(&["1 0-9 set 1 -> 0", "2 1-2 read -> 1", "3 3-4 read -> 1"]);
    // A read that goes back in time.
    impossible(&["1 0-9 set 1 -> 0", "2 1-2 read -> 1", "2 3-4 read -> 0"]);
    impossible(&["1 0-9 set 1 -> 0", "2 1-2 read -> 1", "3 3-4 read -> 0"]);
    // A stale read, after the write was over.
    impossible(&["1 0-1 set 1 -> 0", "2 2-3 read -> 0"]);
    // A read of what was not written yet.
    impossible(&["2 0-1 read -> 1", "1 2-3 set 1 -> 0"]);
    // A lost update: both saw the same.
    impossible(&["1 0-9 swap 1 -> 0", "2 0-9 swap 2 -> 0"]);
    possible(&["1 0-9 swap 1 -> 0", "2 0-9 swap 2 -> 1"]);
    // Two clients that saw two writes in two orders.
    impossible(&[
        "1 0-9 set 1 -> 0",
        "2 0-9 set 2 -> 0",
        "3 0-1 read -> 1",
        "3 2-3 read -> 2",
        "4 0-1 read -> 2",
        "4 2-3 read -> 1",
    ]);
    // A write that was lost.
    impossible(&["1 0-1 set 1 -> 0", "1 2-3 set 2 -> 0", "1 4-5 read -> 1"]);
}

#[test]
fn a_pipeline_keeps_its_order() {
    let verdict = |process: u32| {
        let mut late = history(&["1 0-9 set 1 -> 0", "1 0-9 read -> 0"]);
        late[1].process = process;
        check::<Cell>(&0, &late, BOUND)
    };
    assert!(matches!(verdict(1), Verdict::Impossible(_)));
    assert_eq!(verdict(2), Verdict::Linearizable);
}

#[test]
fn what_nobody_knows_may_happen_late_or_never_but_in_order() {
    #[track_caller]
    fn check_lines(lines: &[&str], expected: bool) {
        let verdict = check::<Cell>(&0, &history(lines), BOUND);
        assert_eq!(verdict == Verdict::Linearizable, expected, "{lines:?}");
    }
    check_lines(&["1 0- set 1", "2 1-2 read -> 0"], true);
    check_lines(&["1 0- set 1", "2 1-2 read -> 1"], true);
    check_lines(
        &["1 0- set 1", "2 1-2 read -> 0", "2 50-60 read -> 1"],
        true,
    );
    check_lines(&["1 0- set 1", "2 1-2 read -> 1", "2 3-4 read -> 0"], false);
    check_lines(&["1 5- set 1", "2 1-2 read -> 1"], false);
    // The second of a broken pipeline only after the first.
    check_lines(&["1 0- set 1", "1 0- set 2", "2 1-2 read -> 2"], true);
    let back = [
        "1 0- set 1",
        "1 0- set 2",
        "2 1-2 read -> 2",
        "2 3-4 read -> 1",
    ];
    check_lines(&back, false);
    // Done without a reply: it did happen.
    check_lines(&["1 0-1 swap 1", "2 2-3 read -> 0"], false);
    check_lines(&["1 0-1 swap 1", "2 2-3 read -> 1"], true);
}

#[test]
fn what_cannot_be_told_in_bounds_is_not_told() {
    let writes: Vec<CellOp> = (1..12)
        .map(|n| op(&format!("{n} 0-9 set {n} -> 0")))
        .chain([op("90 20-21 read -> 99")])
        .collect();
    assert_eq!(check::<Cell>(&0, &writes, 50), Verdict::Undecided);
}

#[test]
fn an_impossible_history_says_how_far_it_came() {
    let lines = history(&["1 0-1 set 1 -> 0", "2 2-3 read -> 1", "2 4-5 read -> 7"]);
    let Verdict::Impossible(why) = check::<Cell>(&0, &lines, BOUND) else {
        panic!("nobody wrote 7");
    };
    assert_eq!((why.order, why.state, why.stuck), (vec![0, 1], 1, vec![2]));
}

#[test]
fn shrinking_keeps_what_matters() {
    let lines = history(&[
        "1 0-1 set 1 -> 0",
        "2 0-2 read -> 0",
        "3 3-4 read -> 1",
        "1 5-6 set 2 -> 0",
        "4 7-8 read -> 1",
        "1 9-12 set 3 -> 0",
        "2 10-14 read -> 3",
    ]);
    let shrunk = shrink::<Cell>(&0, &lines, BOUND).expect("a stale read");
    let left: Vec<(u32, Action)> = shrunk
        .history
        .iter()
        .map(|o| (o.process, o.action))
        .collect();
    assert_eq!(
        left,
        [(1, Action::Set(1)), (1, Action::Set(2)), (4, Action::Read)]
    );
    assert!(
        shrunk.history[0].end.reply().is_none(),
        "its reply plays no part"
    );
    assert!(shrink::<Cell>(&0, &lines[..3], BOUND).is_none());
}

/// Every order in keeping with times and processes, tried one by one.
fn by_every_order(state: u8, left: &[CellOp]) -> bool {
    if left.iter().all(|op| op.end.is_open()) {
        return true;
    }
    let first_over_ns = left.iter().map(|op| op.end.over_ns()).min().unwrap_or(0);
    (0..left.len()).any(|index| {
        let op = &left[index];
        let first_of_its_process = left[..index].iter().all(|o| o.process != op.process);
        let next = Cell::step(&state, &op.action, op.end.reply());
        let mut rest = left.to_vec();
        rest.remove(index);
        op.called_ns <= first_over_ns
            && first_of_its_process
            && next.is_some_and(|next| by_every_order(next, &rest))
    })
}

#[test]
fn random_histories_as_by_every_order() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut possible = 0;
    const TRIES: usize = 8_000;
    for _ in 0..TRIES {
        let lines = random(&mut rng);
        let verdict = check::<Cell>(&0, &lines, BOUND);
        let expected = by_every_order(0, &lines);
        assert_eq!(verdict == Verdict::Linearizable, expected, "{lines:#?}");
        assert_ne!(verdict, Verdict::Undecided);
        if let Verdict::Impossible(_) = verdict {
            let shrunk = shrink::<Cell>(&0, &lines, BOUND).expect("impossible");
            assert!(!by_every_order(0, &shrunk.history), "{lines:#?}");
        }
        possible += usize::from(expected);
    }
    let share = possible * 100 / TRIES;
    assert!(
        (15..=85).contains(&share),
        "{share} % are possible: too easy"
    );
}

/// A few operations of a few processes, with replies that are plausible and not always right.
fn random(rng: &mut fastrand::Rng) -> Vec<CellOp> {
    let mut lines = Vec::new();
    for process in 0..rng.u32(1..4) {
        let mut now = rng.u64(0..6);
        let mut over = now;
        for _ in 0..rng.u32(1..4) {
            let action = match rng.u8(0..3) {
                0 => Action::Read,
                1 => Action::Set(rng.u8(1..3)),
                _ => Action::Swap(rng.u8(1..3)),
            };
            // Pipelined with the one before, or after its end.
            now = if rng.bool() { now } else { over + 1 };
            over = over.max(now) + rng.u64(0..6);
            let reply = match action {
                Action::Set(_) => 0,
                _ => rng.u8(0..3),
            };
            let end = match rng.u8(0..8) {
                0 => End::Done { by_ns: over },
                _ => End::Replied { at_ns: over, reply },
            };
            lines.push(Op {
                process,
                called_ns: now,
                action,
                end,
            });
        }
        if rng.u8(0..4) == 0 {
            // The connection broke: from somewhere on nobody knows.
            let own = lines.iter_mut().filter(|op| op.process == process);
            let from = rng.usize(0..3);
            own.skip(from).for_each(|op| op.end = End::Open);
        }
    }
    lines
}

/// Broken registers, as a server might have them, against honest ones: the checker must tell them apart.
#[test]
fn broken_registers_are_caught() {
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        None,
        /// Reads come from a copy that is refreshed only now and then.
        StaleReads,
        /// Some writes are answered and not done.
        LostWrites,
        /// Exchanges read first and write later.
        TornSwaps,
        /// Some writes are done twice.
        LateRepeats,
    }
    let run = |fault: Fault, seed: u64| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut state, mut copy, mut lines) = (0, 0, Vec::new());
        let mut late: Vec<u8> = Vec::new();
        for step in 0..60 {
            let now = step * 10;
            // Two processes at once, each with its own moment of effect between call and return.
            let mut pair: Vec<(u32, Action)> = (0..2)
                .map(|process| {
                    let value = rng.u8(1..250);
                    let action = match rng.u8(0..3) {
                        0 => Action::Read,
                        1 => Action::Set(value),
                        _ => Action::Swap(value),
                    };
                    (process, action)
                })
                .collect();
            rng.shuffle(&mut pair);
            let before = state;
            for (process, action) in pair {
                let seen = match fault {
                    Fault::StaleReads if action == Action::Read => copy,
                    Fault::TornSwaps => before,
                    _ => state,
                };
                let reply = if let Action::Set(_) = action { 0 } else { seen };
                match action {
                    Action::Set(_) if matches!(fault, Fault::LostWrites) && rng.u8(0..3) == 0 => {}
                    Action::Set(value) | Action::Swap(value) => state = value,
                    Action::Read => {}
                }
                if let (Fault::LateRepeats, Action::Set(value)) = (fault, action) {
                    late.push(value);
                }
                let at_ns = now + 9;
                lines.push(Op {
                    process,
                    called_ns: now,
                    action,
                    end: End::Replied { at_ns, reply },
                });
            }
            if rng.u8(0..4) == 0 {
                copy = state;
                state = late.pop().unwrap_or(state);
            }
        }
        check::<Cell>(&0, &lines, BOUND)
    };
    const SEEDS: u64 = 20;
    for seed in 0..SEEDS {
        assert_eq!(run(Fault::None, seed), Verdict::Linearizable, "seed {seed}");
    }
    for fault in [
        Fault::StaleReads,
        Fault::LostWrites,
        Fault::TornSwaps,
        Fault::LateRepeats,
    ] {
        let caught = (0..SEEDS).filter(|seed| matches!(run(fault, *seed), Verdict::Impossible(_)));
        let caught = caught.count();
        assert!(caught >= 18, "{fault:?}: {caught} of {SEEDS}");
    }
}
