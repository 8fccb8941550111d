//! What a number is called and what it means, apart from its value: names, units and help are written once,
//! in a [`metrics!`](crate::metrics!) block, and everything else (scrapes, the reference page) is made from them.

use std::fmt;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in Prometheus: lower-case words joined by `_`, the unit last, `_total` behind that of a counter.
    pub name: &'static str,
    /// A label that tells it from others of the same name, such as `reason="full"`.
    pub label: Option<(&'static str, &'static str)>,
    /// What it is.
    pub kind: Kind,
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// What a reader may do with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the node runs: look at its rate.
    Counter,
    /// Goes up and down: look at it as it is.
    Gauge,
    /// How often which durations were seen, kept in nanoseconds, shown in seconds.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

impl Metric {
    /// Whether name and label are such that every reader takes them, checked when a list is compiled.
    ///
    /// # Panics
    /// If not; in a `const`, that is a build that fails.
    pub const fn check(self) -> Self {
        assert!(
            is_name(self.name),
            "a metric's name is of lower-case letters, digits and `_`, and begins with a letter"
        );
        let total = ends_with(self.name, "_total");
        match self.kind {
            Kind::Counter => assert!(total, "a counter's name ends in `_total`"),
            Kind::Gauge => assert!(!total, "`_total` is for counters"),
            Kind::Histogram => assert!(
                ends_with(self.name, "_seconds"),
                "a histogram's name ends in `_seconds`"
            ),
        }
        if let Some((label, _)) = self.label {
            assert!(
                is_name(label),
                "a label's name is of lower-case letters, digits and `_`, and begins with a letter"
            );
        }
        self
    }
}

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'a'..=b'z' => {}
            b'0'..=b'9' | b'_' if at > 0 => {}
            _ => return false,
        }
        at += 1;
    }
    at > 0
}

const fn ends_with(text: &str, end: &str) -> bool {
    let (text, end) = (text.as_bytes(), end.as_bytes());
    match text.split_at_checked(text.len().saturating_sub(end.len())) {
        Some((_, tail)) => {
            let mut at = 0;
            while at < end.len() {
                if at >= tail.len() || tail[at] != end[at] {
                    return false;
                }
                at += 1;
            }
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Metric};

    fn metric(kind: Kind, name: &'static str) -> Metric {
        Metric {
            name,
            label: None,
            kind,
            help: "",
        }
    }

    #[test]
    fn good_names_pass() {
        for (kind, name) in [
            (Kind::Counter, "a_total"),
            (Kind::Gauge, "queue_depth2"),
            (Kind::Histogram, "handle_seconds"),
        ] {
            assert_eq!(metric(kind, name).check().name, name);
        }
    }

    #[test]
    fn bad_names_do_not_compile() {
        let reasons = |kind, name| {
            let checked = std::panic::catch_unwind(|| metric(kind, name).check());
            *checked.unwrap_err().downcast::<&str>().expect("a text")
        };
        for (kind, name, says) in [
            (Kind::Gauge, "", "a metric's name"),
            (Kind::Gauge, "Queue", "a metric's name"),
            (Kind::Gauge, "2queues", "a metric's name"),
            (Kind::Gauge, "queue-depth", "a metric's name"),
            (Kind::Gauge, "calls_total", "`_total` is for counters"),
            (Kind::Counter, "total", "a counter's name ends"),
            (Kind::Histogram, "handle_ns", "a histogram's name ends"),
        ] {
            assert!(reasons(kind, name).starts_with(says), "{name}");
        }
    }
}
