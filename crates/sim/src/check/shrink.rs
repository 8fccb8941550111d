//! From a history that cannot be to a smaller one that cannot be either. Every step takes something away that
//! could only make the history harder to explain, so that what is left is still a true accusation:
//! the end is cut off, operations that change nothing are left out, replies are forgotten.

use super::history::{End, Op};
use super::model::Model;
use super::search::{Impossible, Verdict, check};

/// A smaller history, and why it is impossible.
#[derive(Clone, Debug)]
pub struct Shrunk<M: Model> {
    /// What is left of the history.
    pub history: Vec<Op<M::Action, M::Reply>>,
    /// How far the best order of it comes.
    pub why: Impossible<M::State>,
}

/// Shrinks an impossible history; each try looks at no more than `bound` configurations.
///
/// `None` if `history` was not found impossible within the bound.
pub fn shrink<M: Model>(
    start: &M::State,
    history: &[Op<M::Action, M::Reply>],
    bound: usize,
) -> Option<Shrunk<M>> {
    let mut shrunk = attempt::<M>(start, history.to_vec(), bound)?;
    cut(start, &mut shrunk, bound);
    leave_out(start, &mut shrunk, bound);
    forget(start, &mut shrunk, bound);
    leave_out(start, &mut shrunk, bound);
    Some(shrunk)
}

fn attempt<M: Model>(
    start: &M::State,
    history: Vec<Op<M::Action, M::Reply>>,
    bound: usize,
) -> Option<Shrunk<M>> {
    match check::<M>(start, &history, bound) {
        Verdict::Impossible(why) => Some(Shrunk { history, why }),
        Verdict::Linearizable | Verdict::Undecided => None,
    }
}

/// Ends the history at the earliest moment at which it is impossible already.
fn cut<M: Model>(start: &M::State, shrunk: &mut Shrunk<M>, bound: usize) {
    let mut ends: Vec<u64> = shrunk.history.iter().map(|op| op.end.over_ns()).collect();
    ends.sort_unstable();
    ends.dedup();
    // What is impossible by some moment is impossible at every later one.
    let (mut low, mut high) = (0, ends.len());
    while low < high {
        let middle = (low + high) / 2;
        match attempt::<M>(start, until(&shrunk.history, ends[middle]), bound) {
            Some(smaller) => {
                *shrunk = smaller;
                high = middle;
            }
            None => low = middle + 1,
        }
    }
}

/// The history as it was known at a moment.
fn until<A: Clone, R: Clone>(history: &[Op<A, R>], end_ns: u64) -> Vec<Op<A, R>> {
    let mut known: Vec<Op<A, R>> = history
        .iter()
        .filter(|op| op.called_ns <= end_ns)
        .cloned()
        .collect();
    for op in &mut known {
        if op.end.over_ns() > end_ns {
            op.end = End::Open;
        }
    }
    known
}

/// Leaves out what changes nothing, as far as the rest stays impossible.
fn leave_out<M: Model>(start: &M::State, shrunk: &mut Shrunk<M>, bound: usize) {
    for index in (0..shrunk.history.len()).rev() {
        let op = &shrunk.history[index];
        if !M::is_inert(&op.action, op.end.reply()) {
            continue;
        }
        let mut without = shrunk.history.clone();
        without.remove(index);
        if let Some(smaller) = attempt::<M>(start, without, bound) {
            *shrunk = smaller;
        }
    }
}

/// Forgets replies, as far as the rest stays impossible.
fn forget<M: Model>(start: &M::State, shrunk: &mut Shrunk<M>, bound: usize) {
    for index in (0..shrunk.history.len()).rev() {
        let End::Replied { at_ns, .. } = shrunk.history[index].end else {
            continue;
        };
        let mut without = shrunk.history.clone();
        without[index].end = End::Done { by_ns: at_ns };
        if let Some(smaller) = attempt::<M>(start, without, bound) {
            *shrunk = smaller;
        }
    }
}
