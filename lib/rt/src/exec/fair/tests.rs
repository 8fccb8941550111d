//! The sharing rule, in virtual time: exact.

use super::*;

/// A thread whose groups always have work: group `g` has `groups[g] = (shares, goal_ns, poll_ns)`.
struct Thread {
    fair: Fair,
    poll_ns: Vec<u64>,
    now_ns: u64,
}

impl Thread {
    fn new(groups: &[(u32, Option<u64>, u64)]) -> Self {
        let mut fair = Fair::default();
        for &(shares, goal_ns, _) in groups {
            fair.add(shares, goal_ns);
        }
        Thread {
            fair,
            poll_ns: groups.iter().map(|group| group.2).collect(),
            now_ns: 1,
        }
    }

    /// Runs whichever of `ready` is next, `polls` times; how often each ran.
    fn run(&mut self, ready: Mask, polls: u32) -> Vec<u32> {
        let mut ran = vec![0; self.poll_ns.len()];
        for _ in 0..polls {
            let group = self.fair.pick(ready, self.now_ns).expect("a group");
            ran[group] += 1;
            self.now_ns += self.poll_ns[group];
            self.fair.charge(group, self.poll_ns[group], self.now_ns);
        }
        ran
    }
}

#[test]
fn time_is_divided_by_shares() {
    type Row = (Mask, &'static [(u32, Option<u64>, u64)], &'static [u32]);
    let rows: [Row; 8] = [
        (
            0b111,
            &[(1000, None, 1000), (1000, None, 1000), (100, None, 1000)],
            &[1000, 1000, 100],
        ),
        (
            0b101,
            &[(1000, None, 1000), (1000, None, 1000), (100, None, 1000)],
            &[1909, 0, 191],
        ),
        (
            0b011,
            &[(1000, None, 1000), (1000, None, 9000), (100, None, 1000)],
            &[1890, 210, 0],
        ),
        (
            0b001,
            &[(1000, None, 1), (1000, None, 1), (100, None, 1)],
            &[2100, 0, 0],
        ),
        (
            0b101,
            &[(1000, None, 0), (1000, None, 0), (100, None, 0)],
            &[1909, 0, 191],
        ),
        (
            0b1111,
            &[
                (400, None, 500),
                (300, None, 500),
                (200, None, 500),
                (150, None, 500),
            ],
            &[800, 600, 400, 300],
        ),
        (0b11, &[(10_000, None, 500), (1, None, 500)], &[2099, 1]),
        // A goal that shares alone would keep changes nothing.
        (
            0b11,
            &[(1000, None, 1000), (1000, Some(5_000), 1000)],
            &[1050, 1050],
        ),
    ];
    for (ready, groups, want) in rows {
        let ran = Thread::new(groups).run(ready, 2100);
        for (group, (&ran, &want)) in ran.iter().zip(want).enumerate() {
            assert!(
                ran.abs_diff(want) <= 2,
                "{groups:?}: {group} ran {ran}, not {want}"
            );
        }
    }
}

#[test]
fn idle_time_is_not_saved_up() {
    let mut thread = Thread::new(&[(1000, None, 1000), (100, None, 1000)]);
    thread.run(0b01, 10_000);
    thread.fair.enter(1);
    let ran = thread.run(0b11, 110);
    assert!(ran[1] <= 12, "it caught up: {ran:?}");
}

#[test]
fn a_goal_bounds_the_wait_whatever_the_shares() {
    for (goal_ns, poll_ns, want_ns) in [
        // Ten polls of the other, and the one under way.
        (10_000, 1_000, 10_000),
        (10_500, 1_000, 11_000),
        // A poll longer than the goal: at once after it.
        (10_000, 70_000, 70_000),
    ] {
        let mut thread = Thread::new(&[(10_000, None, poll_ns), (1, Some(goal_ns), 100)]);
        thread.run(0b11, 10_000);
        let counts = thread.fair.counts(1);
        assert_eq!(
            counts.longest_wait_ns, want_ns,
            "goal {goal_ns}, polls of {poll_ns}"
        );
        assert!(counts.runs > 100, "it runs once per goal: {counts:?}");
    }
}

#[test]
fn without_a_goal_few_shares_wait_long() {
    let mut thread = Thread::new(&[(10_000, None, 1_000), (1, None, 1_000)]);
    let ran = thread.run(0b11, 10_001);
    assert_eq!(ran, [10_000, 1]);
}

#[test]
fn of_two_that_are_late_the_first_due_is_served_first() {
    let mut thread = Thread::new(&[
        (1000, None, 100_000),
        (1, Some(20_000), 100),
        (1, Some(10_000), 100),
    ]);
    // All three begin with nothing used: the first takes the thread for long.
    assert_eq!(thread.run(0b001, 1), [1, 0, 0]);
    thread.fair.pick(0b110, thread.now_ns);
    thread.now_ns += 50_000;
    assert_eq!(thread.fair.pick(0b111, thread.now_ns), Some(2));
    thread.fair.charge(2, 100, thread.now_ns);
    assert_eq!(thread.fair.pick(0b111, thread.now_ns), Some(1));
}

#[test]
fn shares_and_goals_change_at_run_time() {
    let mut thread = Thread::new(&[(1000, None, 1000), (1000, None, 1000)]);
    assert_eq!(thread.run(0b11, 200), [100, 100]);
    thread.fair.set_shares(1, 250);
    let ran = thread.run(0b11, 500);
    assert!(ran[0].abs_diff(400) <= 1, "{ran:?}");
    assert_eq!((thread.fair.shares(1), thread.fair.goal_ns(1)), (250, None));
}

#[test]
fn the_budget_of_a_task_is_the_shortest_goal_of_the_others() {
    let mut fair = Fair::default();
    fair.add(1, None);
    fair.add(1, Some(200_000));
    fair.add(1, Some(300_000));
    fair.add(1, Some(9_000_000));
    let budgets = |fair: &Fair| [0, 1, 2, 3].map(|group| fair.budget_ns(group));
    assert_eq!(budgets(&fair), [200_000, 300_000, 200_000, 200_000]);
    fair.set_goal(1, None);
    assert_eq!(budgets(&fair), [300_000, 300_000, QUANTUM_NS, 300_000]);
    fair.set_goal(2, None);
    assert_eq!(budgets(&fair), [QUANTUM_NS; 4]);
}

#[test]
fn a_group_is_charged_what_it_ran() {
    let mut thread = Thread::new(&[(1000, None, 700), (100, None, 300)]);
    thread.run(0b01, 10);
    thread.run(0b10, 5);
    let want = Counts {
        runs: 10,
        used_ns: 7_000,
        longest_wait_ns: 0,
    };
    assert_eq!(thread.fair.counts(0), want);
    assert_eq!(thread.fair.counts(1).used_ns, 1_500);
    assert_eq!(thread.fair.pick(0, thread.now_ns), None, "nobody has work");
}
