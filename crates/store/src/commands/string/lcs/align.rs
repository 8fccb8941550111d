//! The longest common subsequence of two byte strings, in slices.
//!
//! Apart from the command, because it knows nothing of keys and replies: bytes in, matches out. The classic table
//! of lengths is filled row by row under a budget, so that two long values never hold the shard for longer than a
//! slice; walking back through the full table is linear and needs none.

/// How many bytes one cell of the table takes: the command refuses tables above its limit by it.
pub(crate) const CELL_BYTES: u64 = size_of::<u32>() as u64;

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

/// Two strings and the part of their table that is filled.
pub(crate) struct Alignment {
    a: Vec<u8>,
    b: Vec<u8>,
    /// `(a.len() + 1) × (b.len() + 1)` lengths once full, row by row; row and column 0 are zero.
    cells: Vec<u32>,
}

/// Why an alignment cannot be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// One of the strings has more bytes than a cell can count.
    StringTooLong,
    /// The table would take more than the allowed bytes.
    OverLimit,
    /// The allocator has no memory for the table.
    NoMemory,
}

impl Alignment {
    /// Takes the memory for the table, at most `limit_bytes` of it, and fills nothing yet.
    pub(crate) fn new(a: Vec<u8>, b: Vec<u8>, limit_bytes: u64) -> Result<Self, Refused> {
        if a.len() >= (u32::MAX - 1) as usize || b.len() >= (u32::MAX - 1) as usize {
            return Err(Refused::StringTooLong);
        }
        // Both factors fit 32 bits, so their product fits 64.
        let cells = (a.len() as u64 + 1) * (b.len() as u64 + 1);
        if cells
            .checked_mul(CELL_BYTES)
            .is_none_or(|bytes| bytes > limit_bytes)
        {
            return Err(Refused::OverLimit);
        }
        let mut table = Vec::new();
        table
            .try_reserve_exact(cells as usize)
            .map_err(|_| Refused::NoMemory)?;
        table.resize(b.len() + 1, 0);
        Ok(Self { a, b, cells: table })
    }

    /// Fills whole rows until about `budget` cells are done. True once the table is full.
    pub(crate) fn advance(&mut self, budget: usize) -> bool {
        let width = self.b.len() + 1;
        let rows = (budget / width).max(1);
        let done = self.cells.len() / width - 1;
        for &byte in self.a.iter().skip(done).take(rows) {
            push_row(&mut self.cells, &self.b, byte);
        }
        self.is_full()
    }

    /// The length of the longest common subsequence. The table must be full.
    pub(crate) fn length(&self) -> u32 {
        assert!(
            self.is_full(),
            "an alignment was asked for its length before it was done"
        );
        self.cells[self.cells.len() - 1]
    }

    /// Walks back through the full table: calls `on_byte` for each byte of the subsequence, last byte first, and
    /// `on_match` for each stretch, last stretch first.
    pub(crate) fn walk(&self, mut on_byte: impl FnMut(u8), mut on_match: impl FnMut(Match)) {
        assert!(self.is_full(), "an alignment was walked before it was done");
        let (mut i, mut j) = (self.a.len(), self.b.len());
        let mut open: Option<Match> = None;
        while i > 0 && j > 0 {
            if self.a[i - 1] == self.b[j - 1] {
                i -= 1;
                j -= 1;
                on_byte(self.a[i]);
                let (a, b) = (i as u32, j as u32);
                // Any mismatch closes the stretch, so an open one begins right behind this pair.
                let run = open.unwrap_or(Match {
                    a_start: a,
                    a_end: a,
                    b_start: b,
                    b_end: b,
                });
                open = Some(Match {
                    a_start: a,
                    b_start: b,
                    ..run
                });
            } else {
                open.take().into_iter().for_each(&mut on_match);
                if self.cell(i - 1, j) > self.cell(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
        }
        open.into_iter().for_each(on_match);
    }

    fn cell(&self, i: usize, j: usize) -> u32 {
        self.cells[i * (self.b.len() + 1) + j]
    }

    fn is_full(&self) -> bool {
        self.cells.len() == (self.a.len() + 1) * (self.b.len() + 1)
    }
}

/// Appends the row of `byte`: each cell from its left neighbour and the row above.
fn push_row(cells: &mut Vec<u32>, b: &[u8], byte: u8) {
    let above = cells.len() - (b.len() + 1);
    let (mut left, mut diagonal) = (0, 0);
    cells.push(0);
    for (j, &other) in b.iter().enumerate() {
        let up = cells[above + j + 1];
        let here = if byte == other {
            diagonal + 1
        } else {
            up.max(left)
        };
        cells.push(here);
        (left, diagonal) = (here, up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last byte in the one string and in the other.
    type Ends = (u32, u32, u32, u32);

    fn aligned(a: &str, b: &str, budget: usize) -> (u32, String, Vec<Ends>) {
        let mut alignment = Alignment::new(a.into(), b.into(), 1 << 20).expect("small table");
        while !alignment.advance(budget) {}
        let (mut bytes, mut matches) = (Vec::new(), Vec::new());
        alignment.walk(
            |b| bytes.push(b),
            |m| matches.push((m.a_start, m.a_end, m.b_start, m.b_end)),
        );
        bytes.reverse();
        (
            alignment.length(),
            String::from_utf8(bytes).unwrap(),
            matches,
        )
    }

    #[test]
    fn finds_what_the_strings_share() {
        let rows = [
            ("", "", 0, "", vec![]),
            ("abc", "", 0, "", vec![]),
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
            for budget in [1, 7, 1000] {
                assert_eq!(
                    aligned(a, b, budget),
                    (length, common.to_string(), matches.clone()),
                    "{a} {b} {budget}"
                );
            }
        }
    }

    #[test]
    fn a_table_over_the_limit_takes_no_memory() {
        // 4 × 4 cells of 4 bytes.
        assert!(Alignment::new(b"abc".into(), b"abc".into(), 64).is_ok());
        assert_eq!(
            Alignment::new(b"abc".into(), b"abc".into(), 63).err(),
            Some(Refused::OverLimit)
        );
    }
}
