//! The whole job on nodes of one to four shards, against the same count by a loop.

use std::sync::mpsc;

use corelane::sim::{World, WorldOptions};
use corelane::{LaunchOptions, Mesh, ShardId, launch, launch_sim};
use corelane_example_mapreduce::corpus::Corpus;
use corelane_example_mapreduce::count::{Counts, count, top};
use corelane_example_mapreduce::counter::{Counter, Progress, Summary};
use corelane_example_mapreduce::job;

type Found = (Progress, Summary);

/// What every shard runs; the first one has the result.
async fn main(mesh: Mesh<Counter>, done: mpsc::Sender<Found>) -> Result<(), String> {
    if mesh.shard() != ShardId::new(0) {
        mesh.stopping().await;
        return Ok(());
    }
    let found = job::run(&mesh, 5, |_| {}).await?;
    done.send(found).map_err(|error| error.to_string())?;
    mesh.stop("the words are counted");
    Ok(())
}

/// Counts on threads.
fn run(corpus: &Corpus, shards: usize) -> Found {
    let (done, found) = mpsc::channel();
    let corpus = corpus.clone();
    let init = async move |_: ShardId| Ok(Counter::new(corpus.clone()));
    let main = async move |mesh| main(mesh, done.clone()).await;
    let node = launch(&LaunchOptions::unpinned(shards), init, main).expect("the node starts");
    node.join().expect("the node ends well");
    found.recv().expect("a result")
}

/// The same by a loop.
fn plainly(texts: &[String]) -> Summary {
    let mut counts = Counts::new();
    let words = texts.iter().map(|text| count(text, &mut counts)).sum();
    Summary {
        words,
        distinct: counts.len() as u64,
        top: top(counts, 5),
    }
}

/// The pieces of a corpus, read in a world.
fn texts(corpus: &Corpus) -> Vec<String> {
    let world = World::new(1, WorldOptions::default());
    let shard = world.shard(0, "reader");
    let corpus = corpus.clone();
    let read = world.block_on(shard, async move {
        let mut texts = Vec::new();
        for number in 0..corpus.pieces() {
            texts.push(corpus.piece(number).await.expect("it is there"));
        }
        texts
    });
    read.expect("it ends")
}

#[test]
fn a_made_up_text_is_counted_as_by_a_loop() {
    let corpus = Corpus::MadeUp {
        words: 123_456,
        seed: 7,
    };
    let plainly = plainly(&texts(&corpus));
    assert_eq!(plainly.words, 123_456);
    for shards in 1..=4 {
        let (progress, summary) = run(&corpus, shards);
        assert_eq!(summary, plainly, "{shards} shards");
        let expected = Progress {
            pieces: corpus.pieces(),
            words: 123_456,
            unread: 0,
        };
        assert_eq!(progress, expected, "{shards} shards");
    }
}

#[test]
fn the_files_of_a_folder_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("a.txt", b"the cat and the dog");
    write("b/c.txt", b"The mouse");
    write("b/empty", b"");
    write("b/binary", b"the \xff\xfe end");
    let corpus = Corpus::folder(folder.path()).expect("it is there");
    assert_eq!(corpus.pieces(), 4);
    let (_, summary) = run(&corpus, 2);
    assert_eq!((summary.words, summary.distinct), (9, 6));
    assert_eq!(summary.top[0], ("the".to_owned(), 4));

    std::fs::remove_file(folder.path().join("a.txt")).expect("removed");
    let (progress, summary) = run(&corpus, 2);
    assert_eq!(
        (progress.unread, summary.words),
        (1, 4),
        "what is left is counted"
    );
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    assert!(Corpus::folder("/nowhere/at/all".as_ref()).is_err());
}

/// The same code with every order of events that the seeds come up with.
#[test]
fn in_the_simulator_too() {
    let corpus = Corpus::MadeUp {
        words: 25_000,
        seed: 3,
    };
    let plainly = plainly(&texts(&corpus));
    for seed in 0..20 {
        let world = World::new(seed, WorldOptions::default());
        let (done, found) = mpsc::channel();
        let corpus = corpus.clone();
        let init = async move |_: ShardId| Ok(Counter::new(corpus.clone()));
        let main = async move |mesh| main(mesh, done.clone()).await;
        let options = LaunchOptions::unpinned(1 + seed as usize % 4);
        let node = launch_sim(&world, &options, init, main).expect("the node starts");
        world
            .run()
            .unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
        assert_eq!(node.outcome(), Some(Ok(())), "seed {seed}");
        let (_, summary) = found.recv().expect("a result");
        assert_eq!(summary, plainly, "seed {seed}");
    }
}
