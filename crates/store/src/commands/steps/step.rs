//! What one shard does for a command that concerns several.

use corelane_wire::slot_of;

use crate::commands::put::push_put;
use crate::commands::string::set::{report, store};
use crate::exec::{Data, Event, Limits};
use crate::keyspace::{Detached, Expire, Key};

/// One act on one key, to be run where the key is.
#[derive(Debug)]
pub struct Step {
    /// The database.
    pub db: u16,
    /// The key's slot: its owner runs the step.
    pub slot: u16,
    /// The key.
    pub key: Box<[u8]>,
    /// Whether the step is refused when memory is out.
    pub deny_oom: bool,
    /// What is done.
    pub op: Op,
}

/// What a step does with its key.
#[derive(Debug)]
pub enum Op {
    /// Tells whether the key exists.
    Exists,
    /// Takes the value with its expiry out, or copies it.
    Fetch {
        /// Whether the key stays.
        leave: bool,
    },
    /// Puts a value with its expiry under the key.
    Put {
        /// The value.
        value: Detached,
        /// Whether it replaces what is there.
        replace: bool,
        /// What watchers are told.
        event: Event,
    },
    /// Sets the key to a string, without expiry.
    Set {
        /// The string.
        value: Box<[u8]>,
    },
}

/// What came of a step.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Op::Exists`].
    Exists(bool),
    /// Of [`Op::Fetch`]: nothing if the key does not exist.
    Fetched(Option<Detached>),
    /// Of [`Op::Put`]: the value comes back if it may not replace what is there.
    Put(Result<(), Detached>),
    /// Of [`Op::Set`].
    Set,
    /// The step was refused, because it may add to memory and none is left.
    OutOfMemory,
}

impl Step {
    pub(crate) fn new(db: u16, key: &[u8], op: Op) -> Self {
        Self {
            db,
            slot: slot_of(key),
            key: key.into(),
            deny_oom: false,
            op,
        }
    }

    /// The same step, refused when memory is out.
    pub(crate) fn deny_oom(mut self) -> Self {
        self.deny_oom = true;
        self
    }

    /// Runs the step on the shard that owns its key. Effects and touched keys are reported as a command's are.
    pub fn run(self, data: &mut Data<'_>, limits: &Limits) -> Answer {
        if self.deny_oom && data.space.over_limit(limits.max_memory_bytes) {
            return Answer::OutOfMemory;
        }
        let mut data = data.in_db(self.db);
        let key = data.space.key(&self.key, Some(self.slot));
        match self.op {
            Op::Exists => Answer::Exists(data.contains(&key)),
            Op::Fetch { leave: true } => Answer::Fetched(copy_out(&mut data, &key)),
            Op::Fetch { leave: false } => Answer::Fetched(take_out(&mut data, &key)),
            Op::Put {
                value,
                replace,
                event,
            } => Answer::Put(put(&mut data, &key, value, replace, event)),
            Op::Set { value } => {
                store(&mut data, &key, &value, Expire::Clear);
                report(&mut data, &key, &value, Expire::Clear);
                Answer::Set
            }
        }
    }
}

fn copy_out(data: &mut Data<'_>, key: &Key<'_>) -> Option<Detached> {
    if data.get(key).is_none() {
        data.touch(key, Event::KEYMISS);
    }
    data.copy(key)
}

fn take_out(data: &mut Data<'_>, key: &Key<'_>) -> Option<Detached> {
    let value = data.take(key);
    if value.is_some() {
        data.rewrite([&b"DEL"[..], key.name()]);
        data.touch(key, Event::RENAME_FROM);
    }
    value
}

fn put(
    data: &mut Data<'_>,
    key: &Key<'_>,
    value: Detached,
    replace: bool,
    event: Event,
) -> Result<(), Detached> {
    if data.contains(key) && !replace {
        return Err(value);
    }
    push_put(data, key, value.value());
    if !data.put(key, value) {
        data.touch(key, Event::NEW);
    }
    data.touch(key, event);
    Ok(())
}
