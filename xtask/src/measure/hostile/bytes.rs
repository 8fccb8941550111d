//! What hostile clients send: noise, broken commands, commands that are cut off, headers that promise
//! too much, nesting without end, and whole pipelines between them, all from a seed.

use corelane_wire::encode_command;
use fastrand::Rng;

/// An endless supply.
pub(crate) struct Bytes(Rng);

/// Commands as clients write them; `K` is a key, `V` a value, `N` a number. None of them changes
/// settings, ends other clients or the server, and no mutation of one byte makes one that does.
const COMMANDS: &[&str] = &[
    "SET K V",
    "SET K V EX N",
    "SET K V PX N NX GET",
    "SETNX K V",
    "GETSET K V",
    "GETEX K PERSIST",
    "GETDEL K",
    "GET K",
    "MGET K K K K K K",
    "MSET K V K V K V",
    "MSETNX K V K V",
    "APPEND K V",
    "STRLEN K",
    "SETRANGE K 17 V",
    "GETRANGE K N N",
    "INCR K",
    "INCRBY K N",
    "INCRBYFLOAT K 1.5e2",
    "LCS K K IDX WITHMATCHLEN",
    "DEL K K K",
    "UNLINK K K",
    "EXISTS K K",
    "TOUCH K K",
    "RENAME K K",
    "RENAMENX K K",
    "COPY K K REPLACE",
    "MOVE K 1",
    "EXPIRE K N NX",
    "PEXPIREAT K N",
    "TTL K",
    "PERSIST K",
    "TYPE K",
    "OBJECT ENCODING K",
    "OBJECT HELP",
    "MEMORY USAGE K SAMPLES N",
    "SCAN N MATCH K* COUNT N",
    "RANDOMKEY",
    "DBSIZE",
    "PING V",
    "ECHO V",
    "SELECT N",
    "HELLO 3",
    "HELLO 2 SETNAME K",
    "CLIENT ID",
    "CLIENT INFO",
    "CLIENT SETNAME K",
    "CLIENT REPLY SKIP",
    "CLIENT REPLY ON",
    "COMMAND COUNT",
    "COMMAND GETKEYS MSET K V K V",
    "COMMAND INFO get set K",
    "INFO K",
    "TIME",
    "NOSUCHCOMMAND K V",
];

/// Commands after which a connection says or does less: one in this many.
const ENDINGS: &[&str] = &["QUIT", "RESET", "CLIENT REPLY OFF"];
const ENDING_ONE_IN: usize = 300;

/// Different keys, so that commands meet each other's.
const KEYS: usize = 5_000;

/// Bytes of most pieces, and of the rare big ones.
const PIECE_BYTES: usize = 24 * 1024;
const BIG_BYTES: usize = 1024 * 1024;

impl Bytes {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// The choices of who sends these bytes come from the same seed.
    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.0
    }

    /// What the next client sends.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        match self.0.u8(..20) {
            0..3 => self.noise(),
            3..8 => self.broken(),
            8..10 => self.cut(),
            10..13 => self.promises(),
            13 => self.nested(),
            14 => self.unending_line(),
            15 => self.big(),
            _ => self.pipeline(),
        }
    }

    /// Whole commands.
    fn pipeline(&mut self) -> Vec<u8> {
        let bytes = self.0.usize(1..PIECE_BYTES);
        let mut out = Vec::new();
        while out.len() < bytes {
            self.command(&mut out);
        }
        out
    }

    fn command(&mut self, out: &mut Vec<u8>) {
        let lines = match self.0.usize(..ENDING_ONE_IN) {
            0 => ENDINGS,
            _ => COMMANDS,
        };
        let line = lines[self.0.usize(..lines.len())];
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| self.word(word)).collect();
        if self.0.u8(..10) == 0 {
            out.extend_from_slice(&words.join(&b' '));
            out.extend_from_slice(b"\r\n");
        } else {
            encode_command(out, &words);
        }
    }

    fn word(&mut self, word: &str) -> Vec<u8> {
        match word {
            "K" => format!("key:{}", self.0.usize(..KEYS)).into_bytes(),
            "N" => match self.0.u8(..8) {
                0 => i64::MAX.to_string().into_bytes(),
                1 => i64::MIN.to_string().into_bytes(),
                2 => b"-1".to_vec(),
                _ => self.0.u32(..2_000).to_string().into_bytes(),
            },
            "V" => {
                let most = [1, 8, 8, 64, 64, 64, 500, 20_000][self.0.usize(..8)];
                let value = (0..self.0.usize(..most)).map(|_| b'a' + self.0.u8(..26));
                value.collect()
            }
            word => word.as_bytes().to_vec(),
        }
    }

    /// Any bytes, or such as the protocol is made of.
    fn noise(&mut self) -> Vec<u8> {
        const ALPHABET: &[u8] = b"*$+-:,#_%~>0123456789\r\n\r\n\"'\\x GETSET";
        let alike = self.0.bool();
        let one = |rng: &mut Rng| match alike {
            true => ALPHABET[rng.usize(..ALPHABET.len())],
            false => rng.u8(..),
        };
        (0..self.0.usize(1..PIECE_BYTES))
            .map(|_| one(&mut self.0))
            .collect()
    }

    /// Whole commands with some bytes changed, lost, doubled or moved.
    fn broken(&mut self) -> Vec<u8> {
        let mut bytes = self.pipeline();
        for _ in 0..self.0.usize(1..8) {
            let at = self.0.usize(..bytes.len());
            let end = bytes.len().min(at + self.0.usize(1..64));
            match self.0.u8(..5) {
                0 => bytes[at] = self.0.u8(..),
                1 => bytes[at] ^= 1 << self.0.u8(..8),
                2 => bytes.insert(at, b'0' + self.0.u8(..10)),
                3 if end - at < bytes.len() => drop(bytes.drain(at..end)),
                _ => bytes.extend_from_within(at..end),
            }
        }
        bytes
    }

    /// Whole commands that end anywhere.
    fn cut(&mut self) -> Vec<u8> {
        let mut bytes = self.pipeline();
        bytes.truncate(self.0.usize(1..=bytes.len()));
        bytes
    }

    /// Headers that announce more than anybody has, less than nothing, or no number.
    fn promises(&mut self) -> Vec<u8> {
        const NUMBERS: &[&str] = &[
            "1099511627776",
            "536870913",
            "536870912",
            "2147483648",
            "1048577",
            "1048576",
            "9223372036854775807",
            "18446744073709551616",
            "-1",
            "-2",
            "00000000000000000000000000000000003",
            "+3",
            "3 ",
            "0x10",
            "1e9",
            "",
        ];
        let mut bytes = self.cut();
        let mut number = || NUMBERS[self.0.usize(..NUMBERS.len())];
        let header = match number().len() % 3 {
            0 => format!("*{}\r\n", number()),
            1 => format!("*3\r\n$3\r\nSET\r\n${}\r\n", number()),
            _ => format!("*{}\r\n${}\r\n", number(), number()),
        };
        // In front, for whoever is cut off in the middle of a command announces nothing.
        bytes.splice(..0, header.into_bytes());
        bytes
    }

    /// Arrays in arrays, or types that no request may have.
    fn nested(&mut self) -> Vec<u8> {
        let opener = [
            "*1\r\n", "%1\r\n", "~1\r\n", ">1\r\n", "|1\r\n", "*0\r\n", "*-1\r\n",
        ];
        let opener = opener[self.0.usize(..opener.len())];
        opener.repeat(self.0.usize(1..PIECE_BYTES / 4)).into_bytes()
    }

    /// A line without end, perhaps with quotes that nobody closes.
    fn unending_line(&mut self) -> Vec<u8> {
        let part = ["a", "\" ", "'x ", "\\x4", "a b ", "\0"][self.0.usize(..6)];
        part.repeat(self.0.usize(1..PIECE_BYTES * 4) / part.len() + 1)
            .into_bytes()
    }

    /// A value of up to a megabyte, perhaps not all of it.
    fn big(&mut self) -> Vec<u8> {
        let size = self.0.usize(1..BIG_BYTES);
        let key = self.word("K");
        let value = vec![b'v'; size];
        let mut bytes = Vec::new();
        encode_command(&mut bytes, [&b"SET"[..], &key, &value]);
        encode_command(&mut bytes, [&b"DEL"[..], &key]);
        if self.0.bool() {
            bytes.truncate(self.0.usize(1..bytes.len()));
        }
        bytes
    }
}
