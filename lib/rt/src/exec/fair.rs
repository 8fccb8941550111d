//! How groups share a thread: the rule alone, over numbers, so that it can be tested to the digit.
//!
//! Each group has a virtual run time: what it ran, divided by its shares. Of the groups with work, the one with the
//! least is next (as CFS and Seastar have it), unless a group with a latency goal has waited for longer than the
//! goal: then that one is, for one task. It is charged all the same, so it pays the haste back where it can.

use std::iter;

/// A set of groups, a bit each.
pub(crate) type Mask = u32;

/// What a poll costs at least, so that a group of very short tasks is charged for them, too.
const MIN_CHARGE_NS: u64 = 100;

/// What a poll costs at most, so that no product overflows.
const MAX_CHARGE_NS: u64 = 100_000_000_000;

/// Shares at which virtual time is real time, in the fixed point of [`Account::weight`].
const WEIGHT_ONE: u64 = 1000 << 16;

/// How long a task should run before it lets others run, where no goal says less. Also what the loop gives to tasks
/// before it looks at sockets again.
pub(crate) const QUANTUM_NS: u64 = 500_000;

/// No goal.
const NEVER_NS: u64 = u64::MAX;

const _: () = assert!(MAX_CHARGE_NS.checked_mul(WEIGHT_ONE).is_some());

/// The groups' accounts, by index.
#[derive(Default)]
pub(crate) struct Fair {
    accounts: Vec<Account>,
    /// The virtual run time of who was next last.
    floor: u64,
    /// The groups that had work at the last look: their waits are being timed.
    timed: Mask,
    /// The groups with a goal.
    hurried: Mask,
}

struct Account {
    shares: u32,
    /// Virtual time per real time, in fixed point.
    weight: u64,
    goal_ns: u64,
    /// How long a task of this group should run: the quantum, or the shortest goal of another group.
    budget_ns: u64,
    virtual_ns: u64,
    /// Since when it has work and waits.
    since_ns: u64,
    counts: Counts,
}

/// What was counted about one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) used_ns: u64,
    pub(crate) longest_wait_ns: u64,
}

impl Fair {
    /// Adds a group; its index is the number of groups before.
    pub(crate) fn add(&mut self, shares: u32, goal_ns: Option<u64>) {
        self.accounts.push(Account {
            shares,
            weight: WEIGHT_ONE / u64::from(shares),
            goal_ns: NEVER_NS,
            budget_ns: QUANTUM_NS,
            virtual_ns: self.floor,
            since_ns: 0,
            counts: Counts::default(),
        });
        self.set_goal(self.accounts.len() - 1, goal_ns);
    }

    pub(crate) fn set_shares(&mut self, group: usize, shares: u32) {
        self.accounts[group].shares = shares;
        self.accounts[group].weight = WEIGHT_ONE / u64::from(shares);
    }

    pub(crate) fn set_goal(&mut self, group: usize, goal_ns: Option<u64>) {
        self.accounts[group].goal_ns = goal_ns.unwrap_or(NEVER_NS);
        self.hurried &= !(1 << group);
        self.hurried |= Mask::from(goal_ns.is_some()) << group;
        for group in 0..self.accounts.len() {
            let others = self
                .accounts
                .iter()
                .enumerate()
                .filter(|&(g, _)| g != group);
            let shortest = others.map(|(_, other)| other.goal_ns).min();
            self.accounts[group].budget_ns = shortest.unwrap_or(NEVER_NS).min(QUANTUM_NS);
        }
    }

    pub(crate) fn shares(&self, group: usize) -> u32 {
        self.accounts[group].shares
    }

    pub(crate) fn goal_ns(&self, group: usize) -> Option<u64> {
        let goal_ns = self.accounts[group].goal_ns;
        (goal_ns != NEVER_NS).then_some(goal_ns)
    }

    /// How long a task of `group` should run before it lets others run.
    pub(crate) fn budget_ns(&self, group: usize) -> u64 {
        self.accounts[group].budget_ns
    }

    pub(crate) fn counts(&self, group: usize) -> Counts {
        self.accounts[group].counts
    }

    /// A group that had nothing to do has work again: time it did not use is not saved up.
    pub(crate) fn enter(&mut self, group: usize) {
        let account = &mut self.accounts[group];
        account.virtual_ns = account.virtual_ns.max(self.floor);
    }

    /// The next group among those in `ready`, which all have work.
    pub(crate) fn pick(&mut self, ready: Mask, now_ns: u64) -> Option<usize> {
        for group in members(ready & !self.timed) {
            self.accounts[group].since_ns = now_ns;
        }
        self.timed = ready;
        let group = match self.overdue(ready & self.hurried, now_ns) {
            Some(group) => group,
            None => {
                let group = self.least(ready)?;
                self.floor = self.accounts[group].virtual_ns;
                group
            }
        };
        let account = &mut self.accounts[group];
        let waited_ns = now_ns.saturating_sub(account.since_ns);
        account.counts.longest_wait_ns = account.counts.longest_wait_ns.max(waited_ns);
        Some(group)
    }

    /// Charges a group for what it ran, until `now_ns`.
    pub(crate) fn charge(&mut self, group: usize, elapsed_ns: u64, now_ns: u64) {
        let account = &mut self.accounts[group];
        let charged_ns = elapsed_ns.clamp(MIN_CHARGE_NS, MAX_CHARGE_NS);
        account.virtual_ns += (charged_ns * account.weight) >> 16;
        account.since_ns = now_ns;
        account.counts.runs += 1;
        account.counts.used_ns += elapsed_ns;
    }

    /// Who waits for longer than it may; the one whose time was up first.
    fn overdue(&self, ready: Mask, now_ns: u64) -> Option<usize> {
        let due = |group: usize| {
            let account = &self.accounts[group];
            account.since_ns.saturating_add(account.goal_ns)
        };
        members(ready)
            .filter(|&group| due(group) <= now_ns)
            .min_by_key(|&group| due(group))
    }

    fn least(&self, ready: Mask) -> Option<usize> {
        if ready.is_power_of_two() {
            return Some(ready.trailing_zeros() as usize);
        }
        members(ready).min_by_key(|&group| self.accounts[group].virtual_ns)
    }
}

fn members(mut mask: Mask) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let group = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(group)
    })
}

#[cfg(test)]
mod tests;
