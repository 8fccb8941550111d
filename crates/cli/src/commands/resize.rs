//! `corelane resize`: lets more or fewer shards of a running server serve, and shows how far it has come.

use std::io::{self, IsTerminal, stderr};
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, FromArgMatches};
use corelane::{task, time};
use corelane_loadgen::{Client, ConnectionOptions, Dialer};
use corelane_wire::Value;
use indicatif::{ProgressBar, ProgressStyle};

use super::Subcommand;
use crate::failure::Failure;
use crate::output;

pub(super) const SUBCOMMAND: Subcommand = Subcommand {
    name: "resize",
    about: "Let more or fewer shards of a running server serve, while its clients run",
    define,
    run,
};

/// How often the server is asked how far it has come.
const LOOK: Duration = Duration::from_millis(50);

fn define(command: clap::Command) -> clap::Command {
    let shards = Arg::new("shards")
        .required(true)
        .value_name("N")
        .help("How many shards are to serve, or auto");
    ConnectionOptions::augment_args(command.arg(shards))
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let options =
        ConnectionOptions::from_arg_matches(matches).map_err(|e| Failure::Asked(e.to_string()))?;
    let shards = matches.get_one::<String>("shards").cloned();
    let shards = shards.unwrap_or_default();
    let bar = bar();
    let shown = bar.clone();
    let resized = corelane_loadgen::talk(&options, |dialer| resize(dialer, shards, shown))?;
    bar.finish_and_clear();
    output::print(&match resized? {
        1 => "1 shard serves\n".to_owned(),
        serving => format!("{serving} shards serve\n"),
    })
}

/// Asks for so many shards and shows how far that has come; returns how many serve then.
async fn resize(dialer: Dialer, shards: String, bar: ProgressBar) -> Result<u64, Failure> {
    let mut asking = dialer.open().await?;
    let mut watching = dialer.open().await?;
    let mut asked =
        task::spawn(async move { asking.call(&["CONFIG", "SET", "shards", &shards]).await });
    let answer = loop {
        match time::timeout(LOOK, &mut asked).await {
            Ok(answer) => break answer,
            Err(_) => show(&mut watching, &bar).await,
        }
    };
    let silent = |error| Failure::Ran(format!("the server did not answer: {error}"));
    let answer = answer.map_err(io::Error::other).flatten();
    match answer.map_err(silent)? {
        Value::Error(text) => Err(Failure::Ran(text)),
        _ => figure(&mut watching, "shards_serving")
            .await
            .ok_or_else(|| {
                Failure::Ran(
                    "resized, and then the server did not say how many shards serve".to_owned(),
                )
            }),
    }
}

/// Partitions moved, and how many are to move, while a resize goes on.
async fn show(watching: &mut Client, bar: &ProgressBar) {
    let moved = figure(watching, "resize_partitions_moved").await;
    let planned = figure(watching, "resize_partitions").await;
    if let (Some(moved), Some(planned)) = (moved, planned) {
        bar.set_length(planned);
        bar.set_position(moved);
    }
}

/// A number of the section `shards` of `INFO`.
async fn figure(watching: &mut Client, name: &str) -> Option<u64> {
    let info = watching.call(&["INFO", "shards"]).await.ok()?;
    let text = String::from_utf8_lossy(info.as_bytes()?).into_owned();
    let mut values = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = values.find(|(line, _)| *line == name)?;
    value.trim_end().parse().ok()
}

/// For a person who watches; nothing in a pipe.
fn bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} partitions moved");
    ProgressBar::new(0).with_style(style.expect("the template is a constant and well formed"))
}
