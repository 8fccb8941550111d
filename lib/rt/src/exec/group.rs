//! Scheduling groups and how they share a thread, apart from the queues so that the sharing rule is pure.

/// What kind of work a task is. Each group has its own run queue; when several have work, the thread's time is
/// divided by their shares, and a group that was idle is served soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Requests: connections and what serves them.
    Data,
    /// Decisions few in number that must not wait behind data.
    Control,
    /// Work that may take what is left: expiry, snapshots, reclaim.
    Background,
}

/// How many groups there are.
pub(crate) const GROUPS: usize = 3;

/// The groups' shares, by [`Group`] as an index: Data and Control weigh ten times as much as Background.
const SHARES: [u64; GROUPS] = [1000, 1000, 100];

/// What a poll costs at least, so that a group of very short tasks is charged for them, too.
const MIN_CHARGE_NS: u64 = 100;

/// Virtual run times: the group with work that has the least of it is next.
#[derive(Default)]
pub(crate) struct Fair {
    used: [u64; GROUPS],
    floor: u64,
}

impl Fair {
    /// The next group among those for which `ready` holds.
    pub(crate) fn pick(&mut self, ready: [bool; GROUPS]) -> Option<usize> {
        let group = (0..GROUPS)
            .filter(|&g| ready[g])
            .min_by_key(|&g| self.used[g])?;
        self.floor = self.used[group];
        Some(group)
    }

    /// A group that had nothing to do has work again: time it did not use is not saved up.
    pub(crate) fn enter(&mut self, group: usize) {
        self.used[group] = self.used[group].max(self.floor);
    }

    /// Charges a group for what it ran.
    pub(crate) fn charge(&mut self, group: usize, elapsed_ns: u64) {
        self.used[group] += elapsed_ns.max(MIN_CHARGE_NS) * SHARES[0] / SHARES[group];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs whichever group is next for `poll_ns` each, `polls` times; how often each ran.
    fn run(
        fair: &mut Fair,
        ready: [bool; GROUPS],
        poll_ns: [u64; GROUPS],
        polls: u32,
    ) -> [u32; GROUPS] {
        let mut ran = [0; GROUPS];
        for _ in 0..polls {
            let group = fair.pick(ready).expect("a group");
            ran[group] += 1;
            fair.charge(group, poll_ns[group]);
        }
        ran
    }

    #[test]
    fn time_is_divided_by_shares() {
        for (ready, poll_ns, want) in [
            ([true, true, true], [1000, 1000, 1000], [1000, 1000, 100]),
            ([true, false, true], [1000, 1000, 1000], [1909, 0, 191]),
            ([true, true, false], [1000, 9000, 1000], [1890, 210, 0]),
            ([true, false, false], [1, 1, 1], [2100, 0, 0]),
            ([true, false, true], [0, 0, 0], [1909, 0, 191]),
        ] {
            let ran = run(&mut Fair::default(), ready, poll_ns, 2100);
            for group in 0..GROUPS {
                assert!(
                    ran[group].abs_diff(want[group]) <= 2,
                    "{ready:?} {poll_ns:?}: {ran:?}, not {want:?}"
                );
            }
        }
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut fair = Fair::default();
        run(&mut fair, [true, false, false], [1000; GROUPS], 10_000);
        fair.enter(Group::Background as usize);
        let ran = run(&mut fair, [true, false, true], [1000; GROUPS], 110);
        assert!(ran[2] <= 12, "background caught up: {ran:?}");
    }
}
