//! From a history that cannot be to a smaller one that cannot be either. Every step takes something away that
//! could only make the history harder to explain, so that what is left is still a true accusation:
//! the end is cut off, operations that change nothing are left out, replies are forgotten.

use super::history::{End, Op};
use super::model::Model;
use super::search::{Impossible, Verdict, counted};

/// A smaller history, and why it is impossible.
#[derive(Clone, Debug)]
pub struct Shrunk<M: Model> {
    /// What is left of the history.
    pub history: Vec<Op<M::Action, M::Reply>>,
    /// How far the best order of it comes.
    pub why: Impossible<M::State>,
}

/// Shrinks an impossible history. Seeing that it is impossible may take `bound` configurations.
///
/// `None` if `history` was not found impossible within the bound.
pub fn shrink<M: Model>(
    start: &M::State,
    history: &[Op<M::Action, M::Reply>],
    bound: usize,
) -> Option<Shrunk<M>> {
    let (verdict, took) = counted::<M>(start, history, bound);
    let Verdict::Impossible(why) = verdict else {
        return None;
    };
    let mut shrinking = Shrinking {
        start,
        best: Shrunk {
            history: history.to_vec(),
            why,
        },
        took,
        left: ALL_TRIES,
    };
    shrinking.cut();
    shrinking.leave_out();
    shrinking.forget();
    shrinking.leave_out();
    Some(shrinking.best)
}

struct Shrinking<'a, M: Model> {
    start: &'a M::State,
    best: Shrunk<M>,
    /// Configurations that it took to see that the best is impossible.
    took: usize,
    /// Configurations that may still be looked at.
    left: usize,
}

/// A try that takes so many times what the best took so far is given up: it is hardly on the way to a clear story.
const WORTH: usize = 4;

/// What all tries together may take.
const ALL_TRIES: usize = 100_000;

/// What any try may take.
const ALWAYS: usize = 1_000;

impl<M: Model> Shrinking<'_, M> {
    /// Keeps `history` if it is impossible; whether it is.
    fn attempt(&mut self, history: Vec<Op<M::Action, M::Reply>>) -> bool {
        let bound = (self.took * WORTH + ALWAYS).min(self.left);
        let (verdict, took) = counted::<M>(self.start, &history, bound);
        self.left -= took.min(self.left);
        let Verdict::Impossible(why) = verdict else {
            return false;
        };
        self.best = Shrunk { history, why };
        self.took = took;
        true
    }

    /// Ends the history at the earliest moment at which it is impossible already.
    fn cut(&mut self) {
        let mut ends: Vec<u64> = self
            .best
            .history
            .iter()
            .map(|op| op.end.over_ns())
            .collect();
        ends.sort_unstable();
        ends.dedup();
        // What is impossible by some moment is impossible at every later one.
        let (mut low, mut high) = (0, ends.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.attempt(until(&self.best.history, ends[middle])) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
    }

    /// Leaves out what changes nothing, as far as the rest stays impossible.
    fn leave_out(&mut self) {
        for index in (0..self.best.history.len()).rev() {
            let op = &self.best.history[index];
            if M::is_inert(&op.action, op.end.reply()) {
                let mut without = self.best.history.clone();
                without.remove(index);
                self.attempt(without);
            }
        }
    }

    /// Forgets replies, as far as the rest stays impossible.
    fn forget(&mut self) {
        for index in (0..self.best.history.len()).rev() {
            if let End::Replied { at_ns, .. } = self.best.history[index].end {
                let mut without = self.best.history.clone();
                without[index].end = End::Done { by_ns: at_ns };
                self.attempt(without);
            }
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
