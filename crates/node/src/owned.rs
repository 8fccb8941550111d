//! A command's arguments in memory of their own, for what outlives the read buffer: commands that
//! wait for other shards.

use corelane_wire::{Args, Span};

/// Owned arguments.
#[derive(Debug, Clone, Default)]
pub struct OwnedArgs {
    buf: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// Copies `args`.
    pub fn copy(args: Args<'_>) -> Self {
        Self::from_parts(args.iter())
    }

    /// Builds a command from its parts.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut owned = Self::default();
        for arg in parts {
            let start = owned.buf.len() as u32;
            owned.buf.extend_from_slice(arg);
            owned.spans.push(Span {
                start,
                end: owned.buf.len() as u32,
            });
        }
        owned
    }

    /// Bytes of all arguments.
    pub fn len_bytes(&self) -> usize {
        self.buf.len()
    }

    /// The arguments, borrowed.
    pub fn args(&self) -> Args<'_> {
        Args::new(&self.buf, &self.spans)
    }
}
