//! What is written against a strict reader of the format, and against `promtool` where it is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::render;
use crate::ShardId;
use crate::metrics::{Owner, Registry};

crate::metrics! {
    /// Something of everything.
    struct Sample;

    /// Calls, with a \ in its help.
    counter calls = "sample_calls_total";
    /// The pair was full.
    counter full = "sample_refused_total" { reason = "full" };
    /// The node was leaving.
    counter closing = "sample_refused_total" { reason = "closing" };
    /// Messages in the queue.
    gauge depth = "sample_queue_depth";
    /// Time spent.
    histogram took = "sample_took_seconds";
}

/// A node whose every shard has recorded `durations`.
fn scrape(service: &str, shards: u16, durations: &[u64]) -> String {
    let registry = Registry::new();
    let writers: Vec<_> = (0..shards)
        .map(|shard| {
            let owner = Owner::service(ShardId::new(shard), service);
            let sample = registry.register::<Sample>(owner).expect("room");
            sample.calls.add(u64::from(shard) + 1);
            sample.full.inc();
            sample.depth.set(u64::MAX);
            durations.iter().for_each(|&ns| sample.took.record(ns));
            sample
        })
        .collect();
    assert_eq!(writers.len(), usize::from(shards));
    render(&registry.snapshot())
}

/// One line that is no comment: name, labels, value.
type Line = (String, BTreeMap<String, String>, f64);

/// Reads the format by its own words, strictly.
fn read(text: &str) -> Result<Vec<Line>, String> {
    let mut samples = Vec::new();
    let mut family: Option<(String, String)> = None;
    let mut seen = BTreeSet::new();
    for line in text
        .strip_suffix('\n')
        .ok_or("no line end at the end")?
        .split('\n')
    {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, _) = help.split_once(' ').ok_or(line)?;
            if !seen.insert(name.to_owned()) {
                return Err(format!("{name} comes twice"));
            }
            family = Some((name.to_owned(), String::new()));
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or(line)?;
            let family = family.as_mut().filter(|(known, _)| known == name);
            family.ok_or("TYPE without HELP")?.1 = kind.to_owned();
        } else {
            let sample = sample(line).ok_or_else(|| format!("no sample: {line}"))?;
            let (name, kind) = family.as_ref().ok_or("a sample without a family")?;
            let ends: &[&str] = match kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                "counter" | "gauge" => &[""],
                _ => return Err(format!("{kind} is no type")),
            };
            if !ends.iter().any(|end| sample.0 == format!("{name}{end}")) {
                return Err(format!("{} is not of {name}", sample.0));
            }
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Line> {
    let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
    let mut labels = BTreeMap::new();
    if let Some(list) = rest.strip_prefix('{') {
        rest = list;
        loop {
            let (key, quoted) = rest.split_once("=\"")?;
            let end = closing_quote(quoted)?;
            if labels
                .insert(key.to_owned(), plain(&quoted[..end])?)
                .is_some()
            {
                return None;
            }
            rest = &quoted[end + 1..];
            match rest.split_at_checked(1)? {
                (",", more) => rest = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => return None,
            }
        }
    }
    Some((
        name.to_owned(),
        labels,
        rest.strip_prefix(' ')?.parse().ok()?,
    ))
}

/// The text without its escapes, of which there are three.
fn plain(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next()? {
                'n' => '\n',
                char @ ('\\' | '"') => char,
                _ => return None,
            },
            char => char,
        });
    }
    Some(plain)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Holds one service's histogram against what was recorded, as a reader of the format sees it.
fn check(durations: &[u64]) {
    let text = scrape("s", 1, durations);
    let samples = read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let value = |name: &str| {
        let mut found = samples.iter().filter(|(known, ..)| known == name);
        let (_, _, value) = found.next().expect(name);
        *value
    };
    let mut last = (f64::NEG_INFINITY, 0.0);
    for (_, labels, count) in samples
        .iter()
        .filter(|(name, ..)| name.ends_with("_bucket"))
    {
        let le: f64 = labels["le"].parse().expect("a number");
        let exact = durations
            .iter()
            .filter(|&&ns| ns as f64 * 1e-9 <= le)
            .count();
        assert_eq!(*count, exact as f64, "at most {le} of {durations:?}");
        assert!(
            le > last.0 && *count >= last.1,
            "buckets ascend and are cumulative"
        );
        last = (le, *count);
    }
    assert_eq!(last, (f64::INFINITY, value("sample_took_seconds_count")));
    let sum: u64 = durations.iter().sum();
    assert!((value("sample_took_seconds_sum") - sum as f64 * 1e-9).abs() < 1e-6);
}

proptest! {
    #[test]
    fn histograms_are_cumulative_and_complete(
        durations in prop::collection::vec(0..20_000_000_000u64, 0..60),
    ) {
        check(&durations);
    }

    #[test]
    fn any_service_name_comes_through(service in "[ -~\n\\\\\"ü]{0,12}") {
        let text = scrape(&service, 2, &[]);
        let samples = read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert!(samples.iter().all(|(_, labels, _)| labels["service"] == service));
    }
}

#[test]
fn a_scrape_is_this_text() {
    let text = scrape("kv", 2, &[700, 5_000_000_000]);
    let without_buckets: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("_bucket"))
        .collect();
    assert_eq!(
        without_buckets.join("\n"),
        r#"# HELP sample_calls_total Calls, with a \\ in its help.
# TYPE sample_calls_total counter
sample_calls_total{shard="0",service="kv"} 1
sample_calls_total{shard="1",service="kv"} 2
# HELP sample_queue_depth Messages in the queue.
# TYPE sample_queue_depth gauge
sample_queue_depth{shard="0",service="kv"} 18446744073709551615
sample_queue_depth{shard="1",service="kv"} 18446744073709551615
# HELP sample_refused_total reason closing: The node was leaving. reason full: The pair was full.
# TYPE sample_refused_total counter
sample_refused_total{shard="0",service="kv",reason="full"} 1
sample_refused_total{shard="0",service="kv",reason="closing"} 0
sample_refused_total{shard="1",service="kv",reason="full"} 1
sample_refused_total{shard="1",service="kv",reason="closing"} 0
# HELP sample_took_seconds Time spent.
# TYPE sample_took_seconds histogram
sample_took_seconds_sum{shard="0",service="kv"} 5.0000007
sample_took_seconds_count{shard="0",service="kv"} 2
sample_took_seconds_sum{shard="1",service="kv"} 5.0000007
sample_took_seconds_count{shard="1",service="kv"} 2"#
    );
    let bucket = r#"sample_took_seconds_bucket{shard="1",service="kv",le="0.000001024"} 1"#;
    assert!(text.contains(bucket), "{text}");
}

#[test]
fn nothing_is_an_empty_scrape() {
    assert_eq!(render(&Registry::new().snapshot()), "");
}

/// Prometheus's own judge. `PROMTOOL` names it where it is not on the path.
#[test]
#[ignore = "needs promtool"]
fn promtool_accepts_it() {
    let tool = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let mut child = Command::new(&tool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    let text = scrape("kv \"quoted\" \\ ü", 2, &[1, 700, 5_000_000_000]);
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = child.wait_with_output().expect("promtool ends");
    assert!(output.status.success(), "{output:?}");
}
