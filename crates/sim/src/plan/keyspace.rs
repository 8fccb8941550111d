//! The keys of a run. Few, so that clients meet; in groups, each checked as one object.

use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::model::{Entry, Group, Names};

/// Databases that a run uses.
pub(super) const DATABASES: usize = 2;

/// The setting that clients change: one that nothing depends on.
pub const SETTING_NAME: &str = "slowlog-max-len";

/// Its value at start.
pub const SETTING_DEFAULT: &str = "128";

/// The keys that are checked, and those that are not.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// The names of each group's keys, the same in every database. Several keys of one group share a hash tag.
    pub groups: Vec<Names>,
    /// Keys on any shard, for commands over several shards: those promise no atomicity yet, so nothing is checked
    /// of these keys but that every command has its one reply.
    pub loose: Names,
}

impl Keyspace {
    pub(super) fn random(rng: &mut fastrand::Rng, groups: RangeInclusive<usize>) -> Self {
        let groups = rng.usize(groups);
        let group = |rng: &mut fastrand::Rng| {
            let tag = rng.u32(..);
            match rng.u8(0..3) {
                0 => (0..rng.usize(2..=3))
                    .map(|n| format!("{{{tag:x}}}{n}").into_bytes())
                    .collect(),
                _ => vec![format!("k{tag:x}").into_bytes()],
            }
        };
        Self {
            groups: (0..groups).map(|_| group(rng)).collect(),
            loose: (0..6)
                .map(|_| format!("loose{:x}", rng.u16(..)).into_bytes())
                .collect(),
        }
    }

    /// Histories that a run keeps: one for each group and database, and one for the setting.
    pub fn objects(&self) -> usize {
        self.groups.len() * DATABASES + 1
    }

    /// The history of a group.
    pub fn object(&self, db: usize, group: usize) -> usize {
        db * self.groups.len() + group
    }

    /// The history of the setting, which is checked like a key of its own.
    pub fn setting(&self) -> usize {
        self.objects() - 1
    }

    /// Where an object starts.
    pub fn start(&self, object: usize) -> Group {
        if object == self.setting() {
            let value = Rc::from(SETTING_DEFAULT.as_bytes());
            let expires = false;
            return Group::from_elem(Some(Entry { value, expires }), 1);
        }
        Group::from_elem(None, self.groups[object % self.groups.len()].len())
    }

    /// An object, for people.
    pub fn name(&self, object: usize) -> String {
        if object == self.setting() {
            return format!("the setting {SETTING_NAME}");
        }
        let names = self.names(object);
        let keys: Vec<_> = names
            .iter()
            .map(|name| String::from_utf8_lossy(name))
            .collect();
        format!(
            "{} in database {}",
            keys.join(", "),
            object / self.groups.len()
        )
    }

    /// The names of an object's keys.
    pub fn names(&self, object: usize) -> Names {
        if object == self.setting() {
            return vec![SETTING_NAME.into()];
        }
        self.groups[object % self.groups.len()].clone()
    }
}
