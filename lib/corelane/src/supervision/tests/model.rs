//! The supervisor against a model that keeps the whole history and looks through it for every answer.

use std::ops::Range;

use proptest::prelude::{
    ProptestConfig, Strategy as _, prop, prop_assert_eq, prop_oneof, proptest,
};

use super::super::{Escalation, Strategy, Verdict};
use super::{MS, supervisor};

const CHILDREN: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Event {
    Fail(usize),
    Start(usize),
    Succeed(usize),
    Pass(u64),
}

/// What a child has gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Failed, and was restarted for it.
    Failed,
    Ordered,
    Started,
    Succeeded,
}

struct History {
    strategy: Strategy,
    max_restarts: usize,
    restarted_at_ns: Vec<u64>,
    marks: [Vec<Mark>; CHILDREN],
    over: bool,
}

impl History {
    fn on_failure(&mut self, child: usize, now_ns: u64) -> Expected {
        let recent = self.restarted_at_ns.iter();
        let recent = recent.filter(|at| now_ns - **at < 1000 * MS).count();
        if self.over {
            Expected::Escalate
        } else if self.waits(child) {
            Expected::Waiting
        } else if recent >= self.max_restarts {
            self.over = true;
            Expected::Escalate
        } else {
            let after_ns = (10 << self.failures(child).min(20)).min(100) * MS;
            let who = match self.strategy {
                Strategy::OneForOne => child..child + 1,
                Strategy::OneForAll => 0..CHILDREN,
                Strategy::RestForOne => child..CHILDREN,
            };
            self.restarted_at_ns.push(now_ns);
            self.marks[child].push(Mark::Failed);
            who.clone()
                .for_each(|other| self.marks[other].push(Mark::Ordered));
            Expected::Restart(who, after_ns)
        }
    }

    fn waits(&self, child: usize) -> bool {
        let about_it = [Mark::Ordered, Mark::Started];
        let mut marks = self.marks[child].iter().rev();
        marks.find(|mark| about_it.contains(mark)) == Some(&Mark::Ordered)
    }

    fn failures(&self, child: usize) -> usize {
        let marks = self.marks[child].iter().rev();
        let row = marks.take_while(|mark| **mark != Mark::Succeeded);
        row.filter(|mark| **mark == Mark::Failed).count()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Restart(Range<usize>, u64),
    Waiting,
    Escalate,
}

impl From<Verdict> for Expected {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Restart { who, after_ns } => Self::Restart(who, after_ns),
            Verdict::Waiting => Self::Waiting,
            Verdict::Escalate { reason } => {
                assert!(matches!(reason, Escalation::BudgetSpent { .. }));
                Self::Escalate
            }
        }
    }
}

fn any_event() -> impl prop::strategy::Strategy<Value = Event> {
    prop_oneof![
        3 => (0..CHILDREN).prop_map(Event::Fail),
        3 => (0..CHILDREN).prop_map(Event::Start),
        1 => (0..CHILDREN).prop_map(Event::Succeed),
        2 => (0u64..600 * MS).prop_map(Event::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn verdicts_are_those_of_the_history(
        strategy in prop::sample::select(vec![Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne]),
        max_restarts in 0u32..20,
        events in prop::collection::vec(any_event(), 0..80),
    ) {
        let mut supervisor = supervisor(strategy, max_restarts, CHILDREN);
        let mut history = History {
            strategy,
            max_restarts: max_restarts as usize,
            restarted_at_ns: Vec::new(),
            marks: [const { Vec::new() }; CHILDREN],
            over: false,
        };
        let mut now_ns = 0;
        for event in events {
            match event {
                Event::Pass(ns) => now_ns += ns,
                Event::Start(child) => {
                    supervisor.on_start(child);
                    history.marks[child].push(Mark::Started);
                }
                Event::Succeed(child) => {
                    supervisor.on_success(child);
                    history.marks[child].push(Mark::Succeeded);
                }
                Event::Fail(child) => {
                    let verdict = Expected::from(supervisor.on_failure(child, now_ns, 0));
                    prop_assert_eq!(verdict, history.on_failure(child, now_ns));
                }
            }
        }
        let restarts = history.restarted_at_ns.len() as u64;
        prop_assert_eq!(supervisor.stats().restarts, restarts);
    }
}
