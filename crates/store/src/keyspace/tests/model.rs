//! Random operations against `std`'s maps: the keyspace answers as the model does, counts what the
//! model counts, and nothing is lost in growth, splits, expiry, swaps and moves.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Op {
    Set(u16, Expire, Vec<u8>),
    SetInt(u16, Expire, i64),
    Append(u16, Vec<u8>),
    Grow(u16, usize),
    Get(u16),
    Remove(u16),
    SetExpire(u16, Option<u64>),
    Rename(u16, u16),
    Copy(u16, u16),
    OtherDb(u16),
    Clear,
    Swap,
    Later(u64),
    Sweep(usize),
    Housekeep,
    Move(usize),
    Fill(u16),
}

/// A key that should be there: its value and its expiry.
type Row = (Vec<u8>, Option<u64>);

#[derive(Default)]
struct Model {
    dbs: [BTreeMap<Vec<u8>, Row>; 2],
    now_ms: u64,
}

const NAMES: u16 = 1200;

/// Half of the names share one slot, so that its table splits.
fn name(i: u16) -> Vec<u8> {
    if i < NAMES / 2 {
        format!("{{tag}}{i}").into_bytes()
    } else {
        format!("k{i}").into_bytes()
    }
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..NAMES;
    let expire = || {
        prop_oneof![
            2 => Just(Expire::Clear),
            1 => Just(Expire::Keep),
            1 => (0u64..2000).prop_map(Expire::At),
        ]
    };
    let bytes = || prop::collection::vec(any::<u8>(), 0..100);
    prop_oneof![
        8 => (key(), expire(), bytes()).prop_map(|(k, e, v)| Op::Set(k, e, v)),
        4 => (key(), expire(), any::<i64>()).prop_map(|(k, e, v)| Op::SetInt(k, e, v)),
        3 => (key(), bytes()).prop_map(|(k, v)| Op::Append(k, v)),
        2 => (key(), 0usize..40_000).prop_map(|(k, len)| Op::Grow(k, len)),
        4 => key().prop_map(Op::Get),
        4 => key().prop_map(Op::Remove),
        3 => (key(), prop::option::of(0u64..2000)).prop_map(|(k, at)| Op::SetExpire(k, at)),
        2 => (key(), key()).prop_map(|(from, to)| Op::Rename(from, to)),
        2 => (key(), key()).prop_map(|(from, to)| Op::Copy(from, to)),
        1 => key().prop_map(Op::OtherDb),
        1 => Just(Op::Clear),
        1 => Just(Op::Swap),
        3 => (0u64..100).prop_map(Op::Later),
        2 => (0usize..100).prop_map(Op::Sweep),
        1 => Just(Op::Housekeep),
        1 => (0..PARTITIONS).prop_map(Op::Move),
        3 => (0u16..600).prop_map(Op::Fill),
    ]
}

impl Model {
    fn live(&mut self, db: usize, name: &[u8]) -> Option<&mut Row> {
        let now_ms = self.now_ms;
        let due = |row: &Row| row.1.is_some_and(|at| at <= now_ms);
        if self.dbs[db].get(name).is_some_and(due) {
            self.dbs[db].remove(name);
        }
        self.dbs[db].get_mut(name)
    }

    fn set(&mut self, name: Vec<u8>, value: Vec<u8>, expire: Expire) -> bool {
        let kept = self.live(0, &name).map(|row| row.1);
        let at_ms = match expire {
            Expire::Clear => None,
            Expire::Keep => kept.flatten(),
            Expire::At(at_ms) => Some(at_ms),
        };
        self.dbs[0].insert(name, (value, at_ms));
        kept.is_some()
    }

    fn made(&mut self, name: &[u8]) -> &mut Vec<u8> {
        self.live(0, name);
        &mut self.dbs[0].entry(name.to_vec()).or_default().0
    }

    fn all_live(&self, db: usize) -> Vec<Vec<u8>> {
        let live = |row: &Row| row.1.is_none_or(|at| at > self.now_ms);
        self.dbs[db]
            .iter()
            .filter(|(_, row)| live(row))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// Does `op` to both and compares what they say.
fn apply(space: &mut Keyspace, model: &mut Model, op: &Op) {
    let now = model.now_ms;
    match op {
        Op::Set(k, expire, value) => {
            let name = name(*k);
            let prior = space.set_bytes(0, &space.key(&name, None), value, *expire, now);
            assert_eq!(
                prior == Prior::Live,
                model.set(name, value.clone(), *expire)
            );
        }
        Op::SetInt(k, expire, int) => {
            let name = name(*k);
            let prior = space.set_int(0, &space.key(&name, None), *int, *expire, now);
            let text = int.to_string().into_bytes();
            assert_eq!(prior == Prior::Live, model.set(name, text, *expire));
        }
        Op::Append(k, tail) => {
            let name = name(*k);
            let key = space.key(&name, None);
            space.remove_expired(0, &key, now);
            let value = model.made(&name);
            value.extend_from_slice(tail);
            assert_eq!(space.append(0, &key, tail, now), value.len());
        }
        Op::Grow(k, len) => {
            let name = name(*k);
            let key = space.key(&name, None);
            space.remove_expired(0, &key, now);
            let value = model.made(&name);
            value.resize(value.len().max(*len), 0);
            assert_eq!(space.bytes_mut(0, &key, *len, now), value.as_slice());
        }
        Op::Get(k) => {
            let expected = model.live(0, &name(*k)).map(|row| row.0.clone());
            assert_eq!(get(space, 0, &name(*k), now), expected);
        }
        Op::Remove(k) => {
            let name = name(*k);
            let expected = model.live(0, &name).is_some();
            let prior = space.remove(0, &space.key(&name, None), now);
            assert_eq!(prior == Prior::Live, expected);
            model.dbs[0].remove(&name);
        }
        Op::SetExpire(k, at_ms) => {
            let name = name(*k);
            let key = space.key(&name, None);
            space.remove_expired(0, &key, now);
            let row = model.live(0, &name);
            assert_eq!(space.set_expire(0, &key, *at_ms), row.is_some());
            row.into_iter().for_each(|row| row.1 = *at_ms);
        }
        Op::Rename(from, to) => move_between(space, model, (0, *from), (0, *to), false),
        Op::Copy(from, to) => move_between(space, model, (0, *from), (0, *to), true),
        Op::OtherDb(k) => move_between(space, model, (0, *k), (1, *k), false),
        Op::Clear => {
            space.clear(0);
            model.dbs[0].clear();
        }
        Op::Swap => {
            space.swap(0, 1);
            model.dbs.swap(0, 1);
        }
        Op::Later(ms) => model.now_ms += ms,
        Op::Sweep(budget) => sweep(space, model, *budget),
        Op::Housekeep => {
            space.housekeep(500);
        }
        Op::Move(partition) => {
            let moved = space.detach(*partition).expect("all partitions are here");
            assert!(space.detach(*partition).is_none());
            space.attach(*partition, moved);
        }
        Op::Fill(from) => {
            for k in *from..*from + 300 {
                let name = name(k);
                set(space, 0, &name, b"filled");
                model.set(name, b"filled".to_vec(), Expire::Clear);
            }
        }
    }
}

fn move_between(
    space: &mut Keyspace,
    model: &mut Model,
    (from_db, from): (u16, u16),
    (to_db, to): (u16, u16),
    copy: bool,
) {
    let (from, to) = (name(from), name(to));
    let source = space.key(&from, None);
    let target = space.key(&to, None);
    space.remove_expired(from_db, &source, model.now_ms);
    let row = model.live(from_db as usize, &from).map(|row| row.clone());
    let detached = if copy {
        space
            .peek(from_db, &source, model.now_ms)
            .map(Value::to_detached)
    } else {
        model.dbs[from_db as usize].remove(&from);
        space.take(from_db, &source)
    };
    assert_eq!(detached.is_some(), row.is_some());
    if let (Some(detached), Some(row)) = (detached, row) {
        space.put(to_db, &target, detached, model.now_ms);
        model.dbs[to_db as usize].insert(to, row);
    }
}

fn sweep(space: &mut Keyspace, model: &mut Model, budget: usize) {
    let mut removed = Vec::new();
    let slice = space.expire_slice(model.now_ms, budget, |db, name| {
        removed.push((db, name.to_vec()));
    });
    assert_eq!(slice.removed, removed.len());
    assert!(slice.removed <= slice.examined && slice.examined <= budget + 7);
    for (db, name) in removed {
        let row = model.dbs[db as usize].remove(&name).expect("it was there");
        assert!(row.1.is_some_and(|at| at <= model.now_ms), "it had expired");
    }
}

/// Compares all there is.
fn compare(space: &mut Keyspace, model: &mut Model) {
    for db in 0..2u16 {
        let now = model.now_ms;
        let mut names = walk(space, db, 10, now);
        names.sort();
        assert_eq!(names, model.all_live(db as usize));
        for name in names {
            let row = &model.dbs[db as usize][&name];
            let key = space.key(&name, None);
            let value = space.peek(db, &key, now).expect("it was just walked over");
            assert_eq!(value.string().bytes(&mut itoa::Buffer::new()), row.0);
            assert_eq!(value.expire_at_ms(), row.1);
        }
        recount(space, db);
    }
}

/// The counts of a database are those of its entries.
fn recount(space: &Keyspace, db: u16) {
    let (mut keys, mut volatile, mut bytes, mut cursor) = (0, 0, 0, 0);
    loop {
        cursor = space.scan(db, cursor, usize::MAX, 0, &mut Vec::new(), |value| {
            keys += 1;
            volatile += u64::from(value.expire_at_ms().is_some());
            bytes += value.0.bytes() as u64;
        });
        if cursor == 0 {
            break;
        }
    }
    let counts = space.counts(db);
    // A walk at time 0 skips what expires at 0.
    assert!(keys <= counts.keys && volatile <= counts.volatile && bytes <= counts.entry_bytes);
    let hidden = counts.keys - keys;
    assert_eq!(counts.volatile - volatile, hidden);
    assert_eq!(hidden == 0, bytes == counts.entry_bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_keyspace_does_what_the_model_does(ops in prop::collection::vec(op(), 0..250)) {
        let (mut space, mut model) = (space(), Model::default());
        for op in &ops {
            apply(&mut space, &mut model, op);
        }
        compare(&mut space, &mut model);
        for db in 0..space.databases() {
            space.clear(db);
        }
        while space.housekeep(1000) {}
        prop_assert_eq!(space.used_bytes(), 0, "all memory came back");
    }
}
