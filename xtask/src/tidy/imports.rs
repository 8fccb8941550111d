//! Every path that a file names: those of `use`, taken apart, and those written out in code.

use super::tokens::{Kind, Token};

/// A path and where it stands: `std::time::Instant`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// Names joined by `::`; a glob ends in `*`. Without generic arguments.
    pub(crate) path: String,
    /// The line of its last name.
    pub(crate) line: usize,
}

/// All paths of two names or more, and all that `use` imports, in order.
pub(crate) fn named_paths(tokens: &[Token]) -> Vec<NamedPath> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].name() == Some("use") {
            at = use_tree(tokens, at + 1, &[], &mut paths);
        } else if tokens[at].name().is_some() {
            at = plain_path(tokens, at, &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// A path in code; returns the position behind it.
fn plain_path(tokens: &[Token], start: usize, paths: &mut Vec<NamedPath>) -> usize {
    let mut at = start;
    let mut names = vec![tokens[at].name().unwrap_or_default()];
    while is_double_colon(tokens, at + 1)
        && let Some(name) = tokens.get(at + 3).and_then(Token::name)
    {
        names.push(name);
        at += 3;
    }
    if names.len() > 1 {
        paths.push(NamedPath {
            path: names.join("::"),
            line: tokens[at].line,
        });
    }
    at + 1
}

/// One branch of a `use` with the names before it; returns the position behind it.
fn use_tree(tokens: &[Token], start: usize, before: &[&str], paths: &mut Vec<NamedPath>) -> usize {
    let mut names = before.to_vec();
    let mut line = tokens.get(start).map_or(0, |token| token.line);
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            // What a name is called here does not matter.
            Kind::Name(name) if name == "as" => at += 1,
            Kind::Name(name) => {
                names.push(name);
                line = token.line;
            }
            Kind::Mark(':') => {}
            Kind::Mark('*') => names.push("*"),
            Kind::Open('{', close) => {
                let mut branch = at + 1;
                while branch < *close {
                    branch = use_tree(&tokens[..*close], branch, &names, paths);
                }
                return close + 1;
            }
            _ => break,
        }
        at += 1;
    }
    if names.len() > before.len() {
        // `use std::fs::{self, File}` names `std::fs`.
        names.retain(|name| *name != "self");
        paths.push(NamedPath {
            path: names.join("::"),
            line,
        });
    }
    at + 1
}

fn is_double_colon(tokens: &[Token], at: usize) -> bool {
    matches!(tokens.get(at..at + 2), Some([a, b]) if a.is_mark(':') && b.is_mark(':'))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokenize;
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (text, expected) in [
            ("use std::fs;", &["std::fs"][..]),
            (
                "use a::{b, c::{self, D as E}, f::*};",
                &["a::b", "a::c", "a::c::D", "a::f::*"],
            ),
            ("use ::std::{fs};use {a, b::c,};", &["std::fs", "a", "b::c"]),
            (
                "fn a() { std::fs::read(b::C::new(), d.e, f::<u8>()) }",
                &["std::fs::read", "b::C::new"],
            ),
            ("m! { x: Instant::now() }", &["Instant::now"]),
            ("let a: u8; pub use crate::b;", &["crate::b"]),
        ] {
            let tokens = tokenize(text).expect("tokens");
            let found: Vec<String> = named_paths(&tokens)
                .into_iter()
                .map(|named| named.path)
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_path_stands_where_its_last_name_does() {
        let tokens =
            tokenize("use std::{\n    time::{\n        Instant,\n    },\n};").expect("tokens");
        assert_eq!(
            named_paths(&tokens),
            [NamedPath {
                path: "std::time::Instant".to_owned(),
                line: 3
            }]
        );
    }
}
