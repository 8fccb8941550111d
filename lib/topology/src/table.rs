//! Plain-text tables: columns aligned by the widest cell, two blanks between them.

/// Rows of cells under a heading, printed by [`Table::render`].
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first line is `heading`.
    pub(crate) fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self {
            rows: vec![heading.map(str::to_owned).into()],
        }
    }

    /// Adds a line.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The lines, each with its end, without blanks before it. The last column is never padded.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell: &String| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, &width) in row.iter().zip(&widths) {
                line.push_str(cell);
                // By hand: a width in a format string must be below 65,536.
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["a", "bb", "c"]);
        table.row(["20 µs".to_owned(), String::new(), "x y".to_owned()]);
        table.row(["1".to_owned(), "222".to_owned(), String::new()]);
        assert_eq!(
            table.render(),
            "a      bb   c\n20 µs       x y\n1      222\n"
        );
    }
}
