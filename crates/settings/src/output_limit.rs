//! `client-output-buffer-limit`: how much unread output each class of clients may leave.

use std::fmt;

use crate::number::parse_bytes;

/// The limit of one class. A client is cut off above `hard_bytes` at once, and above
/// `soft_bytes` after `soft_s` seconds in a row. 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes that cut a client off at once.
    pub hard_bytes: u64,
    /// Bytes that cut a client off when it stays above them.
    pub soft_bytes: u64,
    /// How long it may stay above them, in seconds.
    pub soft_s: u32,
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Ordinary clients.
    pub normal: OutputLimit,
    /// Replicas (`slave` in `CONFIG GET`, as Redis has it).
    pub replica: OutputLimit,
    /// Clients with a subscription.
    pub pubsub: OutputLimit,
}

impl OutputLimits {
    /// No limit at all: what a list of classes is laid over.
    pub(crate) const NONE: OutputLimits = {
        let none = OutputLimit {
            hard_bytes: 0,
            soft_bytes: 0,
            soft_s: 0,
        };
        OutputLimits {
            normal: none,
            replica: none,
            pubsub: none,
        }
    };

    /// Reads `class hard soft seconds`, repeated; classes not named keep what `self` has.
    pub(crate) fn with(mut self, text: &str) -> Result<OutputLimits, &'static str> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if !words.len().is_multiple_of(4) {
            return Err("Wrong number of arguments in buffer limit configuration.");
        }
        for row in words.chunks_exact(4) {
            let class = self
                .class(row[0])
                .ok_or("Invalid client class specified in buffer limit configuration.")?;
            *class = OutputLimit::parse(row[1], row[2], row[3]).ok_or(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            )?;
        }
        Ok(self)
    }

    fn class(&mut self, name: &str) -> Option<&mut OutputLimit> {
        match name.to_ascii_lowercase().as_str() {
            "normal" => Some(&mut self.normal),
            "replica" | "slave" => Some(&mut self.replica),
            "pubsub" => Some(&mut self.pubsub),
            _ => None,
        }
    }
}

impl OutputLimit {
    fn parse(hard: &str, soft: &str, seconds: &str) -> Option<OutputLimit> {
        Some(OutputLimit {
            hard_bytes: parse_bytes(hard)?,
            soft_bytes: parse_bytes(soft)?,
            soft_s: seconds.parse().ok()?,
        })
    }
}

impl fmt::Display for OutputLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "normal {} slave {} pubsub {}",
            self.normal, self.replica, self.pubsub
        )
    }
}

impl fmt::Display for OutputLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.hard_bytes, self.soft_bytes, self.soft_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_not_named_keep_their_limit() {
        let start = OutputLimits::NONE
            .with("normal 1 2 3 replica 4 5 6 pubsub 7 8 9")
            .unwrap();
        let next = start.with("SLAVE 1mb 0 0").unwrap();
        assert_eq!(
            next.to_string(),
            "normal 1 2 3 slave 1048576 0 0 pubsub 7 8 9"
        );
        assert_eq!(start.with("").unwrap(), start);
    }

    #[test]
    fn what_is_refused() {
        let rows = [
            ("normal 1 2", "Wrong number"),
            ("master 1 2 3", "Invalid client class"),
            ("wrong 1 2 3", "Invalid client class"),
            ("normal x 2 3", "Error in hard"),
            ("normal 1 2 -3", "Error in hard"),
        ];
        for (text, want) in rows {
            let error = OutputLimits::NONE.with(text).unwrap_err();
            assert!(error.starts_with(want), "{text:?}: {error}");
        }
    }
}
