//! Runs the steps, times them, and closes with what was counted.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::steps::{Context, Outcome, REQUIRED, STEPS, Step, TOOLS};
use crate::tally::Tally;

/// What `cargo xtask test` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Go on after a step that failed
    #[arg(long)]
    keep_going: bool,
    /// Only name the steps
    #[arg(long)]
    list: bool,
    /// Run this step only; may be repeated
    #[arg(long, value_name = "STEP", value_parser = STEPS.iter().map(|step| step.name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// Take a missing tool for a failure instead of leaving its step out; CORELANE_TEST_TOOLS=required says the same
    #[arg(long)]
    require_tools: bool,
}

/// A step that was run.
struct Run {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Runs the chore.
pub(crate) fn run(options: &Options) -> ExitCode {
    let wanted =
        |step: &&Step| options.only.is_empty() || options.only.iter().any(|name| name == step.name);
    let steps = STEPS.iter().filter(wanted);
    if options.list {
        for Step { name, about, .. } in steps {
            println!("{name:<8} {about}");
        }
        return ExitCode::SUCCESS;
    }
    let context = Context {
        require_tools: options.require_tools || tools_are_required(),
    };
    let mut runs = Vec::new();
    for step in steps {
        let run = run_step(step, &context);
        let failed = tally(&run.outcome, &context).failed > 0;
        runs.push(run);
        if failed && !options.keep_going {
            break;
        }
    }
    close(&runs, &context)
}

/// Whether the environment asks for all tools, as the black-box tests understand it too.
fn tools_are_required() -> bool {
    env::var(TOOLS).is_ok_and(|tools| tools == REQUIRED)
}

fn run_step(step: &Step, context: &Context) -> Run {
    println!("== {}: {}", step.name, step.about);
    let start = Instant::now();
    let outcome = (step.run)(context);
    Run {
        name: step.name,
        took: start.elapsed(),
        outcome,
    }
}

/// What a step adds to the count.
fn tally(outcome: &Outcome, context: &Context) -> Tally {
    match outcome {
        Outcome::Ran(tally) => *tally,
        Outcome::Missing(_) if context.require_tools => Tally::one(false),
        Outcome::Missing(_) => Tally::skipped(),
    }
}

/// Prints what each step took and counted; the last line is their sum.
fn close(runs: &[Run], context: &Context) -> ExitCode {
    println!("== in all");
    for Run {
        name,
        took,
        outcome,
    } in runs
    {
        let counted = tally(outcome, context);
        let word = if counted.failed > 0 { "FAILED" } else { "" };
        println!("{name:<8} {:>7.1} s  {counted} {word}", took.as_secs_f64());
        if let Outcome::Missing(what) = outcome {
            println!("{:20}left out: {what}", "");
        }
    }
    let all: Tally = runs.iter().map(|run| tally(&run.outcome, context)).sum();
    let took: Duration = runs.iter().map(|run| run.took).sum();
    println!("{:<8} {:>7.1} s", "all", took.as_secs_f64());
    if let Some(last) = runs.last()
        && all.failed > 0
    {
        println!(
            "again, from what failed: cargo xtask test --only {}",
            last.name
        );
    }
    println!("{all}");
    ExitCode::from(u8::from(all.failed > 0))
}
