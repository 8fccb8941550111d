//! The state of a group of keys, and what each action does to it and answers.

use std::rc::Rc;

use corelane_wire::Value;
use corelane_wire::number::parse_i64;
use smallvec::SmallVec;

use super::action::{Action, Key, Life, OnlyIf, Write};
use crate::check::Model;

/// The keys of a group, in the group's order; those that do not exist are `None`.
pub type Group = SmallVec<[Option<Entry>; 3]>;

/// A key that exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its value.
    pub value: Rc<[u8]>,
    /// Whether it expires one day.
    pub expires: bool,
}

/// Strings under keys, as Redis has them.
#[derive(Clone, Copy, Debug)]
pub struct Strings;

impl Model for Strings {
    type State = Group;
    type Action = Action;
    type Reply = Value;

    fn step(group: &Group, action: &Action, reply: Option<&Value>) -> Option<Group> {
        let mut after = group.clone();
        let answer = act(&mut after, action);
        match reply {
            Some(reply) if !answer.is(reply) => None,
            _ => Some(after),
        }
    }

    fn is_inert(action: &Action, reply: Option<&Value>) -> bool {
        use Action::*;
        match action {
            Get(_) | Strlen(_) | GetRange(..) | Ttl(_) | Exists(_) | Mget(_) | MsetOdd(_) => true,
            Flush | GetSet(..) | Mset(_) | Append(..) => false,
            Del(_) | MsetNx(_) | Copy(..) | Expire(_) | Persist(_) | Rename(_, _, true) => {
                matches!(reply, Some(Value::Int(0) | Value::Error(_)))
            }
            GetDel(_) | GetEx(..) => reply == Some(&Value::Null),
            Incr(..) | SetRange(..) | Rename(..) => matches!(reply, Some(Value::Error(_))),
            Set(write) => is_refused(write, reply),
        }
    }

    fn values(group: &Group) -> Vec<&[u8]> {
        group.iter().flatten().map(|entry| &*entry.value).collect()
    }

    fn seen<'a>(action: &'a Action, reply: &'a Value) -> Vec<&'a [u8]> {
        use Action::*;
        match (action, reply) {
            (Get(_) | GetDel(_) | GetEx(..) | GetSet(..), Value::Bulk(value)) => vec![value],
            (Set(write), Value::Bulk(value)) if write.get => vec![value],
            (Mget(_), Value::Array(values)) => values.iter().filter_map(Value::as_bytes).collect(),
            _ => Vec::new(),
        }
    }

    fn may_make(action: &Action, reply: Option<&Value>, made: &[u8]) -> bool {
        use Action::*;
        if Self::is_inert(action, reply) {
            return false;
        }
        let set = |pairs: &[(Key, Box<[u8]>)]| pairs.iter().any(|(_, value)| **value == *made);
        // Both answer with the length that they have made.
        let length = |at: usize| {
            let told = reply.and_then(Value::as_int);
            made.len() >= at && told.is_none_or(|length| length == made.len() as i64)
        };
        match action {
            Set(write) => *write.value == *made,
            GetSet(_, value) => **value == *made,
            Mset(pairs) | MsetNx(pairs) => set(pairs),
            Incr(..) => {
                let number = parse_i64(made);
                let told = reply.and_then(Value::as_int);
                number.is_some() && (told.is_none() || told == number)
            }
            Append(_, more) => length(more.len()) && made.ends_with(more),
            SetRange(_, at, part) => {
                let at = usize::from(*at);
                length(at + part.len()) && made[at..].starts_with(part)
            }
            // The others move values and take them away.
            _ => false,
        }
    }
}

/// Whether a `SET` says that its condition did not hold.
fn is_refused(write: &Write, reply: Option<&Value>) -> bool {
    match (write.only, write.get, reply) {
        (Some(_), false, Some(reply)) => *reply == Value::Null,
        (Some(OnlyIf::Missing), true, Some(reply)) => *reply != Value::Null,
        (Some(OnlyIf::Exists), true, Some(reply)) => *reply == Value::Null,
        _ => false,
    }
}

/// What an action answers.
enum Answer {
    Is(Value),
    Refusal,
    /// A time to live: how long is left does not matter.
    SomeSeconds,
}

impl Answer {
    fn is(&self, reply: &Value) -> bool {
        match (self, reply) {
            (Self::Is(expected), reply) => expected == reply,
            (Self::Refusal, Value::Error(text)) => text.starts_with("ERR "),
            (Self::SomeSeconds, Value::Int(seconds)) => *seconds > 0,
            (Self::Refusal | Self::SomeSeconds, _) => false,
        }
    }
}

fn ok() -> Answer {
    Answer::Is(Value::Simple("OK".to_owned()))
}

fn int(number: impl TryInto<i64>) -> Answer {
    Answer::Is(Value::Int(number.try_into().unwrap_or(i64::MAX)))
}

fn string(entry: Option<&Entry>) -> Value {
    entry.map_or(Value::Null, |entry| Value::Bulk(entry.value.to_vec()))
}

fn put(group: &mut Group, key: Key, value: &[u8], expires: bool) {
    group[usize::from(key)] = Some(Entry {
        value: value.into(),
        expires,
    });
}

fn act(group: &mut Group, action: &Action) -> Answer {
    let at = |key: &Key| usize::from(*key);
    match action {
        Action::Get(key) => Answer::Is(string(group[at(key)].as_ref())),
        Action::Strlen(key) => int(bytes(group, *key).len()),
        Action::GetRange(key, from, to) => {
            Answer::Is(Value::Bulk(range(bytes(group, *key), *from, *to).to_vec()))
        }
        Action::Ttl(key) => match &group[at(key)] {
            None => int(-2),
            Some(entry) if entry.expires => Answer::SomeSeconds,
            Some(_) => int(-1),
        },
        Action::Exists(keys) => int(keys.iter().filter(|key| group[at(key)].is_some()).count()),
        Action::Mget(keys) => {
            let values = keys.iter().map(|key| string(group[at(key)].as_ref()));
            Answer::Is(Value::Array(values.collect()))
        }
        Action::Set(write) => set(group, write),
        Action::GetSet(key, value) => {
            let old = string(group[at(key)].as_ref());
            put(group, *key, value, false);
            Answer::Is(old)
        }
        Action::GetDel(key) => Answer::Is(string(group[at(key)].take().as_ref())),
        Action::GetEx(key, far) => {
            let entry = &mut group[at(key)];
            if let Some(entry) = entry {
                entry.expires = *far;
            }
            Answer::Is(string(entry.as_ref()))
        }
        Action::Incr(key, by) => incr(group, *key, *by),
        Action::Append(key, more) => {
            let value = [bytes(group, *key), more].concat();
            change(group, *key, value)
        }
        Action::SetRange(key, offset, part) => set_range(group, *key, usize::from(*offset), part),
        Action::Del(keys) => {
            let gone = keys.iter().filter(|key| group[at(key)].take().is_some());
            int(gone.count())
        }
        Action::Mset(pairs) => {
            pairs
                .iter()
                .for_each(|(key, value)| put(group, *key, value, false));
            ok()
        }
        Action::MsetNx(pairs) => {
            let free = pairs.iter().all(|(key, _)| group[at(key)].is_none());
            if free {
                pairs
                    .iter()
                    .for_each(|(key, value)| put(group, *key, value, false));
            }
            int(i64::from(free))
        }
        Action::MsetOdd(_) => Answer::Refusal,
        Action::Rename(from, to, only_new) => rename(group, at(from), at(to), *only_new),
        Action::Copy(from, to, replace) => copy(group, at(from), at(to), *replace),
        Action::Expire(key) => {
            let found = group[at(key)].as_mut();
            int(i64::from(found.map(|entry| entry.expires = true).is_some()))
        }
        Action::Persist(key) => {
            let timed = group[at(key)].as_mut().filter(|entry| entry.expires);
            int(i64::from(
                timed.map(|entry| entry.expires = false).is_some(),
            ))
        }
        Action::Flush => {
            group.iter_mut().for_each(|entry| *entry = None);
            ok()
        }
    }
}

fn bytes(group: &Group, key: Key) -> &[u8] {
    let entry = group[usize::from(key)].as_ref();
    entry.map_or(&[], |entry| &entry.value)
}

/// Replaces a value and keeps its expiry; answers with the new length.
fn change(group: &mut Group, key: Key, value: Vec<u8>) -> Answer {
    let expires = group[usize::from(key)]
        .as_ref()
        .is_some_and(|entry| entry.expires);
    put(group, key, &value, expires);
    int(value.len())
}

fn range(bytes: &[u8], from: i64, to: i64) -> &[u8] {
    let len = bytes.len() as i64;
    // Redis looks at the order of two negative positions before it cuts them off at the start.
    if from < 0 && to < 0 && from > to {
        return &[];
    }
    let place = |at: i64| if at < 0 { (at + len).max(0) } else { at };
    let (from, to) = (place(from), place(to).min(len - 1));
    match from > to {
        true => &[],
        false => &bytes[from as usize..=to as usize],
    }
}

fn set(group: &mut Group, write: &Write) -> Answer {
    let old = group[usize::from(write.key)].clone();
    let holds = match write.only {
        None => true,
        Some(OnlyIf::Missing) => old.is_none(),
        Some(OnlyIf::Exists) => old.is_some(),
    };
    if holds {
        let expires = match write.life {
            Life::Clear => false,
            Life::Far => true,
            Life::Keep => old.as_ref().is_some_and(|entry| entry.expires),
        };
        put(group, write.key, &write.value, expires);
    }
    match (write.get, holds) {
        (true, _) => Answer::Is(string(old.as_ref())),
        (false, true) => ok(),
        (false, false) => Answer::Is(Value::Null),
    }
}

fn incr(group: &mut Group, key: Key, by: i64) -> Answer {
    let old = match &group[usize::from(key)] {
        None => Some(0),
        Some(entry) => parse_i64(&entry.value),
    };
    let Some(new) = old.and_then(|old| old.checked_add(by)) else {
        return Answer::Refusal;
    };
    change(group, key, new.to_string().into_bytes());
    int(new)
}

fn set_range(group: &mut Group, key: Key, offset: usize, part: &[u8]) -> Answer {
    let mut value = bytes(group, key).to_vec();
    if part.is_empty() {
        return int(value.len());
    }
    value.resize(value.len().max(offset + part.len()), 0);
    value[offset..offset + part.len()].copy_from_slice(part);
    change(group, key, value)
}

fn rename(group: &mut Group, from: usize, to: usize, only_new: bool) -> Answer {
    if group[from].is_none() {
        return Answer::Refusal;
    }
    let taken = group[to].is_some();
    if from != to && !(only_new && taken) {
        group[to] = group[from].take();
    }
    match only_new {
        true => int(i64::from(!taken)),
        false => ok(),
    }
}

fn copy(group: &mut Group, from: usize, to: usize, replace: bool) -> Answer {
    if from == to {
        return Answer::Refusal;
    }
    let copied = group[from].is_some() && (replace || group[to].is_none());
    if copied {
        group[to] = group[from].clone();
    }
    int(i64::from(copied))
}
