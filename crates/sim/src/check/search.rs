//! The search for an order. Depth first, the operation that was over first is tried first, so that a good history
//! is mostly read off from start to end; a bound on the configurations makes a bad one end as well.

use std::cmp::Reverse;
use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::history::Op;
use super::model::Model;
use super::values::Values;

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<S> {
    /// There is an order that explains every reply.
    Linearizable,
    /// There is none.
    Impossible(Impossible<S>),
    /// More configurations than allowed would have to be looked at.
    Undecided,
}

/// How far the best order came before nothing fitted any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impossible<S> {
    /// Operations in the order that explains most, as indices into the history.
    pub order: Vec<usize>,
    /// The state after them.
    pub state: S,
    /// The operations of which one had to be next, and none could be.
    pub stuck: Vec<usize>,
}

/// Looks for an order of `history`, starting in `start`, in at most `bound` configurations.
///
/// # Panics
/// If a process's operations do not stand in the order of their calls.
pub fn check<M: Model>(
    start: &M::State,
    history: &[Op<M::Action, M::Reply>],
    bound: usize,
) -> Verdict<M::State> {
    counted::<M>(start, history, bound).0
}

/// As [`check`]; and how many configurations it took.
pub(super) fn counted<M: Model>(
    start: &M::State,
    history: &[Op<M::Action, M::Reply>],
    bound: usize,
) -> (Verdict<M::State>, usize) {
    let mut search = Search::<M>::new(history);
    let verdict = search.run(start, bound);
    (verdict, search.tried.len())
}

/// A history by process, and what was tried on it.
struct Search<'a, M: Model> {
    history: &'a [Op<M::Action, M::Reply>],
    lines: Vec<Line>,
    values: Values<'a>,
    /// Operations that are known to have taken effect.
    known: usize,
    tried: HashSet<(Box<[u32]>, M::State), FixedState>,
    best: Option<Impossible<M::State>>,
}

/// One process's operations.
pub(super) struct Line {
    /// Their indices in the history.
    pub(super) ops: Vec<usize>,
    /// For each of them: the earliest end of it and all that follow it.
    first_over_ns: Vec<u64>,
    inert: Vec<bool>,
}

/// A configuration that was entered, and what is left to try from it.
struct Frame<S> {
    at: Box<[u32]>,
    /// How long the order was when it was entered.
    ordered: usize,
    known_left: usize,
    choices: Vec<Choice<S>>,
}

struct Choice<S> {
    line: usize,
    state: S,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(history: &'a [Op<M::Action, M::Reply>]) -> Self {
        let mut processes: Vec<u32> = history.iter().map(|op| op.process).collect();
        processes.sort_unstable();
        processes.dedup();
        let line = |process: &u32| Line::of::<M>(history, *process);
        let lines: Vec<Line> = processes.iter().map(line).collect();
        Self {
            history,
            values: Values::of::<M>(history, &lines),
            lines,
            known: history.iter().filter(|op| !op.end.is_open()).count(),
            tried: HashSet::default(),
            best: None,
        }
    }

    fn run(&mut self, start: &M::State, bound: usize) -> Verdict<M::State> {
        let mut order = Vec::with_capacity(self.history.len());
        let at = vec![0; self.lines.len()].into_boxed_slice();
        let mut stack = Vec::new();
        let mut next = Some((at, start.clone(), self.known));
        loop {
            if let Some((at, state, known_left)) = next.take() {
                match self.enter(at, state, known_left, &mut order) {
                    Entered::Done => return Verdict::Linearizable,
                    Entered::Open(frame) => stack.push(frame),
                    Entered::Seen => {}
                }
                if self.tried.len() > bound {
                    return Verdict::Undecided;
                }
            }
            let Some(frame) = stack.last_mut() else {
                let best = self.best.take().expect("at least the start was entered");
                return Verdict::Impossible(best);
            };
            order.truncate(frame.ordered);
            let Some(Choice { line, state }) = frame.choices.pop() else {
                stack.pop();
                continue;
            };
            let mut at = frame.at.clone();
            let op = self.lines[line].ops[at[line] as usize];
            at[line] += 1;
            order.push(op);
            let known = usize::from(!self.history[op].end.is_open());
            next = Some((at, state, frame.known_left - known));
        }
    }

    /// Takes what is inert and fits, and lists the choices that are left.
    fn enter(
        &mut self,
        mut at: Box<[u32]>,
        state: M::State,
        mut known_left: usize,
        order: &mut Vec<usize>,
    ) -> Entered<M::State> {
        while let Some(line) = self.inert_next(&at, &state) {
            let op = self.lines[line].ops[at[line] as usize];
            known_left -= usize::from(!self.history[op].end.is_open());
            at[line] += 1;
            order.push(op);
        }
        if known_left == 0 {
            return Entered::Done;
        }
        if !self.tried.insert((at.clone(), state.clone())) {
            return Entered::Seen;
        }
        if self
            .best
            .as_ref()
            .is_none_or(|best| best.order.len() < order.len())
        {
            self.best = Some(Impossible {
                order: order.clone(),
                state: state.clone(),
                stuck: self.heads(&at).map(|(_, op)| op).collect(),
            });
        }
        let choices = self.choices(&at, &state);
        Entered::Open(Frame {
            at,
            ordered: order.len(),
            known_left,
            choices,
        })
    }

    fn inert_next(&self, at: &[u32], state: &M::State) -> Option<usize> {
        let fits = |&(line, op): &(usize, usize)| {
            let lines = &self.lines[line];
            lines.inert[at[line] as usize] && self.step(state, op).is_some()
        };
        self.heads(at).find(fits).map(|(line, _)| line)
    }

    /// What can be next and changes the state; the most promising at the end. Promising is what lets most others
    /// go on, and among those what was over first.
    fn choices(&self, at: &[u32], state: &M::State) -> Vec<Choice<M::State>> {
        let heads: Vec<(usize, usize)> = self.heads(at).collect();
        let mut choices = Vec::new();
        let mut after: Vec<u32> = at.to_vec();
        for &(line, op) in &heads {
            let before = state;
            let Some(state) = self.step(before, op) else {
                continue;
            };
            after[line] += 1;
            let leads_nowhere = self.values.loses::<M>(before, &state, &after);
            after[line] -= 1;
            if leads_nowhere {
                continue;
            }
            let others = heads.iter().filter(|(other, _)| *other != line);
            let follower = self.lines[line].ops.get(at[line] as usize + 1);
            let next = others.map(|(_, op)| op).chain(follower);
            let goes_on = |op: &&usize| {
                !self.history[**op].end.is_open() && self.step(&state, **op).is_some()
            };
            let promise = next.filter(goes_on).count();
            let over_ns = self.history[op].end.over_ns();
            choices.push((promise, Reverse(over_ns), Choice { line, state }));
        }
        choices.sort_by_key(|(promise, over, _)| (*promise, *over));
        choices.into_iter().map(|(_, _, choice)| choice).collect()
    }

    /// The next operation of each process, where nothing that is left was over before it was called.
    fn heads<'s>(&'s self, at: &'s [u32]) -> impl Iterator<Item = (usize, usize)> + 's {
        let lines = self.lines.iter().zip(at);
        let over = lines.filter_map(|(line, at)| line.first_over_ns.get(*at as usize));
        let horizon_ns = over.copied().min().unwrap_or(u64::MAX);
        let lines = self.lines.iter().zip(at).enumerate();
        lines.filter_map(move |(number, (line, at))| {
            let op = *line.ops.get(*at as usize)?;
            (self.history[op].called_ns <= horizon_ns).then_some((number, op))
        })
    }

    fn step(&self, state: &M::State, op: usize) -> Option<M::State> {
        let op = &self.history[op];
        M::step(state, &op.action, op.end.reply())
    }
}

enum Entered<S> {
    /// Every operation that is known to have taken effect has its place.
    Done,
    /// It was here before.
    Seen,
    Open(Frame<S>),
}

impl Line {
    fn of<M: Model>(history: &[Op<M::Action, M::Reply>], process: u32) -> Self {
        let own = history.iter().enumerate();
        let ops: Vec<usize> = own
            .filter(|(_, op)| op.process == process)
            .map(|(index, _)| index)
            .collect();
        let calls = ops.iter().map(|op| history[*op].called_ns);
        assert!(
            calls.is_sorted(),
            "the operations of process {process} are not in order"
        );
        let mut first_over_ns: Vec<u64> = ops.iter().map(|op| history[*op].end.over_ns()).collect();
        for index in (1..first_over_ns.len()).rev() {
            first_over_ns[index - 1] = first_over_ns[index - 1].min(first_over_ns[index]);
        }
        let inert = |op: &usize| M::is_inert(&history[*op].action, history[*op].end.reply());
        Self {
            inert: ops.iter().map(inert).collect(),
            ops,
            first_over_ns,
        }
    }
}
