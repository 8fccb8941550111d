//! Where a command's keys stand, and what happens to them: Redis's key specifications
//! (<https://redis.io/docs/reference/key-specs/>).

use super::command::CommandSpec;
use super::flags::{Flags, bit_set};

bit_set! {
    /// What a command does with the keys of one spec.
    KeyFlags {
        /// Reads the value, does not change it.
        RO = 0, "RO";
        /// Reads and changes the value.
        RW = 1, "RW";
        /// Overwrites the value, whatever it was.
        OW = 2, "OW";
        /// Deletes the key.
        RM = 3, "RM";
        /// Returns, copies or uses the user's data in the value.
        ACCESS = 4, "access";
        /// Changes the user's data in the value.
        UPDATE = 5, "update";
        /// Adds data, changes none.
        INSERT = 6, "insert";
        /// Deletes some content of the value.
        DELETE = 7, "delete";
        /// Is no key, but routed as one.
        NOT_KEY = 8, "not_key";
        /// Does not find all keys.
        INCOMPLETE = 9, "incomplete";
        /// May do less than its flags say, depending on other arguments.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

/// One rule that finds keys: where the search begins, and how the keys lie from there.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Where it begins.
    pub begin: Begin,
    /// How the keys lie from there.
    pub find: Find,
    /// What the command does with them.
    pub flags: KeyFlags,
    /// A remark for readers; empty for none.
    pub notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this argument.
    Index(u16),
    /// Behind a word, looked for from argument `from` on; negative: backwards, from so many before the end.
    Keyword {
        /// The word, in any case.
        word: &'static str,
        /// Where the search for it starts.
        from: i16,
    },
    /// The arguments do not tell.
    Unknown,
}

/// How the keys lie from where the search began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// A range of arguments.
    Range {
        /// The last key, counted from the beginning of the search; negative: from the end of the arguments.
        last: i16,
        /// From one key to the next.
        step: u16,
        /// With `last` -1: only the first 1/`limit` of the arguments, if above 1.
        limit: u16,
    },
    /// As many as an argument says.
    Count {
        /// Where the number stands, counted from the beginning of the search.
        at: u16,
        /// Where the first key stands, likewise.
        first: u16,
        /// From one key to the next.
        step: u16,
    },
    /// The arguments do not tell.
    Unknown,
}

impl KeySpec {
    /// One key, argument `at`.
    pub const fn at(at: u16) -> Self {
        Self::range(at, at as i16, 1)
    }

    /// Every `step`-th argument from `first` to `last`; a negative `last` counts from the end (-1 is the last one).
    pub const fn range(first: u16, last: i16, step: u16) -> Self {
        let last = if last < 0 { last } else { last - first as i16 };
        Self::new(
            Begin::Index(first),
            Find::Range {
                last,
                step,
                limit: 0,
            },
        )
    }

    /// As many keys from argument `first` on as argument `at` says.
    pub const fn counted(at: u16, first: u16) -> Self {
        Self::new(
            Begin::Index(at),
            Find::Count {
                at: 0,
                first: first - at,
                step: 1,
            },
        )
    }

    /// A spec of any form.
    pub const fn new(begin: Begin, find: Find) -> Self {
        Self {
            begin,
            find,
            flags: KeyFlags::NONE,
            notes: "",
        }
    }

    /// With these flags.
    pub const fn flags(mut self, flags: KeyFlags) -> Self {
        self.flags = flags;
        self
    }

    /// With this remark.
    pub const fn notes(mut self, notes: &'static str) -> Self {
        self.notes = notes;
        self
    }
}

/// First key, last key and step, as `COMMAND INFO` gives them for clients that know no key specs. All zero where
/// there are no keys, or none at fixed places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key's argument.
    pub first: i32,
    /// The last key's; negative counts from the end.
    pub last: i32,
    /// From one key to the next.
    pub step: i32,
}

impl CommandSpec {
    /// The range that covers the command's keys as far as one range can.
    pub const fn key_range(&self) -> KeyRange {
        self.cover().0
    }

    /// The command's flags, with [`Flags::MOVABLEKEYS`] where [`Self::key_range`] does not cover all keys.
    pub const fn all_flags(&self) -> Flags {
        if self.cover().1 {
            self.flags.with(Flags::MOVABLEKEYS)
        } else {
            self.flags
        }
    }

    /// The covering range, and whether keys lie outside of it.
    ///
    /// Redis's rule: a single range stands for itself; of several specs those are joined that are ranges of
    /// step 1, each beginning where the one before it ended.
    const fn cover(&self) -> (KeyRange, bool) {
        let mut range = KeyRange {
            first: 0,
            last: 0,
            step: 0,
        };
        let mut movable = false;
        let mut i = 0;
        while i < self.keys.len() {
            let spec = &self.keys[i];
            i += 1;
            movable |= spec.flags.has(KeyFlags::INCOMPLETE);
            let (Begin::Index(first), Find::Range { last, step, .. }) = (spec.begin, spec.find)
            else {
                movable = true;
                continue;
            };
            let first = first as i32;
            let last = if last < 0 {
                last as i32
            } else {
                last as i32 + first
            };
            let joins =
                self.keys.len() == 1 || step == 1 && (range.step == 0 || range.last == first - 1);
            if !joins {
                movable = true;
                continue;
            }
            let start = if range.step == 0 { first } else { range.first };
            range = KeyRange {
                first: start,
                last,
                step: step as i32,
            };
        }
        (range, movable)
    }
}
