//! One fuzz input: a few bytes that say how to feed the rest.

use corelane_wire::Limits;

/// Reads that a stream is cut into, at most.
const MAX_CUTS: usize = 15;

/// A stream of bytes and how it arrives.
#[derive(Debug)]
pub struct Input<'a> {
    /// The stream.
    pub bytes: &'a [u8],
    /// Where reads end, within the stream and in order.
    pub cuts: Vec<usize>,
    /// Redis's limits, or such low ones that a fuzzer reaches them.
    pub limits: Limits,
}

impl<'a> Input<'a> {
    /// Takes fuzz data apart: a byte of settings, two bytes for each cut, the stream.
    pub fn new(data: &'a [u8]) -> Self {
        let (settings, rest) = data.split_first().unwrap_or((&0, data));
        let cut_bytes = (usize::from(*settings) % (MAX_CUTS + 1) * 2).min(rest.len());
        let (cuts, bytes) = rest.split_at(cut_bytes);
        let (cuts, _) = cuts.as_chunks::<2>();
        let mut cuts: Vec<usize> = cuts
            .iter()
            .map(|cut| usize::from(u16::from_le_bytes(*cut)) % (bytes.len() + 1))
            .collect();
        cuts.sort_unstable();
        let limits = if settings & 0x80 == 0 {
            Limits::DEFAULT
        } else {
            LOW_LIMITS
        };
        Self {
            bytes,
            cuts,
            limits,
        }
    }
}

const LOW_LIMITS: Limits = Limits {
    max_bulk_bytes: 40,
    max_args: 5,
    max_inline_bytes: 48,
    max_query_bytes: 120,
};
