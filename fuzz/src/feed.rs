//! A connection as the parser sees it: reads that end anywhere.

use corelane_wire::{Limits, Parsed, Parser};

/// What a parser made of a stream.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The commands, each as its arguments.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// How it ended.
    pub end: End,
}

/// How a stream ended.
#[derive(Debug, PartialEq)]
pub enum End {
    /// With so many bytes that are the beginning of something.
    Open(usize),
    /// With an error, of this text.
    Error(String),
}

/// Feeds `bytes` to a parser in reads that end at `cuts` (in order) and at the end.
///
/// # Panics
/// If the parser breaks its contract: it consumes bytes that are not there or none, finds a command without a name,
/// asks for what it has, or takes memory for bytes that have not come.
pub fn feed(bytes: &[u8], cuts: &[usize], limits: &Limits) -> Outcome {
    let mut parser = Parser::new();
    let mut commands = Vec::new();
    let mut start = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            let buf = &bytes[start..cut];
            let consumed = match parser.parse(buf, limits) {
                Ok(Parsed::Command { consumed }) => {
                    let command: Vec<_> = parser.args(buf).iter().map(<[u8]>::to_vec).collect();
                    assert!(!command.is_empty(), "a command without a name");
                    commands.push(command);
                    consumed
                }
                Ok(Parsed::Empty { consumed }) => consumed,
                Ok(Parsed::Incomplete { need }) => {
                    assert!(need > buf.len(), "asks for {need} bytes, has {}", buf.len());
                    assert!(
                        parser.memory_bytes() <= 8192 + 8 * buf.len(),
                        "memory runs ahead of the bytes"
                    );
                    break;
                }
                Err(error) => {
                    return Outcome {
                        commands,
                        end: End::Error(error.to_string()),
                    };
                }
            };
            assert!(
                (1..=buf.len()).contains(&consumed),
                "consumed {consumed} of {}",
                buf.len()
            );
            start += consumed;
        }
    }
    Outcome {
        commands,
        end: End::Open(bytes.len() - start),
    }
}
