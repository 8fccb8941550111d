//! A window on a pipeline: the next commands of a read, parsed and looked up before the first of
//! them runs, so that the memory of their keys is on its way while others are at work.

use corelane_node::{AHEAD, Ahead};
use corelane_wire::{Args, Limits, Parsed, Parser, Span};
use smallvec::SmallVec;

use super::registry::{Lookup, Registry};
use super::state::Run;

/// Arguments that a window holds without allocating.
const INLINE_SPANS: usize = AHEAD * 4;

/// A command that is about to run.
#[derive(Debug)]
pub(crate) struct Planned<'r> {
    pub(crate) lookup: Lookup<'r>,
    /// Slot of its key, if it has one key.
    pub(crate) slot: Option<u16>,
    /// Where the command ends in the window's bytes.
    pub(crate) end: usize,
    start: usize,
    first_span: usize,
    end_span: usize,
}

/// Up to [`AHEAD`] whole commands.
#[derive(Debug)]
pub(crate) struct Window<'b, 'r> {
    bytes: &'b [u8],
    pub(crate) planned: SmallVec<[Planned<'r>; AHEAD]>,
    pub(crate) ahead: Ahead<'b>,
    spans: SmallVec<[Span; INLINE_SPANS]>,
}

impl<'b, 'r> Window<'b, 'r> {
    /// Whether another command follows the first one of `bytes`, both in the form that clients
    /// send pipelines in.
    #[inline]
    pub(crate) fn worth_it(bytes: &[u8], consumed: usize) -> bool {
        bytes.first() == Some(&b'*') && bytes.get(consumed) == Some(&b'*')
    }

    /// Plans the command that the parser has just found, `consumed` bytes long, and those after it.
    /// Whatever is no whole command ends the window and is left for the parser to find again.
    pub(crate) fn plan(
        parser: &mut Parser,
        limits: &Limits,
        bytes: &'b [u8],
        consumed: usize,
        registry: &'r Registry,
    ) -> Self {
        let mut window = Self {
            bytes,
            planned: SmallVec::new(),
            ahead: Ahead::default(),
            spans: SmallVec::new(),
        };
        let (mut start, mut end) = (0, consumed);
        loop {
            window.push(parser.args(&bytes[start..]), start, end, registry);
            if window.planned.len() == AHEAD || bytes.get(end) != Some(&b'*') {
                return window;
            }
            match parser.parse(&bytes[end..], limits) {
                Ok(Parsed::Command { consumed }) => (start, end) = (end, end + consumed),
                Ok(_) | Err(_) => {
                    parser.restart();
                    return window;
                }
            }
        }
    }

    fn push(&mut self, args: Args<'_>, start: usize, end: usize, registry: &'r Registry) {
        let first_span = self.spans.len();
        self.spans.extend_from_slice(args.spans());
        let end_span = self.spans.len();
        let lookup = registry.lookup(args);
        let mut planned = Planned {
            lookup,
            slot: None,
            end,
            start,
            first_span,
            end_span,
        };
        if let Lookup::Found(_, Run::Data(command)) = lookup {
            planned.slot = self.ahead.note(command, &self.bytes[start..], args.spans());
        }
        self.planned.push(planned);
    }

    /// A planned command's arguments.
    #[inline]
    pub(crate) fn args(&self, planned: &Planned<'_>) -> Args<'_> {
        let spans = &self.spans[planned.first_span..planned.end_span];
        Args::new(&self.bytes[planned.start..], spans)
    }
}
