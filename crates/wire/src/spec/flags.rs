//! Small sets of named bits, usable in statics: what `COMMAND INFO` shows as lists of words.

use crate::reply::Reply;

/// Declares a set over `u32` whose members have the names that replies show.
macro_rules! bit_set {
    ($(#[$meta:meta])* $set:ident { $($(#[$doc:meta])* $name:ident = $bit:literal $(, $word:literal)?;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set(u32);

        impl $set {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)+

            /// Members that have a name in replies, in the order in which Redis lists them.
            pub(crate) const NAMED: &'static [(Self, &'static str)] = &[$($((Self::$name, $word),)?)+];

            /// No member.
            pub const NONE: Self = Self(0);

            /// The set of all `members`.
            pub const fn of(members: &[Self]) -> Self {
                let mut set = 0;
                let mut i = 0;
                while i < members.len() {
                    set |= members[i].0;
                    i += 1;
                }
                Self(set)
            }

            /// The members of either.
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether every member of `other` is in this set.
            #[inline]
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any member of `other` is in this set.
            #[inline]
            pub const fn has_any(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether there is no member.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The names of its members that have one.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                Self::NAMED.iter().filter(move |(member, _)| self.has(*member)).map(|(_, name)| *name)
            }
        }
    };
}
pub(crate) use bit_set;

bit_set! {
    /// What a command does and where it may run (<https://redis.io/docs/reference/key-specs/>, "Command flags").
    Flags {
        /// May change data.
        WRITE = 0, "write";
        /// Only reads data.
        READONLY = 1, "readonly";
        /// May take memory; refused when memory is out.
        DENYOOM = 2, "denyoom";
        /// For operators.
        ADMIN = 3, "admin";
        /// Publishes or subscribes.
        PUBSUB = 4, "pubsub";
        /// Not callable from scripts.
        NOSCRIPT = 5, "noscript";
        /// May wait for something to happen.
        BLOCKING = 6, "blocking";
        /// Allowed while data loads.
        LOADING = 7, "loading";
        /// Allowed on a replica that is behind.
        STALE = 8, "stale";
        /// Not shown to `MONITOR`.
        SKIP_MONITOR = 9, "skip_monitor";
        /// Not kept in the slow log.
        SKIP_SLOWLOG = 10, "skip_slowlog";
        /// Accepted for slots that are being imported.
        ASKING = 11, "asking";
        /// Takes constant or logarithmic time.
        FAST = 12, "fast";
        /// Allowed before authentication.
        NO_AUTH = 13, "no_auth";
        /// Its key arguments may be left out.
        NO_MANDATORY_KEYS = 14, "no_mandatory_keys";
        /// Refused while a replica loads beside its old data.
        NO_ASYNC_LOADING = 15, "no_async_loading";
        /// Refused inside a transaction.
        NO_MULTI = 16, "no_multi";
        /// First, last and step do not say where all keys are. Derived from the key specs; need not be set.
        MOVABLEKEYS = 17, "movablekeys";
        /// Allowed while a script holds the server.
        ALLOW_BUSY = 18, "allow_busy";
        /// May touch keys that its arguments do not name (hidden, as in Redis).
        TOUCHES_ARBITRARY_KEYS = 19;
        /// May have effects that are logged without being a write itself (hidden, as in Redis).
        MAY_REPLICATE = 20;
        /// Runs only where a setting allows it, such as `DEBUG` (hidden, as in Redis).
        PROTECTED = 21;
    }
}

/// Writes `words` as a set of status replies.
pub(super) fn write_words(
    words: impl Iterator<Item = &'static str> + Clone,
    reply: &mut Reply<'_>,
) {
    reply.set(words.clone().count());
    for word in words {
        reply.simple(word);
    }
}
