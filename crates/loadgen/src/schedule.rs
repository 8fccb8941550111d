//! Open loop: when each request ought to be sent, whatever the server does.
//!
//! Latency counts from this intended time, not from the real one. A generator that waits for slow
//! replies before it sends more would otherwise leave out just the requests that had to wait
//! ("coordinated omission", G. Tene).

/// The evenly spaced send times of one connection out of `lanes`, which together make the rate.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    start_ns: u64,
    lane: u64,
    lanes: u64,
    rate_per_s: u64,
    /// Requests already handed out.
    taken: u64,
    next_ns: u64,
}

impl Schedule {
    /// Connection `lane` of `lanes`, beginning at `start_ns`, for `rate_per_s` requests over all.
    pub(crate) fn new(start_ns: u64, lane: u64, lanes: u64, rate_per_s: u64) -> Self {
        assert!(lane < lanes && rate_per_s > 0);
        let mut schedule = Self {
            start_ns,
            lane,
            lanes,
            rate_per_s,
            taken: 0,
            next_ns: 0,
        };
        schedule.next_ns = schedule.intended_ns();
        schedule
    }

    /// When the next request ought to be sent.
    pub(crate) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// Takes the next request if it is due at `now_ns`, and says when it ought to have been sent.
    pub(crate) fn take_due(&mut self, now_ns: u64) -> Option<u64> {
        if self.next_ns > now_ns {
            return None;
        }
        let intended_ns = self.next_ns;
        self.taken += 1;
        self.next_ns = self.intended_ns();
        Some(intended_ns)
    }

    /// Computed from the count each time, so that no rounding adds up.
    fn intended_ns(&self) -> u64 {
        let request = u128::from(self.taken) * u128::from(self.lanes) + u128::from(self.lane);
        let offset_ns = request * 1_000_000_000 / u128::from(self.rate_per_s);
        self.start_ns
            .saturating_add(u64::try_from(offset_ns).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_together_make_the_rate_evenly() {
        for (lanes, rate) in [(1, 1000), (3, 1000), (50, 12_345), (7, 3)] {
            let mut times: Vec<u64> = Vec::new();
            for lane in 0..lanes {
                let mut schedule = Schedule::new(5_000, lane, lanes, rate);
                while let Some(at) = schedule.take_due(5_000 + 999_999_999) {
                    times.push(at);
                }
                assert!(schedule.next_ns() >= 5_000 + 1_000_000_000);
            }
            times.sort_unstable();
            assert_eq!(times.len() as u64, rate, "{lanes} lanes at {rate}/s");
            for (k, at) in times.iter().enumerate() {
                assert_eq!(*at, 5_000 + k as u64 * 1_000_000_000 / rate);
            }
        }
    }

    #[test]
    fn what_fell_due_while_stuck_keeps_its_intended_time() {
        let mut schedule = Schedule::new(0, 0, 1, 1000);
        assert_eq!(schedule.take_due(0), Some(0));
        assert_eq!(schedule.take_due(999_999), None);
        let late: Vec<_> = std::iter::from_fn(|| schedule.take_due(5_000_000)).collect();
        assert_eq!(
            late,
            [1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000]
        );
    }
}
