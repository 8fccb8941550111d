//! Inline commands: words that are quoted come out as they went in, and any line is harmless.

#![no_main]

use corelane_fuzz::{End, Outcome, feed};
use corelane_wire::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check_any_line(data);
    check_quoted_words(data);
});

/// A line of any bytes is one command at most, or an error. A `*` would make it an array.
fn check_any_line(data: &[u8]) {
    let mut line: Vec<u8> = data.iter().copied().filter(|byte| *byte != b'\n').collect();
    if line.first() == Some(&b'*') {
        line[0] = b' ';
    }
    line.push(b'\n');
    let whole = feed(&line, &[], &Limits::DEFAULT);
    assert!(whole.commands.len() <= 1, "{whole:?}");
    assert_ne!(whole.end, End::Open(line.len()), "{whole:?}");
    let cuts: Vec<usize> = (0..line.len().min(64)).collect();
    assert_eq!(feed(&line, &cuts, &Limits::DEFAULT), whole);
}

/// The words are the data, parted at each zero byte. The first byte of each chooses how it is written.
fn check_quoted_words(data: &[u8]) {
    let words: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let mut line = Vec::new();
    for word in &words {
        line.push(b' ');
        match word.first() {
            Some(first) if first % 2 == 0 && !word.contains(&b'\n') && !word.ends_with(b"\\") => {
                quote_single(word, &mut line)
            }
            _ => quote_double(word, &mut line),
        }
    }
    line.extend_from_slice(b"\r\n");
    if line.len() > Limits::DEFAULT.max_inline_bytes as usize {
        return;
    }
    let command = words.iter().map(|word| word.to_vec()).collect();
    assert_eq!(
        feed(&line, &[], &Limits::DEFAULT),
        Outcome {
            commands: vec![command],
            end: End::Open(0)
        }
    );
}

fn quote_double(word: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    for byte in word {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            b' '..=b'~' => line.push(*byte),
            _ => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    line.push(b'"');
}

/// Single quotes know one escape, that of the quote itself; a backslash before it must not be read as one.
fn quote_single(word: &[u8], line: &mut Vec<u8>) {
    line.push(b'\'');
    for byte in word {
        if *byte == b'\'' {
            line.push(b'\\');
        }
        line.push(*byte);
    }
    line.push(b'\'');
}
