//! The longest common subsequence of two byte strings, in slices.
//!
//! Apart from the command, because it knows nothing of keys and replies: bytes in, matches out. The classic table
//! of lengths is filled cell by cell under a budget, and then walked back under a budget, giving up its memory on
//! the way, so that two long values never hold the shard for longer than a slice.
//!
//! Slices of many clients' alignments take turns, so all their tables are there at once. Therefore a table keeps
//! one bit per cell, which is all that the walk back asks of it, and not the length.

/// How many bytes one cell of Redis's table takes: the command refuses what Redis refuses.
const CELL_BYTES: u64 = size_of::<u32>() as u64;

/// Cells whose bits are taken from the allocator at once.
const BLOCK_CELLS: usize = 1 << 15;

/// Bits in a word of a block.
const WORD_CELLS: usize = u64::BITS as usize;

/// Blocks that are given back to the allocator in one slice, at most.
const FREED_BLOCKS: usize = 16;

/// One stretch that both strings share: `a[a_start..=a_end] == b[b_start..=b_end]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// First byte in the first string.
    pub(crate) a_start: u32,
    /// Last byte in the first string, inclusive.
    pub(crate) a_end: u32,
    /// First byte in the second string.
    pub(crate) b_start: u32,
    /// Last byte in the second string, inclusive.
    pub(crate) b_end: u32,
}

impl Match {
    /// Bytes in the stretch.
    pub(crate) fn len(&self) -> u32 {
        self.a_end - self.a_start + 1
    }
}

/// Two strings and how far they are aligned.
#[derive(Debug)]
pub(crate) struct Alignment {
    a: Vec<u8>,
    b: Vec<u8>,
    table: Table,
    /// The row in work: `row[j]` is of this row up to the cell in work, of the row above from there on.
    row: Vec<u32>,
    /// The cell in work, counted from 0.
    cell: (usize, usize),
    /// What stood above and to the left of the cell in work.
    diagonal: u32,
    /// Where the walk back stands: bytes of each string that are left.
    left: (usize, usize),
    open: Option<Match>,
    found: Found,
}

/// What two strings have in common.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The longest common subsequence, backwards.
    pub(crate) backwards: Vec<u8>,
    /// Its stretches, the last one first.
    pub(crate) matches: Vec<Match>,
}

/// Why an alignment cannot be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// One of the strings has more bytes than a cell can count.
    StringTooLong,
    /// The table would take more than the allowed bytes.
    OverLimit,
}

impl Alignment {
    /// Begins an alignment whose whole table would take at most `limit_bytes` in Redis. Without `trace` only the
    /// length can be told, and no table is kept.
    pub(crate) fn new(
        a: Vec<u8>,
        b: Vec<u8>,
        trace: bool,
        limit_bytes: u64,
    ) -> Result<Self, Refused> {
        if a.len() >= (u32::MAX - 1) as usize || b.len() >= (u32::MAX - 1) as usize {
            return Err(Refused::StringTooLong);
        }
        // Both factors fit 32 bits, so their product fits 64. Each has one more for the empty string.
        let cells = (a.len() as u64 + 1) * (b.len() as u64 + 1);
        if cells
            .checked_mul(CELL_BYTES)
            .is_none_or(|bytes| bytes > limit_bytes)
        {
            return Err(Refused::OverLimit);
        }
        Ok(Self {
            table: Table {
                width: b.len(),
                blocks: Vec::new(),
                word: 0,
                cells: 0,
                kept: trace,
            },
            row: vec![0; b.len() + 1],
            left: (a.len(), b.len()),
            cell: (0, 0),
            diagonal: 0,
            open: None,
            found: Found::default(),
            a,
            b,
        })
    }

    /// Works on about `budget` cells. True once there is nothing more to do.
    pub(crate) fn advance(&mut self, budget: usize) -> bool {
        if !self.is_full() {
            self.fill(budget);
            return self.is_full() && !self.table.kept;
        }
        self.trace(budget);
        self.table.free_behind(self.left) && self.is_traced()
    }

    /// The length of the longest common subsequence, once the alignment is done.
    pub(crate) fn length(&self) -> u32 {
        assert!(
            self.is_full(),
            "an alignment was asked for its length before it was done"
        );
        self.row[self.b.len()]
    }

    /// What was found on the walk back, once the alignment is done.
    pub(crate) fn into_found(self) -> Found {
        assert!(
            self.is_traced(),
            "an alignment was asked for its matches before it was done"
        );
        self.found
    }

    fn is_full(&self) -> bool {
        self.cell.0 == self.a.len() || self.b.is_empty()
    }

    fn is_traced(&self) -> bool {
        self.left.0 == 0 || self.left.1 == 0
    }

    fn fill(&mut self, mut budget: usize) {
        while budget > 0 && !self.is_full() {
            let (i, j) = self.cell;
            let end = self.b.len().min(j + budget);
            let table = &mut self.table;
            let (row, diagonal) = (&mut self.row, &mut self.diagonal);
            if table.kept {
                fill_row(row, &self.b, self.a[i], j..end, diagonal, |up| {
                    table.push(up)
                });
            } else {
                fill_row(row, &self.b, self.a[i], j..end, diagonal, |_| ());
            }
            budget -= end - j;
            self.cell = (i, end);
            if end == self.b.len() {
                self.cell = (i + 1, 0);
                self.diagonal = 0;
            }
        }
    }

    fn trace(&mut self, mut budget: usize) {
        while budget > 0 && !self.is_traced() {
            budget -= 1;
            let (i, j) = self.left;
            if self.a[i - 1] == self.b[j - 1] {
                self.found.backwards.push(self.a[i - 1]);
                let (a, b) = (i as u32 - 1, j as u32 - 1);
                // Any mismatch closes the stretch, so an open one begins right behind this pair.
                let run = self.open.unwrap_or(Match {
                    a_start: a,
                    a_end: a,
                    b_start: b,
                    b_end: b,
                });
                self.open = Some(Match {
                    a_start: a,
                    b_start: b,
                    ..run
                });
                self.left = (i - 1, j - 1);
            } else {
                self.found.matches.extend(self.open.take());
                let up = self.table.leads_up(i, j);
                self.left = if up { (i - 1, j) } else { (i, j - 1) };
            }
        }
        if self.is_traced() {
            self.found.matches.extend(self.open.take());
        }
    }
}

/// Turns the cells `columns` of the row above into those of the row of `byte`. `note` is told of each whether the
/// cell above it has more than the one to its left.
#[inline(always)]
fn fill_row(
    row: &mut [u32],
    b: &[u8],
    byte: u8,
    columns: std::ops::Range<usize>,
    diagonal: &mut u32,
    mut note: impl FnMut(bool),
) {
    let mut left = row[columns.start];
    for (cell, &other) in row[columns.start + 1..=columns.end]
        .iter_mut()
        .zip(&b[columns])
    {
        let up = *cell;
        note(up > left);
        *cell = if byte == other {
            *diagonal + 1
        } else {
            up.max(left)
        };
        (left, *diagonal) = (*cell, up);
    }
}

/// For all pairs of beginnings that are not empty, row by row, in blocks: whether the first string without its last
/// byte has more in common with the second than the other way round.
#[derive(Debug)]
struct Table {
    width: usize,
    blocks: Vec<Vec<u64>>,
    /// The word in work.
    word: u64,
    /// How many cells there are.
    cells: usize,
    /// Whether it is wanted at all.
    kept: bool,
}

impl Table {
    #[inline]
    fn push(&mut self, up: bool) {
        let bit = self.cells % WORD_CELLS;
        self.word |= u64::from(up) << bit;
        self.cells += 1;
        if bit == WORD_CELLS - 1 {
            self.push_word();
        }
    }

    fn push_word(&mut self) {
        const BLOCK_WORDS: usize = BLOCK_CELLS / WORD_CELLS;
        let word = std::mem::take(&mut self.word);
        match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK_WORDS => block.push(word),
            _ => {
                let mut block = Vec::with_capacity(BLOCK_WORDS);
                block.push(word);
                self.blocks.push(block);
            }
        }
    }

    /// Whether the walk goes on with one byte less of the first string, and not of the second, where it has come to
    /// `i` bytes of the one and `j` of the other.
    fn leads_up(&self, i: usize, j: usize) -> bool {
        let at = (i - 1) * self.width + j - 1;
        let block = self.blocks.get(at / BLOCK_CELLS);
        let word = block.and_then(|block| block.get(at % BLOCK_CELLS / WORD_CELLS));
        // The last word may not be full, and then lies in no block.
        let word = word.copied().unwrap_or(self.word);
        word >> (at % WORD_CELLS) & 1 == 1
    }

    /// Gives some of the blocks back that a walk at `left` will not look at any more. Returns whether that is all.
    fn free_behind(&mut self, left: (usize, usize)) -> bool {
        let wanted = match left {
            (0, _) | (_, 0) => 0,
            (i, j) => ((i - 1) * self.width + j - 1) / BLOCK_CELLS + 1,
        };
        let kept = wanted.max(self.blocks.len().saturating_sub(FREED_BLOCKS));
        self.blocks.truncate(kept);
        kept <= wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last byte in the one string and in the other.
    type Ends = (u32, u32, u32, u32);

    fn aligned(a: &str, b: &str, budget: usize) -> (u32, String, Vec<Ends>) {
        let mut alignment = Alignment::new(a.into(), b.into(), true, 1 << 30).expect("small table");
        while !alignment.advance(budget) {}
        let length = alignment.length();
        let found = alignment.into_found();
        let common = found
            .backwards
            .iter()
            .rev()
            .map(|byte| *byte as char)
            .collect();
        let ends = |m: &Match| (m.a_start, m.a_end, m.b_start, m.b_end);
        (length, common, found.matches.iter().map(ends).collect())
    }

    #[test]
    fn finds_what_the_strings_share() {
        let rows = [
            ("", "", 0, "", vec![]),
            ("abc", "", 0, "", vec![]),
            ("", "abc", 0, "", vec![]),
            ("abc", "abc", 3, "abc", vec![(0, 2, 0, 2)]),
            ("abc", "xyz", 0, "", vec![]),
            (
                "ohmytext",
                "mynewtext",
                6,
                "mytext",
                vec![(4, 7, 5, 8), (2, 3, 0, 1)],
            ),
            (
                "axbxc",
                "abc",
                3,
                "abc",
                vec![(4, 4, 2, 2), (2, 2, 1, 1), (0, 0, 0, 0)],
            ),
        ];
        for (a, b, length, common, matches) in rows {
            for budget in [1, 2, 7, 1000] {
                let expected = (length, common.to_string(), matches.clone());
                assert_eq!(aligned(a, b, budget), expected, "{a} {b} {budget}");
            }
        }
    }

    #[test]
    fn tables_of_many_blocks_are_walked_and_given_back() {
        let (a, b) = ("abcde".repeat(100), "badce".repeat(150));
        assert!(a.len() * b.len() > 10 * BLOCK_CELLS);
        let whole = aligned(&a, &b, usize::MAX);
        assert_eq!(aligned(&a, &b, 1000), whole);
        assert_eq!(whole.0 as usize, whole.1.len());
    }

    #[test]
    fn the_length_alone_needs_no_table() {
        let mut alignment =
            Alignment::new(b"abcabc".repeat(9), b"bcb".repeat(9), false, 1 << 20).expect("small");
        while !alignment.advance(10) {}
        assert!(alignment.table.blocks.is_empty());
        assert_eq!(
            alignment.length(),
            aligned(&"abcabc".repeat(9), &"bcb".repeat(9), 10).0
        );
    }

    #[test]
    fn a_table_over_the_limit_is_refused() {
        // 4 × 4 cells of 4 bytes.
        let new = |limit| Alignment::new(b"abc".into(), b"abc".into(), true, limit);
        assert!(new(64).is_ok());
        assert_eq!(new(63).err(), Some(Refused::OverLimit));
    }
}
