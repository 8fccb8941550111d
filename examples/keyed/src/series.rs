//! What is known of one sensor: running mean and deviation, and the readings that stand out.

/// Readings before any can stand out: with fewer, a deviation says little.
const SETTLED: u64 = 30;

/// How many standard deviations from the mean a reading stands out.
const FAR: f64 = 6.0;

/// The readings of one sensor so far, by Welford's method (Knuth, The Art of Computer Programming, volume 2, 4.2.2):
/// in one pass, and without the cancellation of sums of squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Series {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    squares: f64,
    /// The number of the last one.
    pub last: u64,
}

/// What a reading is, beside those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Normal,
    /// Far from the mean. It does not change what is expected.
    Outlier,
    /// Its number is not above the last one's: it came twice, or too late.
    OutOfOrder,
}

impl Series {
    /// Takes a reading in. Numbers count up from 1.
    pub fn take(&mut self, number: u64, value: f64) -> Verdict {
        if number <= self.last {
            return Verdict::OutOfOrder;
        }
        self.last = number;
        let delta = value - self.mean;
        if self.count >= SETTLED && delta.abs() > FAR * self.deviation() {
            return Verdict::Outlier;
        }
        self.count += 1;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
        Verdict::Normal
    }

    /// Their standard deviation; 0 for fewer than two.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        match self.count {
            0 | 1 => 0.0,
            count => (self.squares / (count - 1) as f64).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Series, Verdict};

    #[test]
    fn mean_and_deviation_are_those_of_the_values() {
        for (values, mean, deviation) in [
            (&[][..], 0.0, 0.0),
            (&[4.0], 4.0, 0.0),
            (
                &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0],
                5.0,
                (32.0f64 / 7.0).sqrt(),
            ),
            (
                &[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0],
                1e9 + 10.0,
                30f64.sqrt(),
            ),
        ] {
            let mut series = Series::default();
            for (number, &value) in (1..).zip(values) {
                assert_eq!(series.take(number, value), Verdict::Normal);
            }
            assert!((series.mean - mean).abs() < 1e-6, "{values:?}: {series:?}");
            assert!(
                (series.deviation() - deviation).abs() < 1e-6,
                "{values:?}: {series:?}"
            );
        }
    }

    #[test]
    fn what_stands_out_or_comes_late_changes_nothing() {
        let mut series = Series::default();
        for number in 1..=100 {
            series.take(number, if number % 2 == 0 { 1.0 } else { -1.0 });
        }
        let before = series;
        assert_eq!(series.take(101, 50.0), Verdict::Outlier);
        assert_eq!((series.count, series.mean), (before.count, before.mean));
        assert_eq!(series.take(101, 0.0), Verdict::OutOfOrder);
        assert_eq!(series.take(7, 0.0), Verdict::OutOfOrder);
        assert_eq!(series.take(102, 0.5), Verdict::Normal);
    }
}
