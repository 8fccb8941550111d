//! Zipf-distributed ranks: rank k comes up in proportion to 1 / k^theta.
//!
//! Sampled by rejection-inversion (W. Hörmann and G. Derflinger, "Rejection-inversion to generate
//! variates from monotone discrete distributions", ACM TOMACS 6(3), 1996). It needs no table and
//! no sum over all keys, so a billion keys start at once, and takes fewer than 1.1 tries a sample.

/// Skews above this give rank 1 nearly always and lose precision.
pub(crate) const MAX_THETA: f64 = 10.0;

/// A sampler of ranks `0..count`, rank 0 the most frequent.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    count: f64,
    theta: f64,
    /// Integral of the envelope up to 1.5, less the whole mass of rank 1.
    area_first: f64,
    /// Integral of the envelope up to `count + 0.5`.
    area_last: f64,
    /// Distance below a rank within which the envelope needs no second look.
    squeeze: f64,
}

impl Zipf {
    /// A sampler over `count` ranks.
    ///
    /// # Panics
    /// If `count` is 0, or `theta` is not above 0 and at most [`MAX_THETA`].
    pub(crate) fn new(count: u64, theta: f64) -> Self {
        assert!(count > 0, "a Zipf distribution needs at least one rank");
        assert!(
            theta > 0.0 && theta <= MAX_THETA,
            "Zipf's theta {theta} is out of range"
        );
        let shape = Shape { theta };
        Self {
            count: count as f64,
            theta,
            area_first: shape.integral(1.5) - 1.0,
            area_last: shape.integral(count as f64 + 0.5),
            squeeze: 2.0 - shape.integral_inverse(shape.integral(2.5) - shape.density(2.0)),
        }
    }

    /// The next rank, from 0.
    pub(crate) fn sample(&self, rng: &mut fastrand::Rng) -> u64 {
        let shape = Shape { theta: self.theta };
        loop {
            let area = self.area_last + rng.f64() * (self.area_first - self.area_last);
            let x = shape.integral_inverse(area);
            let rank = (x + 0.5).floor().clamp(1.0, self.count);
            if rank - x <= self.squeeze || area >= shape.integral(rank + 0.5) - shape.density(rank)
            {
                return rank as u64 - 1;
            }
        }
    }
}

/// The continuous envelope x^-theta, its integral and the integral's inverse. Written so that
/// theta = 1, where the plain formulas divide by zero, is no special case.
struct Shape {
    theta: f64,
}

impl Shape {
    fn density(&self, x: f64) -> f64 {
        (-self.theta * x.ln()).exp()
    }

    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        exp_m1_over((1.0 - self.theta) * log) * log
    }

    fn integral_inverse(&self, area: f64) -> f64 {
        // Rounding can push the argument below the logarithm's domain.
        let t = (area * (1.0 - self.theta)).max(-1.0);
        (ln_1p_over(t) * area).exp()
    }
}

/// ln(1+x)/x, continued through 0 by its series.
fn ln_1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        x.ln_1p() / x
    } else {
        1.0 - x * (0.5 - x * (1.0 / 3.0 - 0.25 * x))
    }
}

/// (e^x - 1)/x, continued through 0 by its series.
fn exp_m1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        x.exp_m1() / x
    } else {
        1.0 + x * 0.5 * (1.0 + x / 3.0 * (1.0 + 0.25 * x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: usize = 200_000;

    /// Compares the first two moments and the share of the first three ranks with the exact sums.
    #[track_caller]
    fn check(count: u64, theta: f64) {
        let weights: Vec<f64> = (1..=count).map(|k| (k as f64).powf(-theta)).collect();
        let total: f64 = weights.iter().sum();
        let moment = |power: i32| -> f64 {
            weights
                .iter()
                .enumerate()
                .map(|(k, w)| (k as f64).powi(power) * w / total)
                .sum()
        };
        let (mean, variance) = (moment(1), moment(2) - moment(1).powi(2));

        let zipf = Zipf::new(count, theta);
        let mut rng = fastrand::Rng::with_seed(7);
        let mut hits = vec![0u32; count as usize];
        for _ in 0..SAMPLES {
            hits[zipf.sample(&mut rng) as usize] += 1;
        }

        let n = SAMPLES as f64;
        let got_mean = hits
            .iter()
            .enumerate()
            .map(|(k, h)| k as f64 * f64::from(*h))
            .sum::<f64>()
            / n;
        let standard_error = (variance / n).sqrt();
        assert!(
            (got_mean - mean).abs() <= 4.0 * standard_error + 1e-9,
            "count {count} theta {theta}: mean {got_mean}, exact {mean} ± {standard_error}"
        );
        let got_square = hits
            .iter()
            .enumerate()
            .map(|(k, h)| (k as f64).powi(2) * f64::from(*h))
            .sum::<f64>()
            / n;
        let square_error = ((moment(4) - moment(2).powi(2)) / n).sqrt();
        assert!(
            (got_square - moment(2)).abs() <= 4.0 * square_error + 1e-9,
            "count {count} theta {theta}: second moment {got_square}, exact {}",
            moment(2)
        );
        for rank in 0..weights.len().min(3) {
            let share = weights[rank] / total;
            let error = (share * (1.0 - share) / n).sqrt();
            let got = f64::from(hits[rank]) / n;
            assert!(
                (got - share).abs() <= 4.0 * error + 1e-9,
                "count {count} theta {theta} rank {rank}: {got}, exact {share}"
            );
        }
    }

    #[test]
    fn moments_and_hottest_ranks_are_exact() {
        for count in [1, 2, 10, 1000, 100_000] {
            for theta in [0.2, 0.5, 0.99, 1.0, 1.2, 2.0, 5.0] {
                check(count, theta);
            }
        }
    }

    #[test]
    fn huge_ranges_stay_in_range() {
        let zipf = Zipf::new(1 << 40, 0.99);
        let mut rng = fastrand::Rng::with_seed(3);
        assert!((0..100_000).all(|_| zipf.sample(&mut rng) < 1 << 40));
    }
}
