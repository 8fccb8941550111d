//! What the rounds come to.

use serde::Serialize;

use super::way::Way;
use crate::measure::table::Table;
use crate::server::median;

/// The most instructions of a request with two shards by their ports, in parts of one shard's by the server's port.
const INSTRUCTIONS_MAX: f64 = 1.03;

/// One way and command.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    pub(super) command: &'static str,
    pub(super) way: Way,
    pub(super) requests_per_second: f64,
    pub(super) cpu_us: f64,
    /// Commands that went to another shard, in all rounds.
    pub(super) hops: f64,
    /// From bytes to reply, by callgrind; nothing where they were not counted.
    pub(super) instructions: Option<f64>,
}

pub(super) fn middle(rounds: &[Row]) -> Row {
    let of = |read: &dyn Fn(&Row) -> f64| median(rounds.iter().map(read));
    Row {
        requests_per_second: of(&|row| row.requests_per_second),
        cpu_us: of(&|row| row.cpu_us),
        hops: rounds.iter().map(|row| row.hops).sum(),
        ..rounds[0].clone()
    }
}

/// The same figure of one shard by the server's port.
fn beside(rows: &[Row], row: &Row, read: impl Fn(&Row) -> Option<f64>) -> Option<f64> {
    let one = rows
        .iter()
        .find(|one| one.way == Way::OneShard && one.command == row.command)?;
    Some(read(row)? / read(one)?)
}

pub(super) fn render(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "",
        "by",
        "1000/s",
        "CPU µs",
        "×1 shard",
        "instructions",
        "×1 shard",
        "hops",
    ]);
    let shown = |figure: Option<f64>, digits: usize| {
        figure.map_or_else(|| "–".into(), |figure| format!("{figure:.digits$}"))
    };
    for row in rows {
        table.row(vec![
            row.command.into(),
            row.way.shown().into(),
            format!("{:.0}", row.requests_per_second / 1e3),
            format!("{:.3}", row.cpu_us),
            shown(beside(rows, row, |row| Some(row.cpu_us)), 2),
            shown(row.instructions, 0),
            shown(beside(rows, row, |row| row.instructions), 3),
            format!("{:.0}", row.hops),
        ]);
    }
    table.render()
}

pub(super) fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| row.way != Way::OneShard) {
        let (command, way) = (row.command, row.way.shown());
        if row.hops > 0.0 {
            missed.push(format!("{command}, {way}: {} hops, none are due", row.hops));
        }
        let ratio = beside(rows, row, |row| row.instructions);
        if let Some(ratio) = ratio.filter(|ratio| *ratio > INSTRUCTIONS_MAX) {
            missed.push(format!(
                "{command}, {way}: {ratio:.3} times one shard's instructions, at most {INSTRUCTIONS_MAX}"
            ));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, instructions: f64, hops: f64) -> Row {
        Row {
            command: "GET",
            way,
            requests_per_second: 1.0,
            cpu_us: 1.0,
            hops,
            instructions: Some(instructions),
        }
    }

    #[test]
    fn hops_and_instructions_are_held() {
        let one = row(Way::OneShard, 1000.0, 0.0);
        let two = |instructions, hops| {
            missed(&[one.clone(), row(Way::TwoOwnPorts, instructions, hops)]).len()
        };
        assert_eq!(two(1020.0, 0.0), 0);
        assert_eq!(two(1040.0, 0.0), 1);
        assert_eq!(two(1040.0, 5.0), 2);
        assert_eq!(
            middle(&[one.clone(), one.clone(), row(Way::OneShard, 1.0, 2.0)]).hops,
            2.0
        );
    }
}
