//! What is said of a stall, and how it reads.

use std::fmt;
use std::time::Duration;

/// A runtime whose loop did not turn, as it was seen while it lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// The runtime's name.
    pub runtime: String,
    /// The shard that it serves.
    pub shard: u16,
    /// What it runs: the type of a task's future, as the compiler names it.
    pub what: &'static str,
    /// For how long, at least.
    pub lasted: Duration,
    /// What the system says of the thread: `R` runs (or waits for a CPU), `S` sleeps in a call, `D` waits for a disk.
    pub thread: Option<char>,
    /// Where it is, the innermost first, calls that were inlined among them. Empty where no backtrace could be taken.
    pub frames: Vec<Frame>,
}

/// One call on a stalled thread's stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function, where its name is known; else the object file and the offset in it.
    pub function: String,
    /// File and line, where they are known.
    pub location: Option<String>,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has not yielded for {} ms, running {}",
            self.runtime,
            self.lasted.as_millis(),
            self.what
        )?;
        match self.thread {
            Some('R') | None => {}
            Some('S') => f.write_str(" (it sleeps in a system call)")?,
            Some('D') => f.write_str(" (it waits for a disk)")?,
            Some(state) => write!(f, " (thread state {state})")?,
        }
        for (number, frame) in self.frames.iter().enumerate() {
            write!(f, "\n{number:4}: {}", frame.function)?;
            if let Some(location) = &frame.location {
                write!(f, "\n      at {location}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_a_backtrace_does() {
        let frame = |function: &str, location: Option<&str>| Frame {
            function: function.to_owned(),
            location: location.map(str::to_owned),
        };
        let mut stall = Stall {
            runtime: "shard-3".to_owned(),
            shard: 3,
            what: "app::serve",
            lasted: Duration::from_millis(40),
            thread: Some('D'),
            frames: vec![
                frame("app::read", Some("src/app.rs:7")),
                frame("libc.so.6+0x12", None),
            ],
        };
        assert_eq!(
            stall.to_string(),
            "shard-3 has not yielded for 40 ms, running app::serve (it waits for a disk)\n   0: app::read\n      \
             at src/app.rs:7\n   1: libc.so.6+0x12"
        );
        stall.thread = Some('R');
        stall.frames.clear();
        assert_eq!(
            stall.to_string(),
            "shard-3 has not yielded for 40 ms, running app::serve"
        );
    }
}
