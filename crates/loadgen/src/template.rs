//! One command, encoded once: fixed bytes with holes for keys and values.
//!
//! What differs between two requests is a few digits of a key; everything else is encoded when the
//! run begins, so that a request costs a copy. Apart from `workload`, which chooses the command.

use crate::affinity::KeyChooser;
use crate::filler::Filler;
use crate::keys::KeySpace;

/// Stands for a key in a command template. Each occurrence is another key.
pub const KEY_PLACEHOLDER: &str = "__key__";

/// Stands for a value in a command template.
pub const DATA_PLACEHOLDER: &str = "__data__";

/// A command with holes.
#[derive(Debug)]
pub(crate) struct Template {
    name: String,
    parts: Vec<Part>,
    has_data: bool,
}

#[derive(Debug, PartialEq)]
enum Part {
    /// Encoded bytes.
    Bytes(Vec<u8>),
    /// The next key.
    Key,
    /// The header of an argument that holds `values` values and `fixed` bytes beside them.
    Header { values: usize, fixed: usize },
    /// A value.
    Data,
}

impl Template {
    /// Encodes `words`, the command and its arguments with their placeholders.
    pub(crate) fn new(words: &[impl AsRef<str>], keys: &KeySpace, filler: &Filler) -> Self {
        let mut parts = Vec::new();
        push_bytes(&mut parts, format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            push_word(&mut parts, word.as_ref(), keys, filler);
        }
        let name = words
            .first()
            .map_or_else(String::new, |w| w.as_ref().to_ascii_uppercase());
        let has_data = parts.contains(&Part::Data);
        Self {
            name,
            parts,
            has_data,
        }
    }

    /// The command's name in upper case.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Appends one request. Returns the first key's number, or 0 if the command has no key.
    pub(crate) fn write(
        &self,
        keys: &KeySpace,
        filler: &Filler,
        chooser: &mut KeyChooser,
        rng: &mut fastrand::Rng,
        out: &mut Vec<u8>,
    ) -> u64 {
        let value_bytes = if self.has_data {
            filler.size().pick(rng)
        } else {
            0
        };
        let mut first_key = None;
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Key => {
                    let key = chooser.next(rng);
                    first_key.get_or_insert(key);
                    keys.write(key, out);
                }
                Part::Header { values, fixed } => {
                    write_header(values * value_bytes as usize + fixed, out);
                }
                Part::Data => filler.write(keys, first_key.unwrap_or(0), value_bytes, out),
            }
        }
        first_key.unwrap_or(0)
    }
}

fn push_word(parts: &mut Vec<Part>, word: &str, keys: &KeySpace, filler: &Filler) {
    let pieces = split_placeholders(word);
    let mut fixed = 0;
    let mut values = 0;
    for piece in &pieces {
        match (piece, filler.constant()) {
            (Piece::Text(text), _) => fixed += text.len(),
            (Piece::Key, _) => fixed += keys.key_bytes(),
            (Piece::Data, Some(value)) => fixed += value.len(),
            (Piece::Data, None) => values += 1,
        }
    }
    if values == 0 {
        push_bytes(parts, format!("${fixed}\r\n").as_bytes());
    } else {
        parts.push(Part::Header { values, fixed });
    }
    for piece in pieces {
        match (piece, filler.constant()) {
            (Piece::Text(text), _) => push_bytes(parts, text.as_bytes()),
            (Piece::Key, _) => parts.push(Part::Key),
            (Piece::Data, Some(value)) => push_bytes(parts, value),
            (Piece::Data, None) => parts.push(Part::Data),
        }
    }
    push_bytes(parts, b"\r\n");
}

/// Appends `bytes` to the last part if that holds bytes too: fewer, longer copies.
fn push_bytes(parts: &mut Vec<Part>, bytes: &[u8]) {
    if let Some(Part::Bytes(last)) = parts.last_mut() {
        last.extend_from_slice(bytes);
    } else {
        parts.push(Part::Bytes(bytes.to_vec()));
    }
}

fn write_header(bytes: usize, out: &mut Vec<u8>) {
    out.push(b'$');
    out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[derive(Debug)]
enum Piece<'a> {
    Text(&'a str),
    Key,
    Data,
}

fn split_placeholders(word: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let key = rest.find(KEY_PLACEHOLDER).map(|at| (at, KEY_PLACEHOLDER));
        let data = rest.find(DATA_PLACEHOLDER).map(|at| (at, DATA_PLACEHOLDER));
        let Some((at, placeholder)) = key.into_iter().chain(data).min() else {
            pieces.push(Piece::Text(rest));
            break;
        };
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        pieces.push(if placeholder == KEY_PLACEHOLDER {
            Piece::Key
        } else {
            Piece::Data
        });
        rest = &rest[at + placeholder.len()..];
    }
    pieces
}

/// Splits a command line into words: at blanks, except between double or single quotes.
///
/// # Errors
/// If a quote is not closed or there is no word.
pub(crate) fn split_words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("a quote in {line:?} is not closed"));
    }
    words.extend(word);
    if words.first().is_none_or(String::is_empty) {
        return Err("a command template needs a command's name".into());
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyDistribution, KeyPicker};

    /// Writes the template twice over keys 0, 1, 2… and compares the bytes.
    #[track_caller]
    fn check(line: &str, size: &str, verify: bool, want: &[&str]) {
        let keys = KeySpace::new(b"k", None, 100);
        let filler = Filler::new(size.parse().unwrap(), verify, 1);
        let text = String::from_utf8(
            Filler::new("99".parse().unwrap(), false, 1)
                .constant()
                .unwrap()
                .to_vec(),
        )
        .unwrap();
        let template = Template::new(&split_words(line).unwrap(), &keys, &filler);
        let picker = KeyPicker::new(KeyDistribution::Sequential, 100, 0, 1);
        let mut chooser = KeyChooser::new(picker, None, 100);
        let mut rng = fastrand::Rng::with_seed(1);
        for want in want {
            let want = want
                .replace("<4>", &text[..4])
                .replace("<14..16>", &text[14..16]);
            let mut out = Vec::new();
            template.write(&keys, &filler, &mut chooser, &mut rng, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{line}");
        }
    }

    #[test]
    fn requests_are_encoded() {
        check("PING", "4", false, &["*1\r\n$4\r\nPING\r\n"]);
        check(
            "GET __key__",
            "4",
            false,
            &[
                "*2\r\n$3\r\nGET\r\n$13\r\nk000000000000\r\n",
                "*2\r\n$3\r\nGET\r\n$13\r\nk000000000001\r\n",
            ],
        );
        let set = "*3\r\n$3\r\nSET\r\n$13\r\nk000000000000\r\n$4\r\n<4>\r\n";
        check("SET __key__ __data__", "4", false, &[set]);
        check("SET __key__ __data__", "4:1", false, &[set]);
        check(
            "SET __key__ __data__",
            "16",
            true,
            &["*3\r\n$3\r\nSET\r\n$13\r\nk000000000000\r\n$16\r\nk000000000000=<14..16>\r\n"],
        );
        check(
            "mget __key__ x__key__y",
            "4",
            false,
            &["*3\r\n$4\r\nmget\r\n$13\r\nk000000000000\r\n$15\r\nxk000000000001y\r\n"],
        );
        check(
            "ECHO a__data__b__data__",
            "4:1",
            false,
            &["*2\r\n$4\r\nECHO\r\n$10\r\na<4>b<4>\r\n"],
        );
    }

    #[test]
    fn command_lines_split_at_blanks_outside_quotes() {
        let rows: [(&str, &[&str]); 4] = [
            ("GET x", &["GET", "x"]),
            ("  SET  x 'a b' ", &["SET", "x", "a b"]),
            ("SET x \"\"", &["SET", "x", ""]),
            ("SET x a\"b c\"d", &["SET", "x", "ab cd"]),
        ];
        for (line, want) in rows {
            assert_eq!(split_words(line).unwrap(), want, "{line}");
        }
        for line in ["", "  ", "GET 'x", "\"\" x"] {
            assert!(split_words(line).is_err(), "{line}");
        }
    }
}
