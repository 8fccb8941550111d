//! The reference page of metrics, written from their lists.

use std::fmt::Write;

use super::describe::{Kind, Metric};
use super::runtime::RuntimeMetrics;
use super::shard::INBOX;
use crate::launch::WatchMetrics;
use crate::mesh::{MeshMetrics, ServiceMetrics};

/// The lists of the framework, by chapter. A test sees to it that a running node shows nothing else.
pub(super) const CHAPTERS: &[(&str, &[Metric])] = &[
    ("Calls and messages", MeshMetrics::METRICS),
    ("Queues and times", ServiceMetrics::METRICS),
    ("From outside", INBOX),
    ("The watch", WatchMetrics::METRICS),
    ("The runtime", RuntimeMetrics::METRICS),
];

const INTRODUCTION: &str = "\
<!-- Written from the lists of metrics by the tests of corelane; do not edit it by hand.
     UPDATE=1 cargo test -p corelane writes it anew. -->

# Metrics

What every node of the framework counts, as `metrics::prometheus::render` writes it. Each number carries the
label `shard`, and where it is about a service, `service`: the name of its type. What stands in braces is a label
of the number itself. Counters never go back while the process runs, also when a shard restarts.
";

/// The text of `docs/reference/metrics.md`.
fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for (title, metrics) in CHAPTERS {
        let _ = write!(
            page,
            "\n## {title}\n\n| name | kind | what it says |\n|---|---|---|\n"
        );
        for metric in *metrics {
            let label = metric.label;
            let label =
                label.map_or_else(String::new, |(key, value)| format!("{{{key}=\"{value}\"}}"));
            let kind = match metric.kind {
                Kind::Histogram => "histogram, in seconds".to_owned(),
                kind => kind.to_string(),
            };
            let _ = writeln!(
                page,
                "| `{}{label}` | {kind} | {} |",
                metric.name, metric.help
            );
        }
    }
    page
}

#[test]
fn the_committed_page_is_the_lists() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/metrics.md"
    );
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/metrics.md is out of date: UPDATE=1 cargo test -p corelane"
    );
}

#[test]
fn names_and_labels_are_told_apart() {
    let mut seen = std::collections::BTreeSet::new();
    for metric in CHAPTERS.iter().flat_map(|(_, metrics)| *metrics) {
        assert!(
            seen.insert((metric.name, metric.label)),
            "{metric:?} comes twice"
        );
        assert!(metric.help.ends_with('.'), "{metric:?} is no sentence");
    }
}
