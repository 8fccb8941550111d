//! The rows as a person reads them: one block per command and pipeline depth.

use std::fmt::Write;

use super::outcome::{Row, Spread};

const HEADER: [&str; 8] = [
    "server",
    "CPU µs/request",
    "(min–max)",
    "×redis",
    "requests/s",
    "×redis",
    "sleeps/request",
    "calls/request (io_uring)",
];

/// Renders all rows.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = |row: &&Row| (row.command, row.pipeline) == (first.command, first.pipeline);
        let (block, others) = rest.split_at(rest.iter().take_while(same).count());
        writeln!(
            out,
            "{} at pipeline depth {}",
            first.command.name(),
            first.pipeline
        )
        .expect("writing to a string");
        render_block(block, &mut out);
        rest = others;
    }
    out
}

fn render_block(rows: &[Row], out: &mut String) {
    let mut cells = vec![HEADER.map(String::from)];
    cells.extend(rows.iter().map(line));
    let width = |column: usize| {
        cells
            .iter()
            .map(|c| c[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 8] = std::array::from_fn(width);
    for (i, line) in cells.iter().enumerate() {
        write!(out, "  {:<width$}", line[0], width = widths[0]).expect("writing to a string");
        for (cell, width) in line.iter().zip(widths).skip(1) {
            write!(out, "  {cell:>width$}").expect("writing to a string");
        }
        if let Some(row) = i.checked_sub(1).map(|i| &rows[i]) {
            out.push_str(&verdict(row));
        }
        out.push('\n');
    }
    out.push('\n');
}

fn line(row: &Row) -> [String; 8] {
    let Spread { median, min, max } = row.cpu_us;
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".into(), |r| format!("{r:.2}"));
    [
        row.server.to_string(),
        format!("{median:.3}"),
        format!("({min:.3}–{max:.3})"),
        ratio(row.cpu_ratio),
        format!("{:.0}", row.per_second.median),
        ratio(row.per_second_ratio),
        row.sleeps_per_request
            .map_or_else(|| "–".into(), |s| format!("{s:.4}")),
        row.calls_per_request.map_or_else(
            || "–".into(),
            |calls| format!("{:.4} ({:.4})", calls.all, calls.io_uring),
        ),
    ]
}

fn verdict(row: &Row) -> String {
    match row.target {
        Some(target) if row.misses_target() => format!("  target {target:.2} MISSED"),
        Some(target) if row.cpu_ratio.is_some() => format!("  target {target:.2} met"),
        _ => String::new(),
    }
}
