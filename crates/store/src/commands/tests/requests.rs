//! Random requests: every command, mostly well-formed, over a few keys, so that they meet each other.

/// A source of requests.
pub(super) struct Requests {
    rng: fastrand::Rng,
}

/// Requests by form. A word in capitals below is drawn anew each time ([`Requests::draw`]); others stand for themselves.
const FORMS: &[&str] = &[
    "append KEY VALUE",
    "append KEY VALUE",
    "get KEY",
    "get KEY",
    "getdel KEY",
    "strlen KEY",
    "getex KEY",
    "getex KEY LIFE",
    "getex KEY LIFE",
    "getex KEY LIFE LIFE",
    "decr KEY",
    "decrby KEY INTEGER",
    "incr KEY",
    "incrby KEY INTEGER",
    "incrbyfloat KEY FLOAT",
    "incrbyfloat KEY FLOAT",
    "incrbyfloat KEY VALUE",
    "lcs KEY KEY",
    "lcs KEY KEY LCSWORD",
    "lcs KEY KEY LCSWORD LCSWORD LCSWORD",
    "mget KEY KEY KEY",
    "mset KEY VALUE",
    "mset KEY VALUE KEY VALUE",
    "mset KEY VALUE KEY",
    "msetnx KEY VALUE",
    "msetnx KEY VALUE KEY VALUE",
    "getrange KEY INDEX INDEX",
    "substr KEY INDEX INDEX",
    "setrange KEY INDEX VALUE",
    "set KEY VALUE",
    "set KEY VALUE",
    "set KEY VALUE SETWORD",
    "set KEY VALUE LIFE",
    "set KEY VALUE SETWORD LIFE",
    "set KEY VALUE SETWORD SETWORD LIFE",
    "set KEY VALUE LIFE LIFE",
    "getset KEY VALUE",
    "psetex KEY MILLISECONDS VALUE",
    "setex KEY SECONDS VALUE",
    "setnx KEY VALUE",
    "copy KEY KEY",
    "copy KEY KEY replace",
    "copy KEY KEY db DB",
    "copy KEY KEY db DB replace",
    "dbsize",
    "del KEY",
    "del KEY KEY KEY",
    "unlink KEY KEY",
    "exists KEY KEY",
    "touch KEY KEY KEY",
    "expire KEY SECONDS",
    "expire KEY SECONDS CONDITION",
    "expire KEY SECONDS CONDITION CONDITION",
    "pexpire KEY MILLISECONDS",
    "pexpire KEY MILLISECONDS CONDITION",
    "expireat KEY UNIXSECONDS",
    "expireat KEY UNIXSECONDS CONDITION",
    "pexpireat KEY UNIXMILLISECONDS",
    "pexpireat KEY UNIXMILLISECONDS CONDITION CONDITION",
    "flushall",
    "flushdb",
    "flushdb async",
    "flushall sync",
    "flushdb WORD",
    "keys *",
    "keys PATTERN",
    "scan 0 count 1000",
    "scan 0 count 1000 match PATTERN",
    "scan 0 type string count 1000",
    "scan 0 type list count 1000",
    "scan WORD",
    "scan 0 WORD 1",
    "memory usage KEY",
    "memory usage KEY samples INTEGER",
    "memory usage KEY WORD",
    "object encoding KEY",
    "object encoding KEY",
    "object freq KEY",
    "object idletime KEY",
    "object refcount KEY",
    "object WORD KEY",
    "persist KEY",
    "randomkey",
    "move KEY DB",
    "move KEY DB",
    "rename KEY KEY",
    "rename KEY KEY",
    "renamenx KEY KEY",
    "renamenx KEY KEY",
    "swapdb DB DB",
    "select DB",
    "select DB",
    "expiretime KEY",
    "pexpiretime KEY",
    "ttl KEY",
    "pttl KEY",
    "type KEY",
];

/// The keys in use. Two share a slot.
pub(super) const KEYS: &[&str] = &["a", "b", "key", "{a}2", "with space", "", "x\r\n\u{ff}"];

const VALUES: &[&[u8]] = &[
    b"",
    b"0",
    b"1",
    b"-1",
    b"9999",
    b"10000",
    b"3.0",
    b"1e3",
    b"abc",
    b"abcabd",
    b"hello world",
    b"0123456789012345678901234567890123456789abcd",
    b"0123456789012345678901234567890123456789abcde",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"\xff\x00\r\n",
    b" 1",
    b"01",
    b"+1",
    b"-0",
    b"0x10",
    b"inf",
    b"nan",
    b"3.14159265358979",
    b"17179869184",
    b"cab",
];

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "5",
    "-7",
    "9999",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1.5",
    "x",
    "",
    "017",
    "17179869184",
];

const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.1",
    "0.2",
    "-0.3",
    "1.1",
    "3e5",
    "1e-5",
    "1e20",
    "123456789.987654321",
    "-1e17",
    "0.00000000000000001",
    "1e400",
    "inf",
    "-inf",
    "nan",
    "x",
    "",
    " 1",
    "1 ",
    ".5",
    "5.",
    "0x1.8p1",
    "+2",
    "1e-5000",
    "3.0e003",
];

const INDEXES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "10",
    "50",
    "-1",
    "-2",
    "-5",
    "-60",
    "9223372036854775807",
    "-9223372036854775808",
    "536870912",
    "x",
];

const PATTERNS: &[&str] = &["*", "a*", "?", "[ab]", "[^a]*", "*\\{*", "w*e", "", "x*"];

const WORDS: &[&str] = &[
    "foo", "ex", "persist", "keepttl", "", "-1", "help me", "10", "async",
];

impl Requests {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// The next request; now and then one with a word too few or too many.
    pub(super) fn next(&mut self) -> Vec<Vec<u8>> {
        let form = self.rng.choice(FORMS).expect("forms");
        let mut words: Vec<Vec<u8>> = Vec::new();
        for word in form.split(' ') {
            self.draw(word, &mut words);
        }
        match self.rng.u8(..40) {
            0 if words.len() > 1 => {
                words.pop();
            }
            1 => words.push(self.pick(WORDS)),
            2 => words[0].make_ascii_uppercase(),
            _ => {}
        }
        words
    }

    fn draw(&mut self, word: &str, words: &mut Vec<Vec<u8>>) {
        let drawn = match word {
            "KEY" => self.pick(KEYS),
            "VALUE" => self.rng.choice(VALUES).expect("values").to_vec(),
            "INTEGER" => self.pick(INTEGERS),
            "FLOAT" => self.float(),
            "INDEX" => self.pick(INDEXES),
            "PATTERN" => self.pick(PATTERNS),
            "WORD" => self.pick(WORDS),
            "DB" => self.pick(&["0", "0", "1", "1", "2", "15", "16", "-1", "x"]),
            "CONDITION" => self.pick(&["nx", "xx", "gt", "lt", "NX", "XX", "GT", "LT", "foo"]),
            "SETWORD" => self.pick(&[
                "nx", "xx", "get", "keepttl", "NX", "XX", "GET", "KEEPTTL", "foo",
            ]),
            "SECONDS" => self.amount(1000),
            "MILLISECONDS" => self.amount(1),
            "UNIXSECONDS" => self.moment(1000),
            "UNIXMILLISECONDS" => self.moment(1),
            "LIFE" => return self.life(words),
            "LCSWORD" => return self.lcs_word(words),
            literal => literal.into(),
        };
        words.push(drawn);
    }

    fn pick(&mut self, from: &[&str]) -> Vec<u8> {
        self.rng.choice(from).expect("a choice").as_bytes().to_vec()
    }

    fn float(&mut self) -> Vec<u8> {
        match self.rng.u8(..3) {
            0 => format!("{:.*}", self.rng.usize(..12), (self.rng.f64() - 0.5) * 1e4).into(),
            1 => format!("{}", f64::from_bits(self.rng.u64(..) >> 2))
                .into_bytes()
                .into_iter()
                .take(300)
                .collect(),
            _ => self.pick(FLOATS),
        }
    }

    /// A time to live far in the future, and no two close to each other; or one that is none.
    fn amount(&mut self, unit_ms: u64) -> Vec<u8> {
        if self.rng.u8(..6) == 0 {
            return self.pick(&[
                "0",
                "-1",
                "x",
                "9223372036854775807",
                "-9223372036854775808",
                "10000000000000000",
            ]);
        }
        let days = self.rng.u64(10..10_000);
        (days * 86_400_000 / unit_ms).to_string().into()
    }

    /// A moment far in the future, or in the past.
    fn moment(&mut self, unit_ms: u64) -> Vec<u8> {
        match self.rng.u8(..8) {
            0 => self.pick(&["1", "1000", "0", "-1", "x", "-9223372036854775808"]),
            1 => self.pick(&[
                "9223372036854775807",
                "9223372036854775",
                "9223372036854775806",
            ]),
            _ => (self.rng.u64(4_000_000..8_000_000) * 1_000_000 / unit_ms)
                .to_string()
                .into(),
        }
    }

    fn life(&mut self, words: &mut Vec<Vec<u8>>) {
        let (word, amount) = match self.rng.u8(..6) {
            0 => ("ex", self.amount(1000)),
            1 => ("PX", self.amount(1)),
            2 => ("EXAT", self.moment(1000)),
            3 => ("pxat", self.moment(1)),
            4 => return words.push(self.pick(&["persist", "KEEPTTL", "nx"])),
            _ => return words.push(self.pick(&["EX", "px", "exat", "PERSIST"])),
        };
        words.push(word.into());
        words.push(amount);
    }

    fn lcs_word(&mut self, words: &mut Vec<Vec<u8>>) {
        words.push(self.pick(&["len", "IDX", "idx", "withmatchlen", "minmatchlen", "foo"]));
        if words.last().is_some_and(|word| word == b"minmatchlen") {
            words.push(self.pick(&["0", "1", "2", "3", "-1", "x"]));
        }
    }

    /// A chance of one in `n`.
    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.rng.u64(..n)
    }
}
