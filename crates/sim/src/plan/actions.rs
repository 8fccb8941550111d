//! What is asked of one group of keys: a random action, in proportions that differ from run to run.

use crate::model::{Action, Key, Life, OnlyIf, Write};

/// Kinds of actions, in the order of [`Taste`]'s weights.
const KINDS: usize = 22;

/// How often each kind of action is chosen in this run: some kinds not at all, some much.
#[derive(Clone, Debug)]
pub(super) struct Taste {
    weights: [u32; KINDS],
    /// Values are numbers, so that counters count.
    numbers: bool,
    /// The next value: each is written once, so that a read tells who wrote it.
    next_value: u32,
    /// Bytes by which some values are longer.
    long_bytes: usize,
}

impl Taste {
    pub(super) fn random(rng: &mut fastrand::Rng, long_bytes: usize) -> Self {
        let mut weights = [0; KINDS];
        for weight in &mut weights {
            *weight = match rng.u8(0..4) {
                0 => 0,
                1 => 12,
                _ => 3,
            };
        }
        // Something is always written and something read.
        weights[0] += 6;
        weights[1] += 4;
        Self {
            weights,
            numbers: rng.bool(),
            next_value: 0,
            long_bytes,
        }
    }

    fn value(&mut self, rng: &mut fastrand::Rng) -> Box<[u8]> {
        self.next_value += 1;
        let mut text = match self.numbers {
            true => (u64::from(self.next_value) * 1000).to_string(),
            false => format!("v{}", self.next_value),
        };
        if !self.numbers && rng.u8(0..24) == 0 {
            text.push_str(&"-".repeat(rng.usize(0..=self.long_bytes)));
        }
        text.into_bytes().into()
    }

    /// An action on a group of `keys` keys.
    pub(super) fn action(&mut self, rng: &mut fastrand::Rng, keys: usize) -> Action {
        let keys = keys as Key;
        let key = rng.u8(0..keys);
        let short = |rng: &mut fastrand::Rng| -> Box<[u8]> {
            let digit = b'0' + rng.u8(0..10);
            vec![digit; rng.usize(1..3)].into()
        };
        match self.kind(rng) {
            0 => Action::Get(key),
            1 => Action::Set(self.write(rng, key)),
            2 => Action::Incr(key, i64::from(rng.i8(-3..=3))),
            3 => Action::Append(key, short(rng)),
            4 => Action::Del(some(rng, keys)),
            5 => Action::GetDel(key),
            6 => Action::Mget(some(rng, keys)),
            7 => Action::Mset(self.pairs(rng, keys)),
            8 => Action::Exists(some(rng, keys)),
            9 => Action::Rename(key, rng.u8(0..keys), rng.bool()),
            10 => Action::SetRange(key, rng.u16(0..12), short(rng)),
            11 => Action::Expire(key),
            12 => Action::Persist(key),
            13 => Action::Ttl(key),
            14 => Action::Strlen(key),
            15 => Action::GetRange(key, rng.i64(-6..6), rng.i64(-6..6)),
            16 => Action::GetSet(key, self.value(rng)),
            17 => Action::GetEx(key, rng.bool()),
            18 => Action::MsetNx(self.pairs(rng, keys)),
            19 => Action::Copy(key, rng.u8(0..keys), rng.bool()),
            20 => Action::Set(Write {
                only: Some(OnlyIf::Missing),
                ..self.write(rng, key)
            }),
            _ => Action::Set(Write {
                get: true,
                ..self.write(rng, key)
            }),
        }
    }

    fn kind(&self, rng: &mut fastrand::Rng) -> usize {
        let mut lot = rng.u32(0..self.weights.iter().sum());
        for (kind, weight) in self.weights.iter().enumerate() {
            match lot.checked_sub(*weight) {
                Some(rest) => lot = rest,
                None => return kind,
            }
        }
        unreachable!("the lot is below the weights' sum")
    }

    fn write(&mut self, rng: &mut fastrand::Rng, key: Key) -> Write {
        let only = match rng.u8(0..8) {
            0 => Some(OnlyIf::Missing),
            1 => Some(OnlyIf::Exists),
            _ => None,
        };
        let life = match rng.u8(0..8) {
            0 => Life::Keep,
            1 => Life::Far,
            _ => Life::Clear,
        };
        Write {
            key,
            value: self.value(rng),
            only,
            get: rng.u8(0..3) == 0,
            life,
        }
    }

    pub(super) fn pairs(&mut self, rng: &mut fastrand::Rng, keys: Key) -> Vec<(Key, Box<[u8]>)> {
        let keys = some(rng, keys);
        keys.into_iter().map(|key| (key, self.value(rng))).collect()
    }
}

/// One or more of a group's keys, each once, in any order.
pub(super) fn some(rng: &mut fastrand::Rng, keys: Key) -> Vec<Key> {
    let mut all: Vec<Key> = (0..keys).collect();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..=all.len()));
    all
}
