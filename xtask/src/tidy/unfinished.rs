//! No code that says it is not there yet.

use super::finding::Finding;
use super::source::Source;

/// Macros that stand for missing code.
const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let calls = source.tokens.windows(2).filter_map(|pair| {
        let name = pair[0].name().filter(|name| UNFINISHED.contains(name))?;
        pair[1].is_mark('!').then_some((name, pair[0].line))
    });
    calls
        .map(|(name, line)| Finding {
            path: source.path.clone(),
            line,
            what: format!("`{name}!`"),
            why: "what is merged works; a gap that panics is worse than one that is not there"
                .to_owned(),
            remedy: "write it, or leave the whole case out of this change".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::check_rows;
    use super::*;

    #[test]
    fn gaps_are_found_and_words_are_not() {
        check_rows(
            check,
            "a.rs",
            &[
                ("fn a() { todo!() }", &[1]),
                ("fn a() {\n m! { std::unimplemented!(\"x\") }\n}", &[2]),
                (
                    "// todo!\nfn todo() { let a = \"todo!()\"; unimplemented(); }",
                    &[],
                ),
            ],
        );
    }
}
