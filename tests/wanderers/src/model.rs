//! What a client's own keys hold, in each of its databases, and what a command on them answers.

use std::collections::HashMap;

use corelane_wire::Value;

/// Databases that a client goes between.
pub(crate) const DATABASES: usize = 2;

/// Keys of each client in each database.
const KEYS: usize = 12;

/// An appended value is begun anew above this.
const LONGEST_BYTES: usize = 512;

/// One client's keys.
pub(crate) struct Model {
    prefix: String,
    values: [HashMap<usize, Vec<u8>>; DATABASES],
    next: u64,
}

/// A command and its one right answer.
pub(crate) struct Asked {
    pub(crate) words: Vec<Vec<u8>>,
    pub(crate) answer: Value,
}

impl Asked {
    pub(crate) fn new(words: &[&str], answer: Value) -> Self {
        Self {
            words: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            answer,
        }
    }

    pub(crate) fn ok(words: &[&str]) -> Self {
        Self::new(words, Value::Simple("OK".to_owned()))
    }
}

impl Model {
    pub(crate) fn new(prefix: String) -> Self {
        Self {
            prefix,
            values: Default::default(),
            next: 0,
        }
    }

    /// A command on own keys, anywhere in the keyspace.
    pub(crate) fn command(&mut self, rng: &mut fastrand::Rng, db: usize) -> Asked {
        self.next += 1;
        let number = rng.usize(..KEYS);
        let name = self.name(number);
        match rng.u8(0..20) {
            0..6 => self.incr(db, number),
            6..9 => self.append(db, number),
            9..12 => {
                let value = format!("v{}", self.next);
                let values = &mut self.values[db];
                values.insert(number, value.clone().into_bytes());
                Asked::ok(&["SET", &name, &value])
            }
            12..15 => Asked::new(&["GET", &name], self.value(db, number)),
            15..18 => self.mget(rng, db),
            18 => {
                let length = self.values[db].get(&number).map_or(0, Vec::len);
                Asked::new(&["STRLEN", &name], Value::Int(length as i64))
            }
            _ => {
                let gone = self.values[db].remove(&number).is_some();
                Asked::new(&["DEL", &name], Value::Int(i64::from(gone)))
            }
        }
    }

    /// Every key of a database, at the end.
    pub(crate) fn everything(&self, db: usize) -> Asked {
        let numbers: Vec<usize> = (0..KEYS).collect();
        self.read(db, &numbers)
    }

    fn name(&self, number: usize) -> String {
        format!("{}:{number}", self.prefix)
    }

    fn value(&self, db: usize, number: usize) -> Value {
        let value = self.values[db].get(&number);
        value.map_or(Value::Null, |value| Value::Bulk(value.clone()))
    }

    fn incr(&mut self, db: usize, number: usize) -> Asked {
        // Counters are keys of their own; whatever stands there and is no number is counted as an error is.
        let name = self.name(number);
        let value = self.values[db].get(&number);
        let text = value.map_or("0", |value| std::str::from_utf8(value).unwrap_or(""));
        match text.parse::<i64>() {
            Ok(before) if before < i64::MAX => {
                let after = before + 1;
                let text = after.to_string().into_bytes();
                self.values[db].insert(number, text);
                Asked::new(&["INCR", &name], Value::Int(after))
            }
            _ => {
                self.values[db].insert(number, b"7".to_vec());
                Asked::ok(&["SET", &name, "7"])
            }
        }
    }

    fn append(&mut self, db: usize, number: usize) -> Asked {
        let name = self.name(number);
        let more = format!("-{}", self.next);
        let value = self.values[db].entry(number).or_default();
        if value.len() > LONGEST_BYTES {
            self.values[db].remove(&number);
            return Asked::new(&["DEL", &name], Value::Int(1));
        }
        value.extend_from_slice(more.as_bytes());
        Asked::new(&["APPEND", &name, &more], Value::Int(value.len() as i64))
    }

    fn mget(&self, rng: &mut fastrand::Rng, db: usize) -> Asked {
        let count = rng.usize(1..=5);
        let numbers: Vec<usize> = (0..count).map(|_| rng.usize(..KEYS)).collect();
        self.read(db, &numbers)
    }

    fn read(&self, db: usize, numbers: &[usize]) -> Asked {
        let names: Vec<String> = numbers.iter().map(|number| self.name(*number)).collect();
        let mut words = vec!["MGET"];
        words.extend(names.iter().map(String::as_str));
        let values = numbers.iter().map(|number| self.value(db, *number));
        Asked::new(&words, Value::Array(values.collect()))
    }
}
