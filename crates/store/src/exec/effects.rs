//! Effects: what a command did, as canonical commands that do the same again anywhere.
//!
//! Logs and replicas get these and not the command that was typed: times in them are absolute and
//! nothing in them depends on chance. Applied in order to a keyspace that held the same before,
//! they leave it the same after.

use corelane_wire::{Args, Span};

/// The effects of one command. Reused from command to command; the common case, a command that
/// is its own effect, is one flag.
#[derive(Debug, Default)]
pub struct Effects {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
enum Row {
    AsGiven {
        db: u16,
    },
    Command {
        db: u16,
        first_span: u32,
        end_span: u32,
    },
}

/// One effect, in the database it applies to.
#[derive(Debug, Clone, Copy)]
pub enum Effect<'a> {
    /// The command as it was given.
    AsGiven {
        /// The database that was selected.
        db: u16,
    },
    /// This command instead.
    Command {
        /// The database to select before it.
        db: u16,
        /// The command's name and arguments.
        args: Args<'a>,
    },
}

impl Effects {
    /// The command is its own effect.
    #[inline]
    pub fn as_given(&mut self, db: u16) {
        self.rows.push(Row::AsGiven { db });
    }

    /// Adds a command: its name, then its arguments.
    pub fn push<'b>(&mut self, db: u16, args: impl IntoIterator<Item = &'b [u8]>) {
        let first_span = self.spans.len() as u32;
        for arg in args {
            let start = self.bytes.len() as u32;
            self.bytes.extend_from_slice(arg);
            self.spans.push(Span {
                start,
                end: self.bytes.len() as u32,
            });
        }
        self.rows.push(Row::Command {
            db,
            first_span,
            end_span: self.spans.len() as u32,
        });
    }

    /// The effects in the order in which they happened.
    pub fn iter(&self) -> impl Iterator<Item = Effect<'_>> {
        self.rows.iter().map(|row| match *row {
            Row::AsGiven { db } => Effect::AsGiven { db },
            Row::Command {
                db,
                first_span,
                end_span,
            } => {
                let spans = &self.spans[first_span as usize..end_span as usize];
                Effect::Command {
                    db,
                    args: Args::new(&self.bytes, spans),
                }
            }
        })
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the effects; keeps the room, unless one huge command left too much of it.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.spans.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
    }
}

/// Room above this is given back between commands.
const KEPT_BYTES: usize = 64 * 1024;
