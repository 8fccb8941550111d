//! How many restarts within a window are too many.

use std::collections::VecDeque;
use std::time::Duration;

use super::SupervisionError;
use super::backoff::nanos;

/// The most restarts that a budget can allow within its window: it remembers when each of them was.
pub const MAX_RESTARTS: u32 = 4096;

/// So many restarts within any span of time as long as the window, and no more.
///
/// A restart counts until exactly the window's length has passed. The clock that is handed in may stand still;
/// where it goes back, restarts count longer, never shorter.
#[derive(Debug, Clone)]
pub struct RestartBudget {
    max_restarts: u32,
    window_ns: u64,
    /// When each restart was that still counts, oldest first; never more than `max_restarts`.
    spent_at_ns: VecDeque<u64>,
}

/// There was no restart left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSpent {
    /// After how many nanoseconds there will be one again; `None` if the budget has none at all.
    pub next_after_ns: Option<u64>,
}

impl RestartBudget {
    /// `max_restarts` within `window`; 0 allows none.
    ///
    /// # Errors
    /// If the window has no length, or more than [`MAX_RESTARTS`] are to be remembered.
    pub fn new(max_restarts: u32, window: Duration) -> Result<Self, SupervisionError> {
        if window.is_zero() {
            return Err(SupervisionError::NoWindow { max_restarts });
        }
        if max_restarts > MAX_RESTARTS {
            return Err(SupervisionError::TooManyRestarts { max_restarts });
        }
        Ok(Self {
            max_restarts,
            window_ns: nanos(window),
            spent_at_ns: VecDeque::new(),
        })
    }

    /// Takes one restart, if there is one left.
    ///
    /// # Errors
    /// [`BudgetSpent`] if not; then nothing is taken.
    pub fn spend(&mut self, now_ns: u64) -> Result<(), BudgetSpent> {
        self.forget(now_ns);
        if self.spent_at_ns.len() < self.max_restarts as usize {
            self.spent_at_ns.push_back(now_ns);
            return Ok(());
        }
        let oldest_ns = self.spent_at_ns.front();
        let counts_until_ns = oldest_ns.map(|oldest| oldest.saturating_add(self.window_ns));
        Err(BudgetSpent {
            next_after_ns: counts_until_ns.map(|until| until.saturating_sub(now_ns)),
        })
    }

    /// How many restarts are left.
    #[must_use]
    pub fn left(&mut self, now_ns: u64) -> u32 {
        self.forget(now_ns);
        self.max_restarts - self.spent_at_ns.len() as u32
    }

    fn forget(&mut self, now_ns: u64) {
        let counts = |at_ns: u64| now_ns.saturating_sub(at_ns) < self.window_ns;
        while self.spent_at_ns.front().is_some_and(|at| !counts(*at)) {
            self.spent_at_ns.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BudgetSpent, RestartBudget};
    use proptest::prelude::*;
    use std::time::Duration;

    fn budget(max_restarts: u32, window_ns: u64) -> RestartBudget {
        RestartBudget::new(max_restarts, Duration::from_nanos(window_ns)).unwrap()
    }

    #[test]
    fn the_window_slides() {
        let mut budget = budget(2, 100);
        let rows = [
            (0, Ok(())),
            (60, Ok(())),
            (60, Err(40)),
            (99, Err(1)),
            (100, Ok(())),
            (101, Err(59)),
            (160, Ok(())),
            (1000, Ok(())),
        ];
        for (now_ns, said) in rows {
            let said = said.map_err(|after| BudgetSpent {
                next_after_ns: Some(after),
            });
            assert_eq!(budget.spend(now_ns), said, "at {now_ns}");
        }
        assert_eq!(budget.left(1000), 1);
    }

    #[test]
    fn none_at_all_never_comes_back() {
        let spent = BudgetSpent {
            next_after_ns: None,
        };
        assert_eq!(budget(0, 100).spend(u64::MAX), Err(spent));
    }

    #[test]
    fn bad_budgets_are_refused_in_words() {
        let rows = [
            (3, Duration::ZERO, "give the window a length"),
            (4097, Duration::from_secs(1), "4097 restarts"),
        ];
        for (max_restarts, window, words) in rows {
            let said = RestartBudget::new(max_restarts, window).unwrap_err();
            assert!(said.to_string().contains(words), "{said}");
        }
    }

    proptest! {
        /// Against a list of all that was granted.
        #[test]
        fn no_window_holds_more_than_its_share(max in 0u32..5, window in 1u64..50, steps in prop::collection::vec(0u64..30, 0..60)) {
            let mut budget = budget(max, window);
            let (mut granted, mut now) = (Vec::new(), 0);
            for step in steps {
                now += step;
                let counting = granted.iter().filter(|at| now - **at < window);
                let counting: Vec<u64> = counting.copied().collect();
                prop_assert_eq!(budget.left(now), max - counting.len() as u32);
                match budget.spend(now) {
                    Ok(()) => {
                        prop_assert!((counting.len() as u32) < max);
                        granted.push(now);
                    }
                    Err(spent) => {
                        prop_assert_eq!(counting.len() as u32, max);
                        let next = counting.first().map(|oldest| oldest + window - now);
                        prop_assert_eq!(spent.next_after_ns, next);
                    }
                }
            }
        }
    }
}
