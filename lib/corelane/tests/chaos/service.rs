//! The service under test: each key has a history, and whoever writes a line looks whether the state that it writes
//! to knows all lines before it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use corelane::{Cx, Handoff, Outcome, Service, ShardId, time};

use crate::driver::Opened;
use crate::journal::{Journal, Line, Op};
use crate::plan::{Plan, Style};

/// Partitions, each with the histories of its keys.
pub type Parts = BTreeMap<usize, BTreeMap<usize, Vec<Line>>>;

/// One shard's state.
pub struct Histories {
    me: ShardId,
    style: Style,
    partition_of: Vec<usize>,
    parts: Parts,
    /// Partitions that are being exported: keys still to be exported, and keys that have changed since.
    exports: BTreeMap<usize, Export>,
    /// Partitions that parcels have come for and nothing else yet.
    imports: BTreeSet<usize>,
    journal: Journal,
}

#[derive(Default)]
struct Export {
    left: BTreeSet<usize>,
    changed: BTreeSet<usize>,
}

/// Keys with their histories.
pub type Parcel = BTreeMap<usize, Vec<Line>>;

/// What it can be asked.
#[derive(Debug, Clone)]
pub struct Ask {
    pub op: Op,
    /// `None`: of the shard itself.
    pub key: Option<usize>,
    pub how: How,
}

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Now,
    /// After so long, with a second line at the end.
    Later {
        us: u64,
    },
    /// After having asked for another key, with its options.
    Nested {
        key: usize,
    },
    Reject,
    Panic,
}

impl Histories {
    pub fn new(me: ShardId, plan: &Plan, journal: Journal) -> Self {
        Self {
            me,
            style: plan.style,
            partition_of: plan.keys.iter().map(|key| key.partition).collect(),
            parts: Parts::new(),
            exports: BTreeMap::new(),
            imports: BTreeSet::new(),
            journal,
        }
    }

    pub fn parts(&self) -> Parts {
        self.parts.clone()
    }

    /// Writes a line, here and in the book, which must agree on all before it.
    pub fn write(&mut self, key: usize, line: Line) {
        let partition = self.partition_of[key];
        self.imports.remove(&partition);
        let part = self.parts.entry(partition).or_default();
        let here = part.entry(key).or_default();
        let mut book = self.journal.book();
        if *here != book.history[key] {
            let (here, all) = (here.len(), book.history[key].len());
            let me = self.me;
            book.violation(format!(
                "shard {me} knows {here} of {all} lines of key {key} when it writes {line:?}"
            ));
        }
        here.push(line);
        book.history[key].push(line);
        if let Some(export) = self.exports.get_mut(&partition)
            && !export.left.contains(&key)
        {
            export.changed.insert(key);
        }
    }

    fn note(&mut self, ask: &Ask) {
        let mut book = self.journal.book();
        book.served += 1;
        book.asked[ask.op.0 as usize].handled += 1;
    }
}

impl Service for Histories {
    const TICK: Duration = Duration::from_secs(1);

    type Request = Ask;
    type Reply = Op;
    type Control = ();

    fn handle(&mut self, ask: Ask, cx: &Cx<'_, Self>) -> Outcome<Self> {
        if ask.how == How::Panic {
            panic!("asked to");
        }
        if ask.how == How::Reject {
            self.journal.book().served += 1;
            return Outcome::rejected("asked to");
        }
        self.note(&ask);
        let (op, key) = (ask.op, ask.key);
        if let Some(key) = key {
            assert_eq!(cx.partition(), Some(self.partition_of[key]));
            self.write(key, Line { op, later: false });
        }
        let mesh = cx.mesh().clone();
        match ask.how {
            How::Now => Outcome::Ready(op),
            How::Later { us } => Outcome::later(async move {
                time::sleep(Duration::from_micros(us)).await;
                mesh.with(|state| {
                    if let Some(key) = key {
                        state.write(key, Line { op, later: true });
                    }
                });
                op
            }),
            How::Nested { key } => {
                let nested = self.journal.ask(self.journal.caller(), Some(key));
                let partition = self.partition_of[key];
                let open = Opened::new(self.journal.clone(), nested);
                let options = cx.options();
                Outcome::later(async move {
                    let ask = Ask {
                        op: nested,
                        key: Some(key),
                        how: How::Now,
                    };
                    let target = corelane::Target::Partition(partition);
                    let call = mesh.call_with(target, ask, options);
                    open.close(&call.await);
                    op
                })
            }
            How::Reject | How::Panic => unreachable!("answered above"),
        }
    }

    fn control(&mut self, (): (), _from: ShardId) {}

    fn shutdown(&mut self) {
        let left = (self.me.number(), self.parts.clone());
        self.journal.book().left.push(left);
    }
}

impl Handoff for Histories {
    type Parcel = Parcel;

    /// A key at a time, but never the last change.
    fn export(&mut self, partition: usize) -> Option<Parcel> {
        if self.style == Style::Whole {
            return None;
        }
        self.imports.remove(&partition);
        let part = self.parts.entry(partition).or_default();
        let export = self.exports.entry(partition).or_insert_with(|| Export {
            left: part.keys().copied().collect(),
            changed: BTreeSet::new(),
        });
        let key = export.left.pop_first()?;
        Some([(key, part[&key].clone())].into())
    }

    fn hand_over(&mut self, partition: usize) -> Parcel {
        self.imports.remove(&partition);
        let mut part = self.parts.remove(&partition).unwrap_or_default();
        if self.style == Style::Sliced {
            let export = self.exports.remove(&partition).unwrap_or_default();
            part.retain(|key, _| export.changed.contains(key) || export.left.contains(key));
        }
        part
    }

    fn import(&mut self, partition: usize, parcel: Parcel) {
        let first = self.imports.insert(partition);
        let part = self.parts.entry(partition).or_default();
        if first && !part.is_empty() {
            let me = self.me;
            let text = format!("shard {me} had something of partition {partition} before it came");
            self.journal.book().violation(text);
        }
        part.extend(parcel);
    }

    fn abandon(&mut self, partition: usize) {
        self.exports.remove(&partition);
        if self.imports.remove(&partition) {
            self.parts.remove(&partition);
        }
    }
}
