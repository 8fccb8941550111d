//! The whole job, as one shard sees to it.

use std::time::Duration;

use corelane::{CallError, Mesh, task, time};

use crate::count::top;
use crate::counter::{Answer, Ask, Counter, Progress, Summary};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Counts the corpus on all shards, and tells now and then how far they are. `top` of the most frequent
/// words come with the summary.
///
/// # Errors
/// What a shard could not do.
pub async fn run(
    mesh: &Mesh<Counter>,
    many: usize,
    tell: impl Fn(Progress) + 'static,
) -> Result<(Progress, Summary), String> {
    let telling = task::spawn({
        let mesh = mesh.clone();
        async move {
            loop {
                time::sleep(TELL_EVERY).await;
                if let Ok(progress) = progress(&mesh).await {
                    tell(progress);
                }
            }
        }
    });
    let mapped = map(mesh).await;
    telling.cancel();
    mapped?;
    let progress = progress(mesh).await.map_err(|error| error.to_string())?;
    let summary = summary(mesh, many)
        .await
        .map_err(|error| error.to_string())?;
    Ok((progress, summary))
}

/// Lets all shards map, and waits until every count is where it belongs.
async fn map(mesh: &Mesh<Counter>) -> Result<(), String> {
    for outcome in mesh.broadcast(|_| Ask::Map).await {
        match outcome.map_err(|error| error.to_string())? {
            Answer::Failed(reason) => return Err(reason),
            _ => continue,
        }
    }
    Ok(())
}

async fn progress(mesh: &Mesh<Counter>) -> Result<Progress, CallError<Ask>> {
    let add = |sum: Progress, answer| match answer {
        Answer::Progress(shard) => Progress {
            pieces: sum.pieces + shard.pieces,
            words: sum.words + shard.words,
            unread: sum.unread + shard.unread,
        },
        _ => sum,
    };
    mesh.map_reduce(|_| Ask::Progress, Progress::default(), add)
        .await
}

/// Every word is counted on one shard alone, so the most frequent of all are among the shards' most frequent.
async fn summary(mesh: &Mesh<Counter>, many: usize) -> Result<Summary, CallError<Ask>> {
    let add = |sum: Summary, answer| match answer {
        Answer::Summary(shard) => Summary {
            words: sum.words + shard.words,
            distinct: sum.distinct + shard.distinct,
            top: top(sum.top.into_iter().chain(shard.top), many),
        },
        _ => sum,
    };
    mesh.map_reduce(|_| Ask::Summary(many), Summary::default(), add)
        .await
}
