//! Readings made up from a seed: each sensor has a level of its own, some noise, and now and then a fault.

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Whose it is.
    pub sensor: u32,
    /// 1 for the sensor's first, 2 for its second…
    pub number: u64,
    /// What it says.
    pub value: f64,
}

/// Readings of `sensors` sensors, `each` of every one, in rounds; the same seed makes the same ones.
pub fn readings(sensors: u32, each: u64, seed: u64) -> impl Iterator<Item = Reading> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (1..=each).flat_map(move |number| {
        let mut rng = rng.fork();
        (0..sensors).map(move |sensor| {
            let noise = rng.f64() + rng.f64() - 1.0;
            // One in a thousand, once there is something to stand out from.
            let fault = if number > 100 && rng.u32(..1000) == 0 {
                100.0
            } else {
                0.0
            };
            Reading {
                sensor,
                number,
                value: f64::from(sensor % 50) + noise + fault,
            }
        })
    })
}

impl Reading {
    /// The key by which a pool places it.
    #[must_use]
    pub fn key(&self) -> [u8; 4] {
        self.sensor.to_le_bytes()
    }
}
