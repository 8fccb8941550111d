//! The histories of a run, one per object, as clients write them.

use corelane_wire::Value;

use crate::check::{End, Op};
use crate::model::Action;
use crate::plan::{Part, Pick};

/// An operation of a history of keys.
pub(crate) type KeyOp = Op<Action, Value>;

/// All histories.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// One per object; what turned out never to have been sent is taken out again.
    histories: Vec<Vec<Option<KeyOp>>>,
}

/// An operation, to end it later.
#[derive(Debug)]
pub(crate) struct Handle {
    object: usize,
    index: usize,
    pick: Pick,
}

impl Record {
    pub(crate) fn new(objects: usize) -> Self {
        Self {
            histories: (0..objects).map(|_| Vec::new()).collect(),
        }
    }

    /// An operation begins. Nobody knows how it ends until somebody says so.
    pub(crate) fn call(&mut self, process: u32, now_ns: u64, part: &Part) -> Handle {
        let history = &mut self.histories[part.object];
        history.push(Some(Op {
            process,
            called_ns: now_ns,
            action: part.action.clone(),
            end: End::Open,
        }));
        Handle {
            object: part.object,
            index: history.len() - 1,
            pick: part.pick.clone(),
        }
    }

    /// Its reply arrived.
    pub(crate) fn reply(&mut self, handle: &Handle, at_ns: u64, reply: &Value) {
        self.end(
            handle,
            match handle.pick.of(reply) {
                Some(reply) => End::Replied { at_ns, reply },
                None => End::Done { by_ns: at_ns },
            },
        );
    }

    /// It took effect; it has no reply.
    pub(crate) fn done(&mut self, handle: &Handle, by_ns: u64) {
        self.end(handle, End::Done { by_ns });
    }

    /// It was never sent.
    pub(crate) fn never_sent(&mut self, handle: &Handle) {
        self.histories[handle.object][handle.index] = None;
    }

    /// What an earlier reader of the same key of the same object was told, if it was something else than `reply`.
    pub(crate) fn earlier_reply(&self, handle: &Handle, reply: &Value) -> Option<Value> {
        let history = &self.histories[handle.object];
        let action = &history[handle.index].as_ref()?.action;
        let same = history.iter().flatten().filter(|op| op.action == *action);
        let mut replies = same.filter_map(|op| op.end.reply());
        replies.find(|earlier| *earlier != reply).cloned()
    }

    /// The histories, object by object.
    pub(crate) fn into_histories(self) -> Vec<Vec<KeyOp>> {
        let whole = |history: Vec<Option<KeyOp>>| history.into_iter().flatten().collect();
        self.histories.into_iter().map(whole).collect()
    }

    fn end(&mut self, handle: &Handle, end: End<Value>) {
        if let Some(op) = &mut self.histories[handle.object][handle.index] {
            op.end = end;
        }
    }
}
