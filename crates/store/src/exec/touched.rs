//! Touched keys: which keys a command changed and how, for WATCH, client tracking and keyspace
//! notifications.

/// The keys touched since the last [`clear`](Self::clear). Reused from command to command.
///
/// Names are recorded only while somebody on the node wants them ([`set_wanted`](Self::set_wanted));
/// otherwise a change costs one addition.
#[derive(Debug, Default)]
pub struct Touched {
    wanted: bool,
    changes: u64,
    misses: u64,
    names: Vec<u8>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    db: u16,
    event: Event,
    end: usize,
}

/// One touched key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TouchedKey<'a> {
    /// The database it lies in.
    pub db: u16,
    /// Its name.
    pub key: &'a [u8],
    /// What happened to it.
    pub event: Event,
}

impl Touched {
    /// Whether key names are recorded from now on.
    pub fn set_wanted(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    /// Records that `event` happened to `key`.
    #[inline]
    pub fn push(&mut self, db: u16, key: &[u8], event: Event) {
        match event.class {
            Class::Miss => self.misses += 1,
            // What made the key is told by an event of its own.
            Class::New => {}
            _ => self.changes += 1,
        }
        if self.wanted {
            self.names.extend_from_slice(key);
            self.rows.push(Row {
                db,
                event,
                end: self.names.len(),
            });
        }
    }

    /// Changes counted since this value was made, whether recorded or not.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Keys that reads looked for and did not find, since this value was made.
    pub fn misses(&self) -> u64 {
        self.misses
    }

    /// The recorded keys, in the order in which they were touched.
    pub fn iter(&self) -> impl Iterator<Item = TouchedKey<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let key = &self.names[start..row.end];
            start = row.end;
            TouchedKey {
                db: row.db,
                key,
                event: row.event,
            }
        })
    }

    /// Whether no key is recorded.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the recorded keys, keeps the room.
    pub fn clear(&mut self) {
        self.names.clear();
        self.rows.clear();
    }
}

/// The classes of keyspace notifications, as `notify-keyspace-events` groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `g`: commands that are not about one type.
    Generic,
    /// `$`: string commands.
    String,
    /// `x`: a key expired.
    Expired,
    /// `e`: a key was evicted.
    Evicted,
    /// `m`: a key was looked for and not found.
    Miss,
    /// `n`: a key came into being.
    New,
    /// Every key of the database changed at once; the key's name is empty. No notification tells of it, but
    /// watchers and caches must know.
    Database,
}

/// What happened to a key, by the name Redis's keyspace notifications give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The event's name on the `__keyspace@…__` channel.
    pub name: &'static str,
    /// The class that `notify-keyspace-events` selects it by.
    pub class: Class,
}

/// The events of the string and generic commands.
#[allow(missing_docs, reason = "each is the Redis event of the same name")]
impl Event {
    pub const APPEND: Self = Self::string("append");
    pub const COPY_TO: Self = Self::generic("copy_to");
    pub const DECRBY: Self = Self::string("decrby");
    pub const DEL: Self = Self::generic("del");
    pub const EXPIRE: Self = Self::generic("expire");
    pub const EXPIRED: Self = Self {
        name: "expired",
        class: Class::Expired,
    };
    pub const FLUSHDB: Self = Self::database("flushdb");
    pub const INCRBY: Self = Self::string("incrby");
    pub const INCRBYFLOAT: Self = Self::string("incrbyfloat");
    pub const KEYMISS: Self = Self {
        name: "keymiss",
        class: Class::Miss,
    };
    pub const MOVE_FROM: Self = Self::generic("move_from");
    pub const MOVE_TO: Self = Self::generic("move_to");
    pub const NEW: Self = Self {
        name: "new",
        class: Class::New,
    };
    pub const PERSIST: Self = Self::generic("persist");
    pub const RENAME_FROM: Self = Self::generic("rename_from");
    pub const RENAME_TO: Self = Self::generic("rename_to");
    pub const RESTORE: Self = Self::generic("restore");
    pub const SET: Self = Self::string("set");
    pub const SETBIT: Self = Self::string("setbit");
    pub const SETRANGE: Self = Self::string("setrange");
    pub const SWAPDB: Self = Self::database("swapdb");

    /// An event of all keys of a database.
    const fn database(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Database,
        }
    }

    /// An event of the generic class, for a command that is not about one type.
    pub const fn generic(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Generic,
        }
    }

    /// An event of the string class.
    pub const fn string(name: &'static str) -> Self {
        Self {
            name,
            class: Class::String,
        }
    }
}
