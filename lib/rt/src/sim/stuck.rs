//! Why a simulated run did not come to its end.

/// A run that cannot or may not go on. Its text names the seed, what still waits, and what happened last.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// The world's seed: with it, the run repeats.
    pub seed: u64,
    /// The virtual time at which it ended.
    pub at_ns: u64,
    /// Why.
    pub reason: StuckReason,
    /// The foreground tasks that were not done, each with its shard.
    pub waiting: Vec<String>,
    /// The last things that happened, a line each.
    pub trace: String,
}

/// Why a simulated run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StuckReason {
    /// No task is ready, nothing is on its way and no timer runs, yet foreground tasks wait: a wake was lost, or
    /// they wait for each other.
    Deadlock,
    /// The time limit of the options passed.
    TimeLimit,
    /// The step limit of the options passed: something runs without getting anywhere.
    StepLimit,
    /// A task panicked.
    Panic(String),
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match &self.reason {
            StuckReason::Deadlock => "nothing can go on",
            StuckReason::TimeLimit => "the time limit passed",
            StuckReason::StepLimit => "the step limit passed",
            StuckReason::Panic(text) => text,
        };
        writeln!(
            f,
            "seed {}: {what}, at {} ns of virtual time",
            self.seed, self.at_ns
        )?;
        for waiting in &self.waiting {
            writeln!(f, "  waits: {waiting}")?;
        }
        write!(f, "last events:\n{}", self.trace)
    }
}

impl std::error::Error for Stuck {}
