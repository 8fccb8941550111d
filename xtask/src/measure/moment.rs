//! How busy the machine was while it measured: figures in microseconds from a busy machine say little,
//! and a reader must be able to see that.

use std::fmt;
use std::fs;

use serde::Serialize;

/// The machine's state at one time.
pub(crate) struct Moment {
    load: String,
    /// Jiffies of all processors: in all, idle or waiting for a disk, and stolen by the host.
    jiffies: [u64; 3],
    processors: usize,
}

/// What went on between two moments.
#[derive(Serialize)]
pub(crate) struct During {
    /// Load averages of 1, 5 and 15 minutes at the end.
    load: String,
    processors: usize,
    /// Share of all processors' time that somebody used, the measurement itself included.
    busy: f64,
    /// Share of all processors' time that the host gave to others.
    stolen: f64,
}

impl Moment {
    /// Now; zeros where the system does not tell.
    pub(crate) fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let load: Vec<String> = read("/proc/loadavg")
            .split(' ')
            .take(3)
            .map(str::to_owned)
            .collect();
        let stat = read("/proc/stat");
        Self {
            load: load.join(" "),
            jiffies: jiffies(&stat),
            processors: stat
                .lines()
                .filter(|line| line.starts_with("cpu"))
                .count()
                .saturating_sub(1),
        }
    }

    /// What went on since `earlier`.
    pub(crate) fn since(self, earlier: &Self) -> During {
        let [all, idle, stolen] =
            std::array::from_fn(|i| self.jiffies[i].saturating_sub(earlier.jiffies[i]) as f64);
        let share = |part: f64| if all > 0.0 { part / all } else { 0.0 };
        During {
            load: self.load,
            processors: self.processors,
            busy: share(all - idle - stolen),
            stolen: share(stolen),
        }
    }
}

/// From the line `cpu user nice system idle iowait irq softirq steal …`.
fn jiffies(stat: &str) -> [u64; 3] {
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let field = |i: usize| fields.get(i).copied().unwrap_or(0);
    [fields.iter().sum(), field(3) + field(4), field(7)]
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} processors, {:.0}% busy and {:.1}% stolen meanwhile, load averages {}",
            self.processors,
            self.busy * 100.0,
            self.stolen * 100.0,
            self.load
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts() {
        let stat = "cpu  10 1 5 80 2 0 1 3 0 0\ncpu0 1 1 1 1 1 1 1 1\n";
        assert_eq!(jiffies(stat), [102, 82, 3]);
        assert_eq!(jiffies(""), [0, 0, 0]);
    }
}
