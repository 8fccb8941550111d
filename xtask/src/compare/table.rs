//! The rows as a person reads them: one block per command and pipeline depth.

use std::fmt::Write;

use super::outcome::{Row, Spread};
use super::target::held;

/// A column: its title and what stands in it.
type Column = (&'static str, fn(&Row) -> Option<String>);

const COLUMNS: &[Column] = &[
    ("server", |row| Some(row.contender.to_string())),
    ("CPU µs/request", |row| {
        Some(format!("{:.3}", row.cpu_us.median))
    }),
    ("(min–max)", |row| {
        let Spread { min, max, .. } = row.cpu_us;
        Some(format!("({min:.3}–{max:.3})"))
    }),
    ("×redis", |row| ratio(row.ratios.cpu_to_redis)),
    ("×bare-map", |row| ratio(row.ratios.cpu_to_bare_map)),
    ("×1 shard", |row| ratio(row.ratios.cpu_to_one_shard)),
    ("requests/s", |row| {
        Some(format!("{:.0}", row.per_second.median))
    }),
    ("×redis", |row| ratio(row.ratios.per_second_to_redis)),
    ("sleeps", |row| small(row.sleeps_per_request)),
    ("hops", |row| {
        small(row.mesh_per_request.map(|mesh| mesh.hops))
    }),
    ("wakes", |row| {
        small(row.mesh_per_request.map(|mesh| mesh.wakes))
    }),
    ("calls", |row| {
        small(row.calls_per_request.map(|calls| calls.all))
    }),
    ("io_uring", |row| {
        small(row.calls_per_request.map(|calls| calls.io_uring))
    }),
];

fn ratio(ratio: Option<f64>) -> Option<String> {
    ratio.map(|ratio| format!("{ratio:.2}"))
}

fn small(count: Option<f64>) -> Option<String> {
    count.map(|count| format!("{count:.4}"))
}

/// Renders all rows. Columns without a single entry are left out; all counts are per request.
pub(crate) fn render(rows: &[Row]) -> String {
    let used: Vec<&Column> = COLUMNS
        .iter()
        .filter(|(_, read)| rows.iter().any(|row| read(row).is_some()))
        .collect();
    let mut out = String::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = |row: &&Row| (row.command, row.pipeline) == (first.command, first.pipeline);
        let (block, others) = rest.split_at(rest.iter().take_while(same).count());
        let (command, depth) = (first.command.name(), first.pipeline);
        writeln!(out, "{command} at pipeline depth {depth}").expect("writing to a string");
        render_block(&used, block, &mut out);
        rest = others;
    }
    out
}

fn render_block(columns: &[&Column], rows: &[Row], out: &mut String) {
    let mut lines = vec![String::from(" "); rows.len() + 1];
    for (i, (title, read)) in columns.iter().enumerate() {
        let mut cells = vec![title.to_string()];
        cells.extend(
            rows.iter()
                .map(|row| read(row).unwrap_or_else(|| "–".into())),
        );
        let width = cells
            .iter()
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0);
        for (line, cell) in lines.iter_mut().zip(cells) {
            let written = match i {
                0 => write!(line, " {cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
            written.expect("writing to a string");
        }
    }
    for (line, row) in lines.iter_mut().skip(1).zip(rows) {
        line.push_str(&verdict(row));
    }
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    out.push('\n');
}

fn verdict(row: &Row) -> String {
    let mut out = String::new();
    for held in held(row) {
        let word = if held.missed() { "MISSED" } else { "met" };
        write!(out, "  {} ≤ {} {word}", held.figure, held.at_most).expect("writing to a string");
    }
    out
}
