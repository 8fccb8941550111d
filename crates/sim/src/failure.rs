//! What was wrong with a run, for people.

use std::fmt;

use corelane::sim::Stuck;

use crate::plan::Scenario;

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Everything that happened up to then, as one number: the same seed fails with the same.
    pub trace_hash: u64,
    /// What was wrong.
    pub fault: Fault,
    setting: String,
}

/// What can be wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The node did not start.
    NotStarted(String),
    /// A client got a reply that does not answer its command, one too many or one too few.
    Replies(Vec<String>),
    /// A client waited longer than anything explains.
    Late(Vec<String>),
    /// Nothing happens any more, or nothing that leads anywhere; or a task panicked.
    Stuck {
        /// As the world tells it.
        stuck: Box<Stuck>,
        /// What each connection waits for.
        waiting: Vec<String>,
    },
    /// No order of what clients did explains what they were told.
    NotLinearizable(String),
    /// The node failed, or did not end.
    Node(String),
    /// What is left of a node that has ended.
    Left(Vec<String>),
    /// The harness itself panicked.
    Panicked(String),
    /// A second run of the same seed went another way.
    NotRepeatable {
        /// What the second run came to.
        second: u64,
    },
}

impl Failure {
    pub(crate) fn new(scenario: &Scenario, trace_hash: u64, fault: Fault) -> Box<Self> {
        let lane = match scenario.lane_capacity {
            Some(capacity) => format!("lanes of {capacity}"),
            None => "lanes of the usual size".to_owned(),
        };
        let stop = match scenario.stop_ns {
            Some(stop_ns) => format!(", stopped after {} µs", stop_ns / 1000),
            None => String::new(),
        };
        let resets = match scenario.world.resets_per_10k {
            0 => String::new(),
            resets => format!(", {resets} resets in 10,000 deliveries"),
        };
        let split = match scenario.io_shards {
            0 => String::new(),
            io_shards => format!(" ({io_shards} for connections)"),
        };
        let room = match scenario.resizes {
            true => format!(" with room for {}", scenario.room),
            false => String::new(),
        };
        let moves = if scenario.moves {
            ", connections move"
        } else {
            ""
        };
        let (shards, clients) = (scenario.shards, scenario.clients.len());
        Box::new(Self {
            seed: scenario.seed,
            trace_hash,
            fault,
            setting: format!(
                "{shards} shards{room}{split}, {lane}, {clients} clients{moves}{stop}{resets}"
            ),
        })
    }

    /// The command that runs it again.
    pub fn replay(&self) -> String {
        format!("cargo xtask sim --seed {}", self.seed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} failed ({})", self.seed, self.setting)?;
        write!(f, "{}", self.fault)?;
        writeln!(f, "replay: {}", self.replay())
    }
}

/// The most findings that are shown.
const SHOWN: usize = 8;

fn list(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    for line in lines.iter().take(SHOWN) {
        writeln!(f, "  {line}")?;
    }
    match lines.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(why) => writeln!(f, "the node did not start: {why}"),
            Self::Replies(found) => {
                writeln!(f, "replies that do not answer their commands:")?;
                list(f, found)
            }
            Self::Late(found) => {
                writeln!(f, "replies that took too long:")?;
                list(f, found)
            }
            Self::Stuck { stuck, waiting } => {
                writeln!(f, "{stuck}")?;
                writeln!(f, "connections that wait:")?;
                list(f, waiting)
            }
            Self::NotLinearizable(story) => f.write_str(story),
            Self::Node(why) => writeln!(f, "the node failed: {why}"),
            Self::Left(left) => {
                writeln!(f, "left of a node that has ended:")?;
                list(f, left)
            }
            Self::Panicked(text) => writeln!(f, "a panic outside of all tasks: {text}"),
            Self::NotRepeatable { second } => {
                writeln!(f, "a second run went another way (trace {second:016x})")
            }
        }
    }
}
