//! Commands on the groups of keys that are checked.

use super::expect::{Expect, Part, Pick};
use super::request::{Request, split};
use crate::model::{Action, Key};
use crate::plan::actions::{Taste, some};
use crate::plan::keyspace::{DATABASES, Keyspace};

impl Request {
    /// An action on one group.
    pub(crate) fn action(keyspace: &Keyspace, object: usize, action: Action) -> Self {
        let words = action.words(&keyspace.names(object));
        let pick = Pick::Whole;
        let part = Part {
            object,
            action,
            pick,
        };
        Self::new(words, Expect::Parts(vec![part]))
    }

    /// Everything of every database, or of one, is deleted.
    pub(in crate::plan) fn flush(keyspace: &Keyspace, only_db: Option<usize>) -> Self {
        let dbs = (0..DATABASES).filter(|db| only_db.is_none_or(|only| only == *db));
        let groups = 0..keyspace.groups.len();
        let objects = dbs.flat_map(|db| groups.clone().map(move |group| (db, group)));
        let part = |(db, group)| Part {
            object: keyspace.object(db, group),
            action: Action::Flush,
            pick: Pick::Whole,
        };
        let command = if only_db.is_some() {
            "FLUSHDB"
        } else {
            "FLUSHALL"
        };
        Self::new(split(command), Expect::Parts(objects.map(part).collect()))
    }

    /// One command over keys of several groups: `MGET`, `MSET`, `EXISTS` or `UNLINK`, or an `MSET` that must be
    /// refused as a whole. Each group answers for its own keys; nothing is promised about all of them.
    pub(in crate::plan) fn over_groups(
        keyspace: &Keyspace,
        taste: &mut Taste,
        rng: &mut fastrand::Rng,
        db: usize,
    ) -> Self {
        let mut groups: Vec<usize> = (0..keyspace.groups.len()).collect();
        rng.shuffle(&mut groups);
        groups.truncate(rng.usize(1..=groups.len()));
        let chosen = |group: &usize, rng: &mut fastrand::Rng| {
            some(rng, keyspace.groups[*group].len() as Key)
        };
        let mut places: Vec<(usize, Key)> = Vec::new();
        for group in &groups {
            places.extend(chosen(group, rng).into_iter().map(|key| (*group, key)));
        }
        rng.shuffle(&mut places);
        match rng.u8(0..8) {
            0..3 => Self::reads(keyspace, db, &groups, &places),
            3..5 => Self::counts(keyspace, db, &groups, &places, rng.bool()),
            kind => Self::writes(keyspace, taste, rng, db, &groups, kind == 7),
        }
    }

    fn reads(keyspace: &Keyspace, db: usize, groups: &[usize], places: &[(usize, Key)]) -> Self {
        let part = |group: &usize| {
            let own = places
                .iter()
                .enumerate()
                .filter(|(_, place)| place.0 == *group);
            let (at, keys) = own.map(|(at, place)| (at, place.1)).unzip();
            Part {
                object: keyspace.object(db, *group),
                action: Action::Mget(keys),
                pick: Pick::Elements {
                    at,
                    of: places.len(),
                },
            }
        };
        let parts = groups.iter().map(part).collect();
        Self::new(line("MGET", keyspace, places), Expect::Parts(parts))
    }

    fn counts(
        keyspace: &Keyspace,
        db: usize,
        groups: &[usize],
        places: &[(usize, Key)],
        delete: bool,
    ) -> Self {
        let part = |group: &usize| {
            let own = places.iter().filter(|place| place.0 == *group);
            let keys: Vec<Key> = own.map(|place| place.1).collect();
            let pick = Pick::Share {
                own: keys.len() as i64,
                of: places.len() as i64,
            };
            let action = match delete {
                true => Action::Del(keys),
                false => Action::Exists(keys),
            };
            Part {
                object: keyspace.object(db, *group),
                action,
                pick,
            }
        };
        let parts = groups.iter().map(part).collect();
        let command = if delete { "UNLINK" } else { "EXISTS" };
        Self::new(line(command, keyspace, places), Expect::Parts(parts))
    }

    fn writes(
        keyspace: &Keyspace,
        taste: &mut Taste,
        rng: &mut fastrand::Rng,
        db: usize,
        groups: &[usize],
        odd: bool,
    ) -> Self {
        let mut words = vec![b"MSET".to_vec()];
        let mut parts = Vec::new();
        for group in groups {
            let names = &keyspace.groups[*group];
            let pairs = taste.pairs(rng, names.len() as Key);
            for (key, value) in &pairs {
                words.push(names[usize::from(*key)].clone());
                words.push(value.to_vec());
            }
            let action = match odd {
                true => Action::MsetOdd(pairs),
                false => Action::Mset(pairs),
            };
            parts.push(Part {
                object: keyspace.object(db, *group),
                action,
                pick: Pick::Whole,
            });
        }
        if odd {
            words.pop();
        }
        Self::new(words, Expect::Parts(parts))
    }
}

fn line(command: &str, keyspace: &Keyspace, places: &[(usize, Key)]) -> Vec<Vec<u8>> {
    let name = |(group, key): &(usize, Key)| keyspace.groups[*group][usize::from(*key)].clone();
    let command = std::iter::once(command.into());
    command.chain(places.iter().map(name)).collect()
}
