//! The chore: builds the driver, counts, compares, prints.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::callgrind::{self, Counts};
use super::ratchet::{Ratchet, Row, Verdict};
use crate::place::{cargo, has_program, root, target};

/// What `cargo xtask gate` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the counts into xtask/gate.toml instead of holding them against it
    #[arg(long)]
    update: bool,
}

/// Counts every kind of command and holds it against the ratchet.
pub(crate) fn run(options: &Options) -> ExitCode {
    match gate(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("gate: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn gate(options: &Options) -> Result<bool, String> {
    let file = root().join("xtask/gate.toml");
    let ratchet = read(&file)?;
    let counts = count_all()?;
    let rows = ratchet.compare(&counts);
    print(&rows);
    if options.update {
        fs::write(&file, ratchet.render(&counts))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        println!("gate: {} is written", file.display());
        return Ok(true);
    }
    Ok(verdict(&rows))
}

fn read(file: &Path) -> Result<Ratchet, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ratchet::parse(&text).map_err(|error| format!("{}: {error}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Ratchet::default()),
        Err(error) => Err(format!("cannot read {}: {error}", file.display())),
    }
}

fn count_all() -> Result<BTreeMap<String, Counts>, String> {
    if !has_program("valgrind") {
        return Err("no valgrind: install it with `apt-get install valgrind`".into());
    }
    match cargo(["build", "--release", "-p", "corelane-command-path"]).status() {
        Ok(status) if status.success() => {}
        _ => return Err("the driver does not build".into()),
    }
    let driver = target().join("release/command_path");
    let mut counts = BTreeMap::new();
    for kind in callgrind::kinds(&driver)? {
        counts.insert(kind.clone(), callgrind::count(&driver, &kind)?);
    }
    Ok(counts)
}

fn print(rows: &[Row]) {
    println!(
        "{:<12} {:<8} {:>12} {:>8}  change",
        "command", "stage", "instructions", "ratchet"
    );
    let shown = |count: Option<u64>| count.map_or_else(|| "–".into(), |count| count.to_string());
    for row in rows {
        let change = match row.now.zip(row.figure) {
            Some((now, figure)) if figure > 0 => {
                format!("{:+.1}%", 100.0 * (now as f64 / figure as f64 - 1.0))
            }
            _ => String::new(),
        };
        let word = match row.verdict {
            Verdict::Held => "",
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::New => "NEW",
            Verdict::Gone => "GONE",
        };
        let (now, figure) = (shown(row.now), shown(row.figure));
        println!(
            "{:<12} {:<8} {now:>12} {figure:>8}  {change} {word}",
            row.kind, row.stage
        );
    }
}

/// Says what is to be done. Whether the gate opens.
fn verdict(rows: &[Row]) -> bool {
    for row in rows.iter().filter(|row| row.verdict.fails()) {
        let Row { kind, stage, .. } = row;
        match row.verdict {
            Verdict::New => eprintln!("gate: {stage} of {kind} has no figure: run with --update"),
            Verdict::Gone => {
                eprintln!("gate: {stage} of {kind} is no longer counted: run with --update")
            }
            _ => eprintln!(
                "gate: {stage} of {kind} takes {} instructions, the ratchet allows {}",
                row.now.unwrap_or(0),
                row.figure.unwrap_or(0)
            ),
        }
    }
    let better = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Better)
        .count();
    if better > 0 {
        println!(
            "gate: {better} figures are better: lower the ratchet with `cargo xtask gate --update`"
        );
    }
    let open = !rows.iter().any(|row| row.verdict.fails());
    if open {
        println!("gate: {} figures hold", rows.len());
    }
    open
}
