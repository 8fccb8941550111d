//! One shard's part: the pieces it maps, and the words that belong to it.

use std::collections::HashMap;

use corelane::{Cx, Mesh, Outcome, Service, ShardId, Target, partition_of, task};

use crate::corpus::Corpus;
use crate::count::{Counts, count, top};

/// Words that a shard collects before it sends their counts on; it bounds the memory of the shuffle.
const SHUFFLE_AT: usize = 50_000;

/// One shard's state.
pub struct Counter {
    corpus: Corpus,
    progress: Progress,
    /// The words that this shard owns.
    counts: Counts,
}

/// How far a shard is, or, added up, a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pieces mapped.
    pub pieces: u64,
    /// Words found in them.
    pub words: u64,
    /// Pieces that could not be read.
    pub unread: u64,
}

/// What a shard knows about its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Words, each as often as it was found.
    pub words: u64,
    /// Different ones.
    pub distinct: u64,
    /// The most frequent.
    pub top: Vec<(String, u64)>,
}

/// What a shard can be asked.
#[derive(Debug)]
pub enum Ask {
    /// Map every piece that is yours, and send the counts to the shards that own the words.
    Map,
    /// Add these counts; all of the words are yours.
    Add(Vec<(String, u64)>),
    /// How far are you?
    Progress,
    /// What have you got, with so many of the most frequent?
    Summary(usize),
}

/// What it answers.
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Map`] and [`Ask::Add`].
    Done,
    /// [`Ask::Map`] could not send its counts, and why.
    Failed(String),
    /// To [`Ask::Progress`].
    Progress(Progress),
    /// To [`Ask::Summary`].
    Summary(Summary),
}

impl Counter {
    /// A shard that has counted nothing.
    #[must_use]
    pub fn new(corpus: Corpus) -> Self {
        Self {
            corpus,
            progress: Progress::default(),
            counts: Counts::new(),
        }
    }
}

impl Service for Counter {
    type Request = Ask;
    type Reply = Answer;
    type Control = ();

    fn handle(&mut self, ask: Ask, cx: &Cx<'_, Self>) -> Outcome<Self> {
        Outcome::Ready(match ask {
            Ask::Map => {
                let map = map(cx.mesh().clone(), self.corpus.clone());
                return Outcome::later(async move {
                    map.await.map_or_else(Answer::Failed, |()| Answer::Done)
                });
            }
            Ask::Add(counts) => {
                for (word, times) in counts {
                    *self.counts.entry(word).or_default() += times;
                }
                Answer::Done
            }
            Ask::Progress => Answer::Progress(self.progress),
            Ask::Summary(many) => {
                let counts = self.counts.iter();
                Answer::Summary(Summary {
                    words: self.counts.values().sum(),
                    distinct: self.counts.len() as u64,
                    top: top(counts.map(|(word, times)| (word.clone(), *times)), many),
                })
            }
        })
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

/// Maps this shard's pieces.
async fn map(mesh: Mesh<Counter>, corpus: Corpus) -> Result<(), String> {
    let mut counts = Counts::new();
    for number in (mesh.shard().index() as u64..corpus.pieces()).step_by(mesh.shards()) {
        let piece = corpus.piece(number).await;
        let found = piece.as_ref().map(|text| count(text, &mut counts));
        mesh.with(|state| {
            state.progress.pieces += 1;
            state.progress.words += found.as_ref().map_or(&0, |words| words);
            state.progress.unread += u64::from(found.is_err());
        });
        if counts.len() >= SHUFFLE_AT {
            shuffle(&mesh, &mut counts).await?;
        }
        task::yield_now().await;
    }
    shuffle(&mesh, &mut counts).await
}

/// Sends the counts to the shards that own the words, one batch to each, and waits until they are added.
async fn shuffle(mesh: &Mesh<Counter>, counts: &mut Counts) -> Result<(), String> {
    let map = mesh.map();
    let mut batches: HashMap<ShardId, Vec<(String, u64)>> = HashMap::new();
    for (word, times) in counts.drain() {
        let owner = map.owner(partition_of(word.as_bytes()));
        batches.entry(owner).or_default().push((word, times));
    }
    let requests = batches.into_iter();
    let requests = requests.map(|(owner, batch)| (Target::Shard(owner), Ask::Add(batch)));
    for outcome in mesh.call_many(requests).await {
        outcome.map_err(|error| error.to_string())?;
    }
    Ok(())
}
