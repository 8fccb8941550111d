//! Every file opens with `//!` and says in that line what it is.

use super::finding::Finding;
use super::source::Source;

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let finding = |line: usize, what: &str| Finding {
        path: source.path.clone(),
        line,
        what: what.to_owned(),
        why: "a file says first what it is and why it is apart from its neighbours".to_owned(),
        remedy: "begin the file with `//! What this file is.`".to_owned(),
    };
    if let Some(line) = source.unreadable_at {
        let mut unreadable = finding(line, "this file cannot be read as Rust");
        unreadable.why = "the lexer stops here, so no other rule can be checked".to_owned();
        unreadable.remedy = "make it compile first".to_owned();
        return vec![unreadable];
    }
    match source
        .lines
        .first()
        .and_then(|line| line.strip_prefix("//!"))
    {
        Some(header) if header.trim().is_empty() => {
            vec![finding(1, "the header's first line is empty")]
        }
        Some(_) => Vec::new(),
        None => vec![finding(1, "the file does not open with `//!`")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_asked_for() {
        for (text, expected) in [
            ("//! What it is.\nfn a() {}", None),
            ("", Some("1 the file does not open with `//!`")),
            ("\n//! Late.", Some("1 the file does not open with `//!`")),
            (
                "/// Wrong.\nfn a() {}",
                Some("1 the file does not open with `//!`"),
            ),
            ("//!\n//! Late.", Some("1 the header's first line is empty")),
            ("//! a\nfn b( {", Some("2 this file cannot be read as Rust")),
        ] {
            let found = check(&Source::new("a.rs", text));
            let found = found
                .first()
                .map(|finding| format!("{} {}", finding.line, finding.what));
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }
}
