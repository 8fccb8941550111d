//! What a client asks of one group of keys.

/// A key, by its place in its group.
pub type Key = u8;

/// An expiry that is asked for: far enough that no run reaches it.
pub(super) const FAR_S: &str = "100000";

/// One command, or the part of one that falls on a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `GET`
    Get(Key),
    /// `STRLEN`
    Strlen(Key),
    /// `GETRANGE`, from and through these positions.
    GetRange(Key, i64, i64),
    /// `TTL`
    Ttl(Key),
    /// `EXISTS`
    Exists(Vec<Key>),
    /// `MGET`
    Mget(Vec<Key>),
    /// `SET` with its options.
    Set(Write),
    /// `GETSET`
    GetSet(Key, Box<[u8]>),
    /// `GETDEL`
    GetDel(Key),
    /// `GETEX`, with a far expiry or with `PERSIST`.
    GetEx(Key, bool),
    /// `INCRBY`
    Incr(Key, i64),
    /// `APPEND`
    Append(Key, Box<[u8]>),
    /// `SETRANGE` at an offset.
    SetRange(Key, u16, Box<[u8]>),
    /// `DEL`, or by its other name `UNLINK`.
    Del(Vec<Key>),
    /// `MSET`
    Mset(Vec<(Key, Box<[u8]>)>),
    /// `MSETNX`
    MsetNx(Vec<(Key, Box<[u8]>)>),
    /// `MSET` without the last value: refused, and nothing may have changed.
    MsetOdd(Vec<(Key, Box<[u8]>)>),
    /// `RENAME` or, if the flag is set, `RENAMENX`.
    Rename(Key, Key, bool),
    /// `COPY`, with `REPLACE` if the flag is set.
    Copy(Key, Key, bool),
    /// `EXPIRE`, far away.
    Expire(Key),
    /// `PERSIST`
    Persist(Key),
    /// `FLUSHDB` or `FLUSHALL`
    Flush,
}

/// A `SET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: Key,
    /// Its new value.
    pub value: Box<[u8]>,
    /// A condition.
    pub only: Option<OnlyIf>,
    /// Whether it answers with the old value.
    pub get: bool,
    /// What becomes of the expiry.
    pub life: Life,
}

/// A condition of `SET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyIf {
    /// `NX`
    Missing,
    /// `XX`
    Exists,
}

/// What a `SET` makes of an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// None any more.
    Clear,
    /// `KEEPTTL`
    Keep,
    /// `EX`, far away.
    Far,
}

/// The names of a group's keys.
pub type Names = Vec<Vec<u8>>;

impl Action {
    /// The command's words.
    ///
    /// # Panics
    /// If a key is not in the group.
    pub fn words(&self, names: &Names) -> Vec<Vec<u8>> {
        let name = |key: Key| names[usize::from(key)].clone();
        let pairs = |pairs: &[(Key, Box<[u8]>)]| -> Vec<Vec<u8>> {
            let pair = |(key, value): &(Key, Box<[u8]>)| [name(*key), value.to_vec()];
            pairs.iter().flat_map(pair).collect()
        };
        let keys = |keys: &[Key]| keys.iter().map(|key| name(*key)).collect();
        let number = |number: i64| number.to_string().into_bytes();
        match self {
            Self::Get(key) => line("GET", vec![name(*key)]),
            Self::Strlen(key) => line("STRLEN", vec![name(*key)]),
            Self::GetRange(key, from, to) => {
                line("GETRANGE", vec![name(*key), number(*from), number(*to)])
            }
            Self::Ttl(key) => line("TTL", vec![name(*key)]),
            Self::Exists(of) => line("EXISTS", keys(of)),
            Self::Mget(of) => line("MGET", keys(of)),
            Self::Set(write) => line("SET", write.words(name(write.key))),
            Self::GetSet(key, value) => line("GETSET", vec![name(*key), value.to_vec()]),
            Self::GetDel(key) => line("GETDEL", vec![name(*key)]),
            Self::GetEx(key, true) => line("GETEX", vec![name(*key), b"EX".into(), FAR_S.into()]),
            Self::GetEx(key, false) => line("GETEX", vec![name(*key), b"PERSIST".into()]),
            Self::Incr(key, by) => line("INCRBY", vec![name(*key), number(*by)]),
            Self::Append(key, value) => line("APPEND", vec![name(*key), value.to_vec()]),
            Self::SetRange(key, at, value) => {
                let at = number(i64::from(*at));
                line("SETRANGE", vec![name(*key), at, value.to_vec()])
            }
            Self::Del(of) => line(if of.len() > 1 { "UNLINK" } else { "DEL" }, keys(of)),
            Self::Mset(of) => line("MSET", pairs(of)),
            Self::MsetNx(of) => line("MSETNX", pairs(of)),
            Self::MsetOdd(of) => {
                let mut words = pairs(of);
                words.pop();
                line("MSET", words)
            }
            Self::Rename(from, to, only_new) => {
                let command = if *only_new { "RENAMENX" } else { "RENAME" };
                line(command, vec![name(*from), name(*to)])
            }
            Self::Copy(from, to, replace) => {
                let mut words = vec![name(*from), name(*to)];
                words.extend(replace.then(|| b"REPLACE".to_vec()));
                line("COPY", words)
            }
            Self::Expire(key) => line("EXPIRE", vec![name(*key), FAR_S.into()]),
            Self::Persist(key) => line("PERSIST", vec![name(*key)]),
            Self::Flush => line("FLUSHALL", vec![]),
        }
    }
}

impl Write {
    fn words(&self, name: Vec<u8>) -> Vec<Vec<u8>> {
        let mut words = vec![name, self.value.to_vec()];
        let mut push = |word: &str| words.push(word.into());
        match self.only {
            Some(OnlyIf::Missing) => push("NX"),
            Some(OnlyIf::Exists) => push("XX"),
            None => {}
        }
        if self.get {
            push("GET");
        }
        match self.life {
            Life::Clear => {}
            Life::Keep => push("KEEPTTL"),
            Life::Far => {
                push("EX");
                push(FAR_S);
            }
        }
        words
    }
}

fn line(command: &str, mut rest: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    rest.insert(0, command.into());
    rest
}
