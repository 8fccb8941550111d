//! The breaker against a model that keeps every call since the last change and counts anew each time.

use proptest::prelude::*;

use super::super::{Breaker, BreakerState, Outcome, Permit};
use super::{MS, options};

#[derive(Debug, Clone)]
enum Event {
    Ask,
    End(prop::sample::Index, Outcome),
    Drop(prop::sample::Index),
    Pass(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let outcomes = vec![Outcome::Success, Outcome::Failure, Outcome::Ignored];
    let end = (any::<prop::sample::Index>(), prop::sample::select(outcomes));
    prop_oneof![
        6 => Just(Event::Ask),
        5 => end.prop_map(|(index, outcome)| Event::End(index, outcome)),
        1 => any::<prop::sample::Index>().prop_map(Event::Drop),
        2 => (0u64..20 * MS).prop_map(Event::Pass),
    ]
}

struct Model {
    state: BreakerState,
    /// When the state was entered.
    since_ns: u64,
    /// Which state this is, counted from the first.
    era: usize,
    /// Of this era: when each call ended, and how.
    ended: Vec<(u64, Outcome)>,
    granted: usize,
    dropped: usize,
}

impl Model {
    fn enter(&mut self, state: BreakerState, now_ns: u64) {
        *self = Self {
            state,
            since_ns: now_ns,
            era: self.era + 1,
            ended: Vec::new(),
            granted: 0,
            dropped: 0,
        };
    }

    fn collect(&mut self, now_ns: u64) {
        for _ in 0..std::mem::take(&mut self.dropped) {
            let era = self.era;
            self.end(Outcome::Failure, now_ns);
            if self.era != era {
                break;
            }
        }
    }

    fn ask(&mut self, now_ns: u64) -> bool {
        self.collect(now_ns);
        let passed = now_ns - self.since_ns >= 10 * MS;
        let out = self.granted - self.count(Outcome::Ignored);
        match self.state {
            BreakerState::Open if passed => self.enter(BreakerState::HalfOpen, now_ns),
            BreakerState::HalfOpen if passed && out == 2 => self.enter(BreakerState::Open, now_ns),
            _ => {}
        }
        let out = self.granted - self.count(Outcome::Ignored);
        let allowed = match self.state {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen => out < 2,
        };
        self.granted += usize::from(allowed);
        allowed
    }

    fn end(&mut self, outcome: Outcome, now_ns: u64) {
        self.ended.push((now_ns, outcome));
        match self.state {
            BreakerState::Closed => {
                let judged = self.ended.iter().filter(|(_, o)| *o != Outcome::Ignored);
                let latest = judged
                    .rev()
                    .take(8)
                    .filter(|(at, _)| now_ns - at < 100 * MS);
                let latest: Vec<Outcome> = latest.map(|(_, outcome)| *outcome).collect();
                let failed = latest.iter().filter(|o| **o == Outcome::Failure).count();
                if outcome != Outcome::Ignored && latest.len() >= 4 && failed * 2 >= latest.len() {
                    self.enter(BreakerState::Open, now_ns);
                }
            }
            _ if self.count(Outcome::Failure) > 0 => self.enter(BreakerState::Open, now_ns),
            _ if self.count(Outcome::Success) == 2 => self.enter(BreakerState::Closed, now_ns),
            _ => {}
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        let ended = self.ended.iter();
        ended.filter(|(_, other)| *other == outcome).count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_does_what_the_history_says(events in prop::collection::vec(any_event(), 0..150)) {
        let mut breaker = Breaker::new(options()).unwrap();
        let mut model = Model {
            state: BreakerState::Closed,
            since_ns: 0,
            era: 0,
            ended: Vec::new(),
            granted: 0,
            dropped: 0,
        };
        let mut now_ns = 0;
        let mut out: Vec<(usize, Permit)> = Vec::new();
        for event in events {
            match event {
                Event::Pass(ns) => now_ns += ns,
                Event::Ask => {
                    let permit = breaker.allow(now_ns);
                    prop_assert_eq!(permit.is_ok(), model.ask(now_ns));
                    match permit {
                        Ok(permit) => out.push((model.era, permit)),
                        Err(open) => prop_assert!((1..=10 * MS).contains(&open.retry_after_ns)),
                    }
                }
                Event::End(..) | Event::Drop(_) if out.is_empty() => {}
                Event::End(index, outcome) => {
                    let (era, permit) = out.swap_remove(index.index(out.len()));
                    breaker.record(permit, outcome, now_ns);
                    model.collect(now_ns);
                    if era == model.era {
                        model.end(outcome, now_ns);
                    }
                }
                Event::Drop(index) => {
                    let (era, permit) = out.swap_remove(index.index(out.len()));
                    drop(permit);
                    model.dropped += usize::from(era == model.era);
                }
            }
            prop_assert_eq!(breaker.state(), model.state);
        }
        // Every permit is accounted for, but the last one, which is dropped after the last look.
        drop(out);
        now_ns += 1000 * MS;
        drop(breaker.allow(now_ns));
        let last = u64::from(breaker.allow(now_ns).is_ok());
        let stats = breaker.stats();
        let ended = stats.succeeded + stats.failed + stats.dropped + stats.ignored + stats.late;
        prop_assert_eq!(stats.allowed, ended + last, "{:?}", stats);
    }
}
