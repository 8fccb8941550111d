//! Carrying the steps of a command between the shards that own its keys.

use corelane::MapHold;
use corelane_store::Command;
use corelane_store::commands::steps::{self, Answer, Next, Step};
use corelane_wire::Reply as ReplyWriter;

use crate::across::Failed;
use crate::batch::Call;
use crate::node::{Gone, Node};
use crate::owned::OwnedArgs;
use crate::place;
use crate::request::{Reply, Request};
use crate::room;

/// Runs a command whose keys lie apart; returns its reply, unless that would be too long.
pub(crate) async fn run(
    node: &Node,
    hold: Option<&MapHold>,
    command: &'static Command,
    call: Call,
    args: &OwnedArgs,
) -> Result<Vec<u8>, Failed> {
    let (limits, max_bytes) = node.rules(|rules| (rules.store.clone(), rules.max_reply_bytes));
    let databases = node.databases();
    let request = steps::Request {
        args: args.args(),
        db: call.db,
        databases,
        limits: &limits,
    };
    let mut out = Vec::new();
    let mut plan = match steps::plan(command, &request) {
        Ok(plan) => plan,
        Err(text) => {
            ReplyWriter::new(&mut out, call.proto).error(text);
            return Ok(out);
        }
    };
    let mut answers = Vec::new();
    loop {
        let mut reply = room::writer(&mut out, call.proto, 0, max_bytes, None);
        let next = plan.next(answers, &mut reply);
        if reply.is_cut() {
            return Err(Failed::TooLarge);
        }
        answers = match next {
            Next::Done => return Ok(out),
            Next::Run(steps) => match hold {
                Some(hold) => carry(node, hold, steps).await?,
                None => carry(node, &node.mesh().hold_map().await, steps).await?,
            },
            Next::Again => {
                corelane::task::yield_now().await;
                Vec::new()
            }
        };
    }
}

/// While the map is held still: one message per shard; the answers in the order of the steps.
async fn carry(node: &Node, _hold: &MapHold, steps: Vec<Step>) -> Result<Vec<Answer>, Gone> {
    let map = node.mesh().map();
    let mut groups: Vec<(Vec<usize>, Vec<Step>)> = Vec::new();
    groups.resize_with(node.mesh().shards(), Default::default);
    let mut answers: Vec<Option<Answer>> = steps.iter().map(|_| None).collect();
    for (number, step) in steps.into_iter().enumerate() {
        let group = &mut groups[place::owner_of_slot(step.slot, &map).index()];
        group.0.push(number);
        group.1.push(step);
    }
    let calls: Vec<_> = node
        .mesh()
        .all_shards()
        .zip(groups)
        .filter(|(_, (numbers, _))| !numbers.is_empty())
        .map(|(shard, (numbers, steps))| {
            (
                shard,
                numbers,
                node.mesh().call(shard, Request::Steps(steps)),
            )
        })
        .collect();
    for (shard, numbers, mut call) in calls {
        let Reply::Answers(group) = node.patiently(shard, &mut call).await? else {
            return Err(Gone);
        };
        for (number, answer) in numbers.into_iter().zip(group) {
            answers[number] = Some(answer);
        }
    }
    answers
        .into_iter()
        .map(|answer| answer.ok_or(Gone))
        .collect()
}
