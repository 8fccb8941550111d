//! A snapshot as Prometheus reads it: the text exposition format, version 0.0.4.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
//!
//! Own code and not `prometheus-client` or `metrics-exporter-prometheus`: their numbers are shared atomics behind a
//! lock or a sharded map and are written by read-modify-write, which is what the blocks are there to avoid, and
//! what would be left of them is this file (and theirs writes OpenMetrics, another format).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::block::Value;
use super::describe::Metric;
use super::histogram::{Distribution, LONGEST_NS};
use super::registry::Owner;
use super::snapshot::{Row, Snapshot};

/// The `Content-Type` of what [`render`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of the buckets that are shown, in nanoseconds: powers of two from about half a microsecond to about nine
/// seconds. The histograms are finer; a scrape of hundreds of shards has to stay small.
fn bounds_ns() -> impl Iterator<Item = u64> {
    const FIRST: u32 = 9;
    const LAST: u32 = 33;
    const { assert!(1 << LAST <= LONGEST_NS) };
    (FIRST..=LAST).map(|log2| 1 << log2)
}

/// The text of a scrape.
#[must_use]
pub fn render(snapshot: &Snapshot) -> String {
    let mut families: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in snapshot.rows() {
        families.entry(row.metric.name).or_default().push(row);
    }
    let mut text = String::new();
    for (name, rows) in families {
        // Writing to a string cannot fail.
        let _ = family(&mut text, name, &rows);
    }
    text
}

fn family(text: &mut String, name: &str, rows: &[&Row]) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {}", escaped(&help(rows), false))?;
    writeln!(text, "# TYPE {name} {}", rows[0].metric.kind)?;
    for row in rows {
        let labels = labels(&row.owner, row.metric);
        match &row.value {
            Value::Count(number) | Value::Level(number) => {
                sample(text, name, &labels, None, number)?;
            }
            Value::Durations(durations) => histogram(text, name, &labels, durations)?,
        }
    }
    Ok(())
}

/// The help of a family: of its only member, or of each with its label.
fn help(rows: &[&Row]) -> String {
    let mut members: Vec<&Metric> = rows.iter().map(|row| row.metric).collect();
    members.sort_by_key(|metric| metric.label);
    members.dedup();
    if let [only] = members[..] {
        return only.help.to_owned();
    }
    let each = members.iter().map(|metric| match metric.label {
        Some((key, value)) => format!("{key} {value}: {}", metric.help),
        None => metric.help.to_owned(),
    });
    each.collect::<Vec<_>>().join(" ")
}

fn histogram(
    text: &mut String,
    name: &str,
    labels: &str,
    durations: &Distribution,
) -> std::fmt::Result {
    debug_assert!(name.ends_with("_seconds"));
    let bucket = format!("{name}_bucket");
    for bound_ns in bounds_ns() {
        let le = seconds(bound_ns);
        sample(
            text,
            &bucket,
            labels,
            Some(&le),
            &durations.at_most(bound_ns),
        )?;
    }
    let count = durations.count();
    sample(text, &bucket, labels, Some("+Inf"), &count)?;
    sample(
        text,
        &format!("{name}_sum"),
        labels,
        None,
        &seconds(durations.sum_ns()),
    )?;
    sample(text, &format!("{name}_count"), labels, None, &count)
}

fn sample(
    text: &mut String,
    name: &str,
    labels: &str,
    le: Option<&str>,
    value: &dyn std::fmt::Display,
) -> std::fmt::Result {
    text.push_str(name);
    match (labels, le) {
        ("", None) => {}
        ("", Some(le)) => write!(text, "{{le=\"{le}\"}}")?,
        (_, None) => write!(text, "{{{labels}}}")?,
        (_, Some(le)) => write!(text, "{{{labels},le=\"{le}\"}}")?,
    }
    writeln!(text, " {value}")
}

fn labels(owner: &Owner, metric: &Metric) -> String {
    let shard = owner.shard.map(|shard| format!("shard=\"{shard}\""));
    let service = owner
        .service
        .as_ref()
        .map(|service| format!("service=\"{}\"", escaped(service, true)));
    let own = metric
        .label
        .map(|(key, value)| format!("{key}=\"{}\"", escaped(value, true)));
    [shard, service, own]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(",")
}

/// Exact, in as few digits as that takes: nanoseconds have nine.
fn seconds(ns: u64) -> String {
    let (whole, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
    match rest {
        0 => whole.to_string(),
        _ => format!("{whole}.{rest:09}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

/// Backslashes and line ends, and quotes where the text stands between such.
fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    match quoted {
        true => text.replace('"', "\\\""),
        false => text,
    }
}

#[cfg(test)]
mod tests;
