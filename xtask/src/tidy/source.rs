//! One Rust file: its text, its tokens, and which of its lines are test code.

use std::ops::RangeInclusive;

use super::tokens::{Kind, Token, tokenize};

/// Folders and files of nothing but test code.
const TEST_FOLDERS: [&str; 3] = ["tests", "benches", "fuzz"];

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the workspace, with forward slashes.
    pub(crate) path: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
    /// Its tokens; none when it cannot be read.
    pub(crate) tokens: Vec<Token>,
    /// The line at which the lexer gave up.
    pub(crate) unreadable_at: Option<usize>,
    /// Whether all of it is test code.
    all_test: bool,
    /// Lines of items under `#[cfg(test)]` and `#[test]`.
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Reads a file's text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        let (tokens, unreadable_at) = match tokenize(text) {
            Ok(tokens) => (tokens, None),
            Err(line) => (Vec::new(), Some(line)),
        };
        let parts: Vec<&str> = path.split('/').collect();
        let in_test_folder = parts.iter().any(|part| TEST_FOLDERS.contains(part));
        let all_test = in_test_folder || path.ends_with("/tests.rs");
        let test_items = test_items(&tokens);
        let test_lines = test_items
            .map(|(from, to)| tokens[from].line..=tokens[to].line)
            .collect();
        Self {
            path: path.to_owned(),
            lines,
            tokens,
            unreadable_at,
            all_test,
            test_lines,
        }
    }

    /// Whether a line is test code.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.all_test || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Lines that are not test code.
    pub(crate) fn shipped_lines(&self) -> usize {
        (1..=self.lines.len())
            .filter(|&line| !self.is_test(line))
            .count()
    }

    /// Makes all of the file test code.
    pub(crate) fn set_test(&mut self) {
        self.all_test = true;
    }

    /// Where the files of modules lie that this file declares as test code only
    /// (`#[cfg(test)] mod testing;`): paths without `.rs`.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let folder = self.module_folder();
        let items = test_items(&self.tokens);
        let declared = items.filter_map(|(from, to)| match &self.tokens[from..=to] {
            [.., keyword, name, end] if keyword.name() == Some("mod") && end.is_mark(';') => {
                name.name()
            }
            _ => None,
        });
        declared.map(|name| format!("{folder}/{name}")).collect()
    }

    /// The folder that holds this module's children.
    fn module_folder(&self) -> &str {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or((".", &self.path));
        match file {
            "lib.rs" | "main.rs" | "mod.rs" => folder,
            _ => self.path.trim_end_matches(".rs"),
        }
    }
}

/// Items under a test attribute: positions of their first and last token, attributes included.
fn test_items(tokens: &[Token]) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..tokens.len())
        .filter(|&at| is_test_attribute(tokens, at))
        .map(|at| (at, item_end(tokens, at)))
}

/// `#[test]`, or a `#[cfg(…)]` that asks for `test` (not for its absence).
fn is_test_attribute(tokens: &[Token], at: usize) -> bool {
    let Some(close) = attribute_end(tokens, at) else {
        return false;
    };
    let inside = &tokens[at + 2..close];
    match inside.first().and_then(Token::name) {
        Some("test") => inside.len() == 1,
        Some("cfg") => {
            let mut names = inside.iter().filter_map(Token::name);
            names.clone().any(|name| name == "test") && !names.any(|name| name == "not")
        }
        _ => false,
    }
}

/// The closing bracket of an outer attribute that starts here.
fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    tokens[at]
        .is_mark('#')
        .then(|| tokens.get(at + 1)?.closed_at('['))?
}

/// The last token of the item whose attributes start here: its `;` or its closing brace.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some(close) = tokens.get(at).and_then(|_| attribute_end(tokens, at)) {
        at = close + 1;
    }
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Mark(';') => return at,
            Kind::Open('{', close) => return close,
            Kind::Open(_, close) => at = close + 1,
            // The end of the enclosing group: the attribute stood on a field or an expression.
            Kind::Close(_) => return at - 1,
            _ => at += 1,
        }
    }
    tokens.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_told_apart() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[test]\nfn d() {\n}\n\
                    #[cfg(not(test))]\nfn e() {}\n#[cfg(all(test, unix))]\n#[allow(x)]\nuse a::b;\nfn f() {}";
        let source = Source::new("lib/x/src/lib.rs", text);
        let test: Vec<usize> = (1..=source.lines.len())
            .filter(|&line| source.is_test(line))
            .collect();
        assert_eq!(test, [2, 3, 4, 5, 7, 8, 9, 12, 13, 14]);
        assert_eq!(source.shipped_lines(), 5);
        assert!(Source::new("lib/x/tests/a.rs", "").is_test(1));
        assert!(Source::new("lib/x/src/a/tests.rs", "").is_test(1));
        assert!(!Source::new("lib/x/src/attests.rs", "").is_test(1));
    }

    #[test]
    fn modules_of_test_code_are_found() {
        let text = "#[cfg(test)]\nmod testing;\n#[cfg(test)]\npub(crate) mod more;\nmod real;";
        for (path, folder) in [
            ("c/src/lib.rs", "c/src"),
            ("c/src/a/mod.rs", "c/src/a"),
            ("c/src/a.rs", "c/src/a"),
        ] {
            let modules = Source::new(path, text).test_modules();
            assert_eq!(
                modules,
                [format!("{folder}/testing"), format!("{folder}/more")]
            );
        }
    }

    #[test]
    fn an_attribute_on_a_field_ends_with_its_group() {
        let source = Source::new(
            "a.rs",
            "struct A {\n    #[cfg(test)]\n    a: u8\n}\nfn b() {}",
        );
        assert!(source.is_test(3) && !source.is_test(5));
    }
}
