//! What must hold after a run, whatever the seed was.

use std::collections::BTreeMap;

use corelane::{Mesh, MeshStats, ShardId, ShardMap};

use crate::journal::{Book, End, Line};
use crate::plan::{Ending, Plan};
use crate::service::{Histories, Parts};

/// Each request ended, as often handled as its end says.
pub fn ends(plan: &Plan, book: &mut Book) {
    for number in 0..book.asked.len() {
        let asked = book.asked[number].clone();
        let handled = asked.handled;
        let fits = match asked.end {
            End::Open => false,
            End::Replied => handled == 1,
            End::Refused(_) | End::Moved | End::Rejected => handled == 0,
            End::Expired => handled == 0 || (asked.slow && handled == 1),
            End::Cast if plan.ending == Ending::Quiet => handled == 1 || asked.rejects,
            End::Cast | End::Cancelled | End::Panicked | End::Lost | End::Dropped => handled <= 1,
        };
        let of_a_shard = asked.key.is_none();
        let allowed = match asked.end {
            End::Moved => false,
            End::Refused("down") => of_a_shard || plan.stragglers || !plan.ending.is_peaceful(),
            End::Cancelled => of_a_shard || plan.ending != Ending::Quiet,
            End::Panicked => matches!(plan.ending, Ending::Panic { .. }),
            End::Lost | End::Refused("closing") => plan.ending != Ending::Quiet,
            _ => true,
        };
        if !(fits && allowed) {
            book.violation(format!("request {number}: {asked:?}"));
        }
    }
}

/// Requests of one caller for one key were handled in the order in which they were made, and each wrote its lines once.
pub fn order(book: &mut Book) {
    let mut texts = Vec::new();
    for (key, history) in book.history.iter().enumerate() {
        let mut last = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        for line in history {
            if !seen.insert((line.op, line.later)) {
                texts.push(format!("key {key} has {line:?} twice"));
            }
            let asked = &book.asked[line.op.0 as usize];
            if asked.task || line.later {
                continue;
            }
            if let Some(before) = last.insert(asked.caller, line.op)
                && before > line.op
            {
                let caller = asked.caller;
                texts.push(format!(
                    "key {key}, caller {caller}: {before:?} before {:?}",
                    line.op
                ));
            }
        }
    }
    texts.into_iter().for_each(|text| book.violation(text));
}

/// Every shard knows the same map, the owner has all of a partition, and nobody else has anything of it.
pub fn states(plan: &Plan, book: &mut Book, meshes: &[Mesh<Histories>]) {
    let map = meshes[0].map();
    let serving = map.shards();
    let mut texts = Vec::new();
    for mesh in &meshes[..serving] {
        if mesh.map() != map {
            texts.push(format!("shard {} has another map", mesh.shard()));
        }
    }
    let parts: Vec<(u16, Parts)> = meshes
        .iter()
        .filter_map(|mesh| {
            let parts = mesh.try_with(|state| state.parts())?;
            Some((mesh.shard().number(), parts))
        })
        .collect();
    if parts.len() != serving {
        let has = parts.len();
        texts.push(format!("{serving} shards serve, {has} have a state"));
    }
    texts.extend(compare(plan, book, &map, &parts));
    texts.into_iter().for_each(|text| book.violation(text));
}

/// As [`states`], of what the shards had when they left.
pub fn left(plan: &Plan, book: &mut Book, map: &ShardMap) {
    let mut last: BTreeMap<u16, Parts> = BTreeMap::new();
    last.extend(book.left.iter().cloned());
    let parts: Vec<_> = last.into_iter().collect();
    let texts = compare(plan, book, map, &parts);
    texts.into_iter().for_each(|text| book.violation(text));
}

fn compare(plan: &Plan, book: &Book, map: &ShardMap, parts: &[(u16, Parts)]) -> Vec<String> {
    let mut texts = Vec::new();
    let empty = Vec::<Line>::new();
    for (number, key) in plan.keys.iter().enumerate() {
        let owner = map.owner(key.partition);
        let expected = &book.history[number];
        for (shard, parts) in parts {
            let part = parts.get(&key.partition);
            let here = part.and_then(|part| part.get(&number)).unwrap_or(&empty);
            if *shard == owner.number() && here != expected {
                let (has, all) = (here.len(), expected.len());
                texts.push(format!(
                    "owner {shard} has {has} of {all} lines of key {number}"
                ));
            }
            if *shard != owner.number() && !here.is_empty() {
                texts.push(format!(
                    "shard {shard} has lines of key {number}, which {owner} owns"
                ));
            }
        }
        if !parts.iter().any(|(shard, _)| ShardId::new(*shard) == owner) {
            texts.push(format!("nobody has key {number}"));
        }
    }
    texts
}

/// The counters account for every request that was taken.
pub fn counters(book: &mut Book, stats: &MeshStats) {
    let taken = stats.calls + stats.local_calls + stats.outside;
    let done = book.served
        + book.tasks
        + stats.cancelled
        + stats.expired
        + stats.misdirected
        + stats.refused_down;
    if taken != done {
        let (served, tasks) = (book.served, book.tasks);
        book.violation(format!(
            "{taken} requests were taken and {done} accounted for: {served} served, {tasks} tasks, {stats:?}"
        ));
    }
    if stats.misdirected > 0 || stats.panics > 0 {
        book.violation(format!("misdirected or panicked: {stats:?}"));
    }
}
