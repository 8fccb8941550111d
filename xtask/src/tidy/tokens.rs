//! A Rust file as a flat list of tokens with their lines.
//!
//! Comments are gone, doc comments have become attributes, and the lexer is rustc's own (by
//! proc-macro2), so a `{` in a string or a lifetime's quote deceives nobody.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One token.
#[derive(Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its line, counted from 1.
    pub(crate) line: usize,
}

/// What a token is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword; raw names without their `r#`.
    Name(String),
    /// One character of punctuation; `::` is two.
    Mark(char),
    /// `(`, `[` or `{`, and the position of what closes it.
    Open(char, usize),
    /// `)`, `]` or `}`.
    Close(char),
    /// A string, number or character.
    Literal,
}

/// Splits a file into tokens; `Err` holds the line that the lexer stumbled over.
pub(crate) fn tokenize(text: &str) -> Result<Vec<Token>, usize> {
    let stream = TokenStream::from_str(text).map_err(|error| error.span().start().line)?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let kind = match tree {
            TokenTree::Group(group) => {
                flatten_group(&group, line, tokens);
                continue;
            }
            TokenTree::Ident(name) => {
                let name = name.to_string();
                Kind::Name(name.strip_prefix("r#").map_or(name.clone(), str::to_owned))
            }
            TokenTree::Punct(mark) => Kind::Mark(mark.as_char()),
            TokenTree::Literal(_) => Kind::Literal,
        };
        tokens.push(Token { kind, line });
    }
}

fn flatten_group(group: &Group, line: usize, tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::Brace => ('{', '}'),
        Delimiter::None => return flatten(group.stream(), tokens),
    };
    let at = tokens.len();
    // Where it closes is known only behind its content.
    tokens.push(Token {
        kind: Kind::Open(open, at),
        line,
    });
    flatten(group.stream(), tokens);
    tokens[at].kind = Kind::Open(open, tokens.len());
    tokens.push(Token {
        kind: Kind::Close(close),
        line: group.span_close().start().line,
    });
}

impl Token {
    /// Its name, if it is one.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is this punctuation.
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// If it opens with this delimiter, the position of what closes it.
    pub(crate) fn closed_at(&self, delimiter: char) -> Option<usize> {
        match self.kind {
            Kind::Open(open, close) if open == delimiter => Some(close),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_know_their_partners_and_strings_hide_theirs() {
        let tokens =
            tokenize("// {\nfn r#a(b: &'static str) {\n    c(\"}\", '{');\n}").expect("tokens");
        let names: Vec<&str> = tokens.iter().filter_map(Token::name).collect();
        assert_eq!(names, ["fn", "a", "b", "static", "str", "c"]);
        let body = tokens
            .iter()
            .find_map(|token| token.closed_at('{'))
            .expect("a body");
        assert_eq!((body, tokens[body].line), (tokens.len() - 1, 4));
        assert_eq!(tokenize("fn a() {\n )").err(), Some(2));
    }
}
