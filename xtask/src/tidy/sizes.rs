//! How long files and functions are: a list to look at, and a bound that fails.
//!
//! Files of 80 to 300 lines are the habit here, and above 500 one thinks twice; the bounds lie well
//! above that, where thinking was evidently skipped. Test code has no bound: a long table of rows is
//! a good test.

use super::finding::Finding;
use super::source::Source;
use super::tokens::{Kind, Token};

/// Lines of a file, its test code not counted.
const FILE_LINES_MAX: usize = 800;

/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 120;

/// How many of each the list shows.
pub(crate) const LISTED: usize = 15;

/// Something with a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sized {
    /// Its file.
    pub(crate) path: String,
    /// Its first line.
    pub(crate) line: usize,
    /// A function's name; empty for a file.
    pub(crate) name: String,
    /// How many lines.
    pub(crate) lines: usize,
}

/// A file that ships code, without its test code.
pub(crate) fn file(source: &Source) -> Sized {
    Sized {
        path: source.path.clone(),
        line: 1,
        name: String::new(),
        lines: source.shipped_lines(),
    }
}

/// Functions with a body that are not test code.
pub(crate) fn functions(source: &Source) -> Vec<Sized> {
    let tokens = &source.tokens;
    let bodies = (0..tokens.len()).filter_map(|at| {
        let name = tokens
            .get(at + 1)?
            .name()
            .filter(|_| tokens[at].name() == Some("fn"))?;
        Some((name, tokens[at].line, body_end(tokens, at + 2)?))
    });
    bodies
        .filter(|(_, line, _)| !source.is_test(*line))
        .map(|(name, line, end)| Sized {
            path: source.path.clone(),
            line,
            name: name.to_owned(),
            lines: end - line + 1,
        })
        .collect()
}

/// The line of the brace that closes a function's body; `None` for a declaration.
fn body_end(tokens: &[Token], signature: usize) -> Option<usize> {
    let mut at = signature;
    loop {
        match tokens.get(at)?.kind {
            Kind::Mark(';') => return None,
            // `Array<{ N }>` is part of the signature.
            Kind::Open('{', close) if !tokens[at - 1].is_mark('<') => {
                return Some(tokens[close].line);
            }
            Kind::Open(_, close) => at = close + 1,
            Kind::Close(_) => return None,
            _ => at += 1,
        }
    }
}

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let file = Some(file(source)).filter(|file| file.lines > FILE_LINES_MAX);
    let file = file.map(|file| Finding {
        what: format!(
            "this file has {} lines of code (at most {FILE_LINES_MAX})",
            file.lines
        ),
        why: "one file per idea: nobody keeps this many in mind at once".to_owned(),
        remedy: "split it by what its parts are about, each with its own state".to_owned(),
        path: file.path,
        line: file.line,
    });
    let functions = functions(source)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES_MAX);
    let functions = functions.map(|function| Finding {
        what: format!(
            "`fn {}` has {} lines (at most {FUNCTION_LINES_MAX})",
            function.name, function.lines
        ),
        why: "a function does one thing that its name says".to_owned(),
        remedy: "name its steps and make each a function below it".to_owned(),
        path: function.path,
        line: function.line,
    });
    file.into_iter().chain(functions).collect()
}

/// The longest first, at most [`LISTED`], ties by place.
pub(crate) fn longest(mut all: Vec<Sized>) -> Vec<Sized> {
    all.sort_by(|a, b| {
        b.lines
            .cmp(&a.lines)
            .then_with(|| (&a.path, a.line).cmp(&(&b.path, b.line)))
    });
    all.truncate(LISTED);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let text = "fn a() {}\nfn b<T>()\nwhere\n    T: Fn() -> u8,\n{\n    fn c() {\n    }\n}\n\
                    trait D { fn e(); }\ntype F = fn(u8);\n\
                    m! { fn g(x: A<{ 1 }>) -> [u8; { 2 }] {\n} }\n#[cfg(test)]\nfn h() {}";
        let source = Source::new("a/src/a.rs", text);
        let found: Vec<_> = functions(&source)
            .into_iter()
            .map(|f| (f.name, f.line, f.lines))
            .collect();
        let expected = [("a", 1, 1), ("b", 2, 7), ("c", 6, 2), ("g", 11, 2)];
        assert_eq!(
            found,
            expected.map(|(name, line, lines)| (name.to_owned(), line, lines))
        );
    }

    #[test]
    fn bounds_hold_for_code_and_not_for_tests() {
        let long = format!(
            "fn a() {{\n{}}}\n",
            "    b();\n".repeat(FUNCTION_LINES_MAX - 1)
        );
        let many = "fn a() {}\n".repeat(FILE_LINES_MAX + 1);
        for (path, text, expected) in [
            (
                "a/src/a.rs",
                long.clone(),
                Some((1, "`fn a` has 121 lines (at most 120)")),
            ),
            ("a/src/a.rs", long.replacen("    b();\n", "", 1), None),
            ("a/tests/a.rs", long.clone(), None),
            ("a/src/a.rs", format!("#[test]\n{long}"), None),
            (
                "a/src/a.rs",
                many.clone(),
                Some((1, "this file has 801 lines of code (at most 800)")),
            ),
            ("a/src/a.rs", many.replacen('\n', "", 1), None),
            ("a/src/tests.rs", many.clone(), None),
            (
                "a/src/a.rs",
                format!("#[cfg(test)]\nmod tests {{\n{many}}}\n"),
                None,
            ),
        ] {
            let found = check(&Source::new(path, &text));
            let found = found
                .first()
                .map(|finding| (finding.line, finding.what.as_str()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn the_longest_come_first() {
        let of = |path: &str, lines| Sized {
            path: path.to_owned(),
            line: 1,
            name: String::new(),
            lines,
        };
        let sorted = longest(vec![of("b", 1), of("c", 3), of("a", 1)]);
        let paths: Vec<&str> = sorted.iter().map(|sized| sized.path.as_str()).collect();
        assert_eq!(paths, ["c", "a", "b"]);
        assert_eq!(longest(vec![of("a", 1); LISTED + 1]).len(), LISTED);
    }
}
