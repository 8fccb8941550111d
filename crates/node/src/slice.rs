//! A slice of a shard's time: how long one client's commands run on before others have their turn.
//!
//! The runtime says when a slice is over (half a millisecond, or less where another group has a goal);
//! asking it reads the clock, which is too much for every small command.

use corelane_wire::spec::CommandSpec;

/// Small commands between two looks at the clock: some microseconds of work.
const COMMANDS_PER_LOOK: usize = 16;

/// Commands run one after the other, and when the clock was last looked at.
#[derive(Debug, Default)]
pub struct Slice {
    /// Commands since then; those on many keys count as many.
    unseen: usize,
}

impl Slice {
    /// Whether to let others run now, after a command with so many arguments.
    #[inline]
    pub fn is_over(&mut self, spec: &CommandSpec, arguments: usize) -> bool {
        self.is_look_due(spec, arguments) && corelane::task::need_preempt()
    }

    /// Small commands are counted; after one that may have taken long it is time to look at the clock.
    #[inline]
    fn is_look_due(&mut self, spec: &CommandSpec, arguments: usize) -> bool {
        self.unseen += match spec.is_constant_time() {
            true => 1,
            false => (arguments * SLOW_WEIGHT).max(1),
        };
        let due = self.unseen >= COMMANDS_PER_LOOK;
        if due {
            self.unseen = 0;
        }
        due
    }
}

/// How many small commands an argument of a command counts for whose time depends on what it is asked for.
const SLOW_WEIGHT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_looked_at_after_much_work_only() {
        let rows = [
            ("O(1)", 2, COMMANDS_PER_LOOK),
            ("O(1) amortised", 9, COMMANDS_PER_LOOK),
            ("O(N) for N keys", 2, 2),
            ("O(N) for N keys", 1_000, 1),
            ("O(N*M)", 3, 2),
        ];
        for (complexity, arguments, commands) in rows {
            let spec = CommandSpec {
                complexity,
                ..CommandSpec::BASE
            };
            let mut slice = Slice::default();
            let looks: Vec<usize> = (1..=2 * commands)
                .filter(|_| slice.is_look_due(&spec, arguments))
                .collect();
            assert_eq!(looks, [commands, 2 * commands], "{complexity}, {arguments}");
        }
    }
}
