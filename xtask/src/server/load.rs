//! Programs that load a server, run to their end; and what several runs come to.

use std::io;
use std::process::{Command, Output, Stdio};

/// Runs a generator to its end.
///
/// # Errors
/// If it cannot be started, or what it says where it fails.
pub(crate) fn succeed(generator: &mut Command) -> Result<Output, String> {
    succeed_beside(generator, || ()).map(|(output, ())| output)
}

/// The same, while something else is done.
///
/// # Errors
/// As for [`succeed`].
pub(crate) fn succeed_beside<T>(
    generator: &mut Command,
    aside: impl FnOnce() -> T,
) -> Result<(Output, T), String> {
    let failed = |error: io::Error| format!("cannot start the generator: {error}");
    let generator = generator.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = generator.spawn().map_err(failed)?;
    let done = aside();
    let output = running.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok((output, done));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("the generator failed: {}", words.trim()))
}

/// Requests per second from the line `"GET","123456.78",…` of `redis-benchmark --csv`.
///
/// # Errors
/// If there is no line that begins so.
pub(crate) fn redis_benchmark_rate(output: &Output, begins: &str) -> Result<f64, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    rate(&text, begins)
        .ok_or_else(|| format!("the output of redis-benchmark is unreadable: {text}"))
}

fn rate(text: &str, begins: &str) -> Option<f64> {
    let mut lines = text.lines().map(|line| line.trim().split("\",\""));
    let mut fields = lines.find(|fields| {
        let name = fields
            .clone()
            .next()
            .and_then(|name| name.strip_prefix('"'));
        name.is_some_and(|name| name.starts_with(begins))
    })?;
    fields.nth(1)?.trim_end_matches('"').parse().ok()
}

/// The value in the middle, of two the mean; no number where there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[upper],
        _ => (values[upper - 1] + values[upper]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_benchmark_is_read() {
        let output = "\"test\",\"rps\",\"avg_latency_ms\"\n\"GET\",\"101234.50\",\"0.25\"\n\"SET key\",\"7.00\"\n";
        assert_eq!(rate(output, "GET"), Some(101_234.5));
        assert_eq!(rate(output, "SET"), Some(7.0));
        assert_eq!(rate(output, "DEL"), None);
    }

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }
}
