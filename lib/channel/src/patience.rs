//! How an end looks again before it sleeps: soon where values come one by one, later where they stream.
//!
//! An end that finds nothing and looks again at once takes the other side's cache line away from it at
//! every value, and both move at the pace of the interconnect (50 to 150 ns per value). An end that lets
//! a little pile up first takes the line once for many. But where two threads answer each other, every
//! pause is latency. So the first pause, the *lag*, adapts: it grows while the values moved since the
//! last empty (or full) queue pay for it, falls when they do not, and is tried out now and then from
//! nothing.

use std::hint::spin_loop;

/// The longest lag is `2^LAG_MAX` pauses, about a microsecond.
const LAG_MAX: u32 = 7;

/// A lag to try when there is none: long enough for a stream to show.
const LAG_TRIED: u32 = 5;

/// It is tried once in so many waits, so that it costs an exchange of single values next to nothing.
const TRY_EVERY: u32 = 64;

/// A lag of `2^n` pauses is worth it if it lets `2^n / PAUSES_PER_VALUE` values come.
const PAUSES_PER_VALUE: u64 = 8;

#[derive(Debug, Default)]
pub(crate) struct Patience {
    lag: u32,
    waits: u32,
    /// What had been moved at the last wait.
    moved: u64,
}

impl Patience {
    /// Looks again, `steps` times and with pauses that double, then gives up. `moved` is what this end
    /// has moved in its life. With no steps it does not even pause.
    pub(crate) fn spin<R>(
        &mut self,
        steps: u32,
        moved: u64,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        if steps == 0 {
            return None;
        }
        self.learn(moved);
        pause(self.lag);
        for step in 0..steps {
            if let Some(result) = attempt() {
                return Some(result);
            }
            pause(step);
        }
        attempt()
    }

    /// Sets the lag by what the last one brought.
    fn learn(&mut self, moved: u64) {
        let run = moved.wrapping_sub(std::mem::replace(&mut self.moved, moved));
        self.waits = self.waits.wrapping_add(1);
        let paid = run > 1 && run * PAUSES_PER_VALUE >= 1 << self.lag;
        self.lag = match self.lag {
            0 if self.waits.is_multiple_of(TRY_EVERY) => LAG_TRIED,
            lag if paid => LAG_MAX.min(lag + 1),
            lag => lag / 2,
        };
    }
}

fn pause(step: u32) {
    for _ in 0..1u32 << step {
        spin_loop();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{LAG_MAX, Patience, TRY_EVERY};

    /// The lags of waits between which so many values moved.
    fn lags(runs: impl IntoIterator<Item = u64>) -> Vec<u32> {
        let mut patience = Patience::default();
        let mut moved = 0;
        let learn = |run| {
            moved += run;
            patience.learn(moved);
            patience.lag
        };
        runs.into_iter().map(learn).collect()
    }

    #[test]
    fn single_values_are_waited_for_without_lag_but_for_a_try() {
        let lags = lags([1; 1000]);
        let lagging = lags.iter().filter(|&&lag| lag > 0).count();
        assert!(
            lagging <= 3 * 1000 / TRY_EVERY as usize,
            "{lagging} of 1000 waits lag"
        );
    }

    #[test]
    fn a_stream_is_given_time_to_pile_up() {
        let lags = lags([100; 20]);
        assert_eq!(lags.last(), Some(&LAG_MAX));
    }

    #[test]
    fn a_stream_that_ends_is_forgotten_within_a_few_waits() {
        let lags = lags([100; 20].into_iter().chain([1; 4]));
        assert_eq!(lags.last(), Some(&0));
    }
}
