//! Counts the words of a folder's files, or of a text made up for the purpose.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use corelane::{LaunchOptions, Mesh, ShardId, launch, time};
use corelane_example_mapreduce::corpus::Corpus;
use corelane_example_mapreduce::counter::{Counter, Progress, Summary};
use corelane_example_mapreduce::job;

/// Counts words on all shards of a node.
#[derive(Parser)]
struct Args {
    /// Count the words of all files in this folder.
    #[arg(long, conflicts_with = "words")]
    folder: Option<PathBuf>,
    /// Make up a text of so many words.
    #[arg(long, default_value_t = 20_000_000)]
    words: u64,
    /// The made-up text follows from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Shards, as many as there are processors by default.
    #[arg(long)]
    shards: Option<usize>,
    /// How many of the most frequent words to show.
    #[arg(long, default_value_t = 10)]
    top: usize,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_target(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let corpus = match &args.folder {
        Some(folder) => {
            Corpus::folder(folder).map_err(|error| format!("{}: {error}", folder.display()))?
        }
        None => Corpus::MadeUp {
            words: args.words,
            seed: args.seed,
        },
    };
    let shards = match args.shards {
        Some(shards) => shards,
        None => std::thread::available_parallelism()?.get(),
    };
    let (pieces, top) = (corpus.pieces(), args.top);
    println!("{shards} shards count the words of {pieces} pieces of text");
    let init = async move |_: ShardId| Ok(Counter::new(corpus.clone()));
    let main = async move |mesh: Mesh<Counter>| {
        if mesh.shard() != ShardId::new(0) {
            mesh.stopping().await;
            return Ok(());
        }
        let began_ns = time::refresh_ns();
        let (progress, summary) =
            job::run(&mesh, top, move |progress| tell(progress, pieces)).await?;
        report(
            progress,
            &summary,
            (time::refresh_ns() - began_ns) as f64 / 1e9,
        );
        mesh.stop("the words are counted");
        Ok(())
    };
    launch(&LaunchOptions::unpinned(shards), init, main)?.join()?;
    Ok(())
}

fn tell(progress: Progress, pieces: u64) {
    let percent = progress.pieces * 100 / pieces.max(1);
    println!(
        "{percent:3}%: {} words in {} pieces",
        progress.words, progress.pieces
    );
}

fn report(progress: Progress, summary: &Summary, took_s: f64) {
    println!(
        "{} words, {} different ones, in {took_s:.2} s: {:.1} million words a second",
        summary.words,
        summary.distinct,
        summary.words as f64 / took_s / 1e6,
    );
    if progress.unread > 0 {
        println!("{} files could not be read", progress.unread);
    }
    for (word, times) in &summary.top {
        println!("{times:>10}  {word}");
    }
}
