//! The kinds of commands that are counted: one row each.

/// Requests of each kind; keys are numbered up to here.
pub(crate) const REQUESTS: usize = 1000;

/// Bytes of every value.
pub(crate) const VALUE_BYTES: usize = 64;

/// One kind of command.
pub(crate) struct Kind {
    /// What the ratchet calls it.
    pub(crate) name: &'static str,
    /// The words of request number `n`. A word `key` stands for an existing key of 16 bytes,
    /// `absent` for one that does not exist, `counter` for one that holds a number, `value` for a
    /// value; anything else is itself.
    pub(crate) words: &'static [&'static str],
    /// How its first reply begins.
    pub(crate) reply: &'static str,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "GET hit",
        words: &["GET", "key"],
        reply: "$64\r\n",
    },
    Kind {
        name: "GET miss",
        words: &["GET", "absent"],
        reply: "$-1\r\n",
    },
    Kind {
        name: "SET old key",
        words: &["SET", "key", "value"],
        reply: "+OK\r\n",
    },
    Kind {
        name: "SET new key",
        words: &["SET", "absent", "value"],
        reply: "+OK\r\n",
    },
    Kind {
        name: "INCR",
        words: &["INCR", "counter"],
        reply: ":1000001\r\n",
    },
    Kind {
        name: "MGET 10",
        words: &[
            "MGET", "key", "key", "key", "key", "key", "key", "key", "key", "key", "key",
        ],
        reply: "*10\r\n$64\r\n",
    },
    Kind {
        name: "DEL",
        words: &["DEL", "key"],
        reply: ":1\r\n",
    },
    Kind {
        name: "EXPIRE",
        words: &["EXPIRE", "key", "100"],
        reply: ":1\r\n",
    },
    Kind {
        name: "PING",
        words: &["PING"],
        reply: "+PONG\r\n",
    },
];

impl Kind {
    /// The words of request number `n`, every `key` of them another one.
    pub(crate) fn request(&self, n: usize) -> Vec<Vec<u8>> {
        let word = |(i, word): (usize, &&str)| match *word {
            "key" => key("key", (n + 31 * (i - 1)) % REQUESTS),
            "absent" | "counter" => key(word, n),
            "value" => vec![b'v'; VALUE_BYTES],
            other => other.as_bytes().to_vec(),
        };
        self.words.iter().enumerate().map(word).collect()
    }
}

/// Key number `n` of a kind of key, 16 bytes.
pub(crate) fn key(kind: &str, n: usize) -> Vec<u8> {
    format!("{kind}:{n:0width$}", width = 15 - kind.len()).into_bytes()
}
