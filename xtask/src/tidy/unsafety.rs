//! Unsafe code only where a need is written down, and each use with what makes it sound.

use super::finding::Finding;
use super::source::Source;
use super::tokens::{Kind, Token};

/// Where unsafe code may stand, and why there.
const ALLOWED: [(&str, &str); 3] = [
    (
        "lib/rt/",
        "operations hand buffers to the kernel, tasks are type-erased",
    ),
    (
        "crates/store/src/entry",
        "entries are thin heap blobs behind a 48-bit word; 110 bytes per key ask for it",
    ),
    (
        "benches/bare_loop/",
        "the least a server can cost is measured with a raw ring",
    ),
];

/// Lines of one statement above the word `unsafe` that are searched for its comment.
const STATEMENT_LINES_MAX: usize = 12;

/// What follows the word `unsafe`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A block, an impl, an attribute: it vouches for something.
    Vouches,
    /// A function or trait: it asks its callers to vouch.
    Asks,
}

/// Every use in one file: in a place that is allowed, and explained.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let allowed = is_allowed(&source.path);
    for (line, kind) in uses(&source.tokens) {
        if !allowed {
            findings.push(outside(source, line));
        } else if !is_explained(&source.lines, line, kind) {
            findings.push(unexplained(source, line, kind));
        }
    }
    findings
}

/// A crate's root file: whether it shuts unsafe code out, as far as the rules above say.
pub(crate) fn check_root(root: &Source) -> Vec<Finding> {
    let folder = root
        .path
        .split_once("/src/")
        .map_or("", |(folder, _)| folder);
    let within = |part: &str| {
        part.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    if is_allowed(&root.path) {
        return Vec::new();
    }
    // A forbidden lint cannot be allowed again below; a denied one can, where a module says so.
    let level = if ALLOWED.iter().any(|(part, _)| within(part)) {
        "deny"
    } else {
        "forbid"
    };
    if has_lint(&root.tokens, level) {
        return Vec::new();
    }
    vec![Finding {
        path: root.path.clone(),
        line: 1,
        what: format!("this crate's root lacks `#![{level}(unsafe_code)]`"),
        why: "the compiler is the better guard of a crate without unsafe code".to_owned(),
        remedy: format!("add `#![{level}(unsafe_code)]` below the header"),
    }]
}

fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|(part, _)| path.starts_with(part))
}

fn outside(source: &Source, line: usize) -> Finding {
    Finding {
        path: source.path.clone(),
        line,
        what: "unsafe code".to_owned(),
        why: format!(
            "it may stand only in {}",
            ALLOWED.map(|(part, _)| part).join(", ")
        ),
        remedy: format!(
            "write it safely; if a measured need speaks against that, write it down and add the place to ALLOWED in {}",
            file!()
        ),
    }
}

fn unexplained(source: &Source, line: usize, kind: Use) -> Finding {
    let (what, remedy) = match kind {
        Use::Vouches => (
            "unsafe code without `// SAFETY:`",
            "say above it why each demand of what it calls is met",
        ),
        Use::Asks => (
            "an unsafe item without `# Safety`",
            "say in its docs, under `# Safety`, what callers must see to",
        ),
    };
    Finding {
        path: source.path.clone(),
        line,
        what: what.to_owned(),
        why: "nobody can review a promise that is not written down".to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Every use of the word as code, by line.
fn uses(tokens: &[Token]) -> impl Iterator<Item = (usize, Use)> + '_ {
    let words = (0..tokens.len()).filter(|&at| tokens[at].name() == Some("unsafe"));
    words.filter_map(|at| Some((tokens[at].line, use_at(tokens, at)?)))
}

/// What the word at `at` is; `None` where it neither vouches nor asks.
fn use_at(tokens: &[Token], at: usize) -> Option<Use> {
    let after = &tokens[at + 1..];
    // `unsafe extern "C" fn`
    let keyword = after
        .iter()
        .take(3)
        .find_map(|token| token.name().filter(|name| *name != "extern"));
    match (after.first().map(|token| &token.kind), keyword) {
        (Some(Kind::Open('{' | '(', _)), _) => Some(Use::Vouches),
        (_, Some("fn")) if is_pointer_type(after) || is_in_trait_impl(tokens, at) => None,
        (_, Some("fn" | "trait")) => Some(Use::Asks),
        _ => Some(Use::Vouches),
    }
}

/// Whether a function stands in `impl Trait for …`: what its callers must see to is the trait's to say.
fn is_in_trait_impl(tokens: &[Token], at: usize) -> bool {
    let starts = (0..at).filter(|&start| tokens[start].name() == Some("impl"));
    starts.into_iter().any(|start| {
        let body = (start..at).find(|&open| tokens[open].closed_at('{').is_some());
        let Some((open, close)) = body.and_then(|open| Some((open, tokens[open].closed_at('{')?)))
        else {
            return false;
        };
        // `for<'a>` is no trait's `for`.
        let head = tokens[start..=open].windows(2);
        let of_trait = head
            .into_iter()
            .any(|pair| pair[0].name() == Some("for") && !pair[1].is_mark('<'));
        of_trait && close > at
    })
}

/// `unsafe fn(…)` is a type: the word `fn` without a name.
fn is_pointer_type(after: &[Token]) -> bool {
    let keyword = after.iter().position(|token| token.name() == Some("fn"));
    keyword
        .and_then(|at| after.get(at + 1))
        .is_some_and(|token| token.closed_at('(').is_some())
}

/// Whether a comment right above the statement that holds `line`, or on it, explains it.
fn is_explained(lines: &[String], line: usize, kind: Use) -> bool {
    let explains =
        |text: &str| text.contains("SAFETY:") || (kind == Use::Asks && text.contains("# Safety"));
    let is_comment = |text: &str| text.starts_with("//");
    // Same line: `// SAFETY: …` may also follow the code.
    let own = lines[line - 1].trim();
    if own
        .split_once("//")
        .is_some_and(|(_, comment)| explains(comment))
    {
        return true;
    }
    let mut above = lines[..line - 1]
        .iter()
        .rev()
        .map(|line| line.trim())
        .peekable();
    for _ in 0..STATEMENT_LINES_MAX {
        let Some(&text) = above.peek() else {
            return false;
        };
        if is_comment(text) {
            return above
                .take_while(|text| is_comment(text) || text.starts_with('#'))
                .any(explains);
        }
        // The end of what came before; attributes and beginnings of this statement are passed over.
        if text.is_empty() || (text.ends_with([';', '{', '}', ',']) && !text.starts_with('#')) {
            return false;
        }
        above.next();
    }
    false
}

/// `#![level(…, lint, …)]` among the tokens.
fn has_lint(tokens: &[Token], level: &str) -> bool {
    tokens.windows(4).enumerate().any(|(at, window)| {
        let [hash, bang, bracket, name] = window else {
            return false;
        };
        let Some(close) = bracket.closed_at('[') else {
            return false;
        };
        let inner = hash.is_mark('#') && bang.is_mark('!') && name.name() == Some(level);
        inner
            && tokens[at + 4..close]
                .iter()
                .any(|token| token.name() == Some("unsafe_code"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::check_rows;
    use super::*;

    #[test]
    fn unsafe_code_stands_where_it_is_allowed() {
        let block = "// SAFETY: sound.\nfn a() { unsafe { b() } }";
        for (path, allowed) in [
            ("lib/channel/src/a.rs", false),
            ("lib/rt/tests/a.rs", true),
            ("crates/store/src/entry.rs", true),
            ("crates/store/src/entry/block.rs", true),
            ("crates/store/src/table.rs", false),
            ("lib/corelane/src/a.rs", false),
        ] {
            check_rows(check, path, &[(block, if allowed { &[] } else { &[2] })]);
        }
        check_rows(
            check,
            "xtask/src/a.rs",
            &[("// unsafe\nfn a() { let b = \"unsafe { }\"; }", &[])],
        );
    }

    #[test]
    fn every_use_is_explained() {
        check_rows(
            check,
            "lib/rt/src/a.rs",
            &[
                ("// SAFETY: yes.\nunsafe impl Send for A {}", &[]),
                ("unsafe impl Send for A {}", &[1]),
                (
                    "// SAFETY: for the first.\nunsafe impl Send for A {}\nunsafe impl Sync for A {}",
                    &[3],
                ),
                (
                    "fn a() {\n    // SAFETY: long\n    // story.\n    let b = c\n        .d(unsafe { e() });\n}",
                    &[],
                ),
                (
                    "fn a() {\n    // SAFETY: of another.\n    b();\n    unsafe { c() }\n}",
                    &[4],
                ),
                ("fn a() {\n    // Just words.\n    unsafe { c() }\n}", &[3]),
                (
                    "fn a() {\n    unsafe { c() } // SAFETY: said behind.\n}",
                    &[],
                ),
                (
                    "fn a() {\n    // SAFETY: early.\n\n    unsafe { c() }\n}",
                    &[4],
                ),
                (
                    "/// Does.\n///\n/// # Safety\n/// Callers must.\n#[inline]\nunsafe fn a() {}",
                    &[],
                ),
                ("/// Does.\npub unsafe fn a() {}", &[2]),
                ("// SAFETY: as the trait asks.\nunsafe fn a() {}", &[]),
                (
                    "/// # Safety\n/// No.\nfn a() {\n    unsafe { b() }\n}",
                    &[4],
                ),
                (
                    "/// # Safety\n/// Implementors must.\npub unsafe trait A {}\npub unsafe trait B {}",
                    &[4],
                ),
                (
                    "type A = unsafe fn(u8);\ntype B = unsafe extern \"C\" fn(u8);",
                    &[],
                ),
                ("unsafe extern \"C\" {\n    fn a();\n}", &[1]),
                ("#[unsafe(no_mangle)]\nfn a() {}", &[1]),
                ("m! {\n    unsafe { a() }\n}", &[2]),
            ],
        );
    }

    #[test]
    fn roots_shut_it_out() {
        let forbid = "//! A.\n#![forbid(unsafe_code)]";
        let deny = "//! A.\n#![deny(missing_docs, unsafe_code)]";
        for (path, text, expected) in [
            ("crates/wire/src/lib.rs", forbid, None),
            (
                "crates/wire/src/lib.rs",
                deny,
                Some("this crate's root lacks `#![forbid(unsafe_code)]`"),
            ),
            (
                "crates/cli/src/main.rs",
                "//! A.",
                Some("this crate's root lacks `#![forbid(unsafe_code)]`"),
            ),
            ("crates/store/src/lib.rs", deny, None),
            (
                "crates/store/src/lib.rs",
                "//! A.",
                Some("this crate's root lacks `#![deny(unsafe_code)]`"),
            ),
            ("lib/rt/src/lib.rs", "//! A.", None),
        ] {
            let found = check_root(&Source::new(path, text));
            assert_eq!(
                found.first().map(|finding| finding.what.as_str()),
                expected,
                "{path}: {text}"
            );
        }
    }
}
