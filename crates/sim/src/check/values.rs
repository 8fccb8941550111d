//! Values that must not be lost yet. Where a value has been seen by an operation that is not placed so far, and
//! nothing that is left can make it, a choice that wipes it out leads nowhere, however long it is followed.

use std::collections::HashMap;

use super::history::Op;
use super::model::Model;
use super::search::Line;

/// Which values are still to be seen, and which can still be made, by position in each line.
pub(super) struct Values<'a> {
    numbers: HashMap<&'a [u8], usize>,
    /// For each value and line: the position after the last operation that sees it, and after the last that may
    /// make it.
    last: Vec<Vec<Last>>,
}

#[derive(Clone, Copy, Default)]
struct Last {
    seen: u32,
    made: u32,
}

impl<'a> Values<'a> {
    pub(super) fn of<M: Model>(history: &'a [Op<M::Action, M::Reply>], lines: &[Line]) -> Self {
        let mut numbers: HashMap<&[u8], usize> = HashMap::new();
        for value in history.iter().flat_map(seen::<M>) {
            let next = numbers.len();
            numbers.entry(value).or_insert(next);
        }
        let mut last = vec![vec![Last::default(); lines.len()]; numbers.len()];
        for (number, line) in lines.iter().enumerate() {
            for (at, op) in line.ops.iter().enumerate() {
                let op = &history[*op];
                for value in seen::<M>(op) {
                    last[numbers[value]][number].seen = at as u32 + 1;
                }
                for (value, index) in &numbers {
                    if M::may_make(&op.action, op.end.reply(), value) {
                        last[*index][number].made = at as u32 + 1;
                    }
                }
            }
        }
        Self { numbers, last }
    }

    /// Whether going from one state to another loses a value that what is left from `at` needs.
    pub(super) fn loses<M: Model>(&self, before: &M::State, after: &M::State, at: &[u32]) -> bool {
        let left = M::values(after);
        let gone = M::values(before)
            .into_iter()
            .filter(|value| !left.contains(value));
        gone.filter_map(|value| self.numbers.get(value))
            .any(|number| {
                let lines = || self.last[*number].iter().zip(at);
                lines().any(|(last, at)| last.seen > *at)
                    && !lines().any(|(last, at)| last.made > *at)
            })
    }
}

fn seen<M: Model>(op: &Op<M::Action, M::Reply>) -> Vec<&[u8]> {
    let reply = op.end.reply();
    reply.map_or(Vec::new(), |reply| M::seen(&op.action, reply))
}
