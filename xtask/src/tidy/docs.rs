//! What the documents name exists: every path between backticks, every link to a file, and every
//! constant that a table says is in a file.
//!
//! A map that leads to a file which was moved is worse than none, and nobody reads a whole map again
//! after each move. The changelog is left alone: what it names was there once.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::finding::Finding;

/// Where paths of ours begin. Other words with a slash are no paths (`CPU/memory`).
const FOLDERS: [&str; 9] = [
    ".ci/",
    "benches/",
    "crates/",
    "docs/",
    "examples/",
    "fuzz/",
    "lib/",
    "tests/",
    "xtask/",
];

/// The document that may name what is gone.
const PAST: &str = "CHANGELOG.md";

/// Folders of documents deeper than this are not looked into.
const DEPTH_MAX: usize = 4;

/// Checks the documents at the top of `root` and under `docs`.
pub(crate) fn check(root: &Path) -> Vec<Finding> {
    let mut documents = Vec::new();
    collect(root, "", 0, &mut documents);
    collect(root, "docs", 1, &mut documents);
    documents
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(root.join(path)).unwrap_or_default();
            let named = |named: &str| root.join(named);
            let mut findings = of_text(path, &text, |path| named(path).exists());
            findings.extend(of_tables(path, &text, |path| {
                fs::read_to_string(named(path)).ok()
            }));
            findings
        })
        .collect()
}

fn collect(root: &Path, folder: &str, depth: usize, documents: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    for name in names {
        let path = match folder {
            "" => name,
            _ => format!("{folder}/{name}"),
        };
        // At the top only documents: the other folders have their own.
        if depth > 0 && depth < DEPTH_MAX && root.join(&path).is_dir() {
            collect(root, &path, depth + 1, documents);
        } else if path.ends_with(".md") && path != PAST {
            documents.push(path);
        }
    }
}

/// Findings of one document; `exists` answers for paths relative to the workspace.
fn of_text(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let links = links(line).map(|target| relative_to(path, target));
        let named = paths(line).map(str::to_owned).chain(links);
        findings.extend(named.filter(|named| !exists(named)).map(|named| Finding {
            path: path.to_owned(),
            line: at + 1,
            what: format!("there is no `{named}`"),
            why: "a document that names what is not there misleads whoever reads it".to_owned(),
            remedy: "write what there is instead, in the change that moves it".to_owned(),
        }));
    }
    findings
}

/// Constants that a table's row names beside Rust files must stand in one of these; `read` gives a
/// file's text.
fn of_tables(path: &str, text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rows = text.lines().enumerate();
    for (at, row) in rows.filter(|(_, line)| line.starts_with('|')) {
        let files = paths(row).filter(|path| path.ends_with(".rs"));
        let files: Vec<String> = files.filter_map(&read).collect();
        let gone = |name: &&str| !files.iter().any(|text| text.contains(name));
        if files.is_empty() {
            continue;
        }
        findings.extend(constants(row).filter(gone).map(|name| Finding {
            path: path.to_owned(),
            line: at + 1,
            what: format!("the files of this row have no `{name}`"),
            why: "a bound that cannot be found cannot be looked up or changed".to_owned(),
            remedy:
                "write its new name or file, and its value and effect if they changed".to_owned(),
        }));
    }
    findings
}

/// Names of constants between backticks.
fn constants(line: &str) -> impl Iterator<Item = &str> {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    spans(line).filter(move |span| span.contains('_') && span.bytes().all(capital))
}

/// What stands between backticks.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Paths between backticks.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    spans(line).filter(|span| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        span.bytes().all(plain) && FOLDERS.iter().any(|folder| span.starts_with(folder))
    })
}

/// Targets of links to files: `[text](target#part)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

/// A link's target as a path relative to the workspace.
fn relative_to(document: &str, target: &str) -> String {
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_exist() {
        let there = ["lib/rt", "lib/rt/src/turn.rs", "docs/a.md", "README.md"];
        for (path, text, missing) in [
            ("A.md", "`lib/rt` and `lib/rt/src/turn.rs`", &[][..]),
            (
                "A.md",
                "`lib/rt/src/turns.rs`, `lib/rt`",
                &["lib/rt/src/turns.rs"],
            ),
            (
                "A.md",
                "a\n`crates/a/` b `crates/b`",
                &["crates/a/", "crates/b"],
            ),
            ("A.md", "lib/gone, `CPU/memory`, `lib/* x`, `GET`", &[]),
            ("A.md", "```sh\n`lib/gone`\n```\n`lib/lost`", &["lib/lost"]),
            (
                "A.md",
                "[a](docs/a.md#part), [b](docs/b.md)",
                &["docs/b.md"],
            ),
            ("A.md", "[a](https://a.example/b), [b](#part)", &[]),
            (
                "docs/a.md",
                "[a](a.md), [b](../README.md), [c](c.md)",
                &["docs/c.md"],
            ),
        ] {
            let found = of_text(path, text, |named| there.contains(&named));
            let found: Vec<&str> = found
                .iter()
                .filter_map(|finding| finding.what.split('`').nth(1))
                .collect();
            assert_eq!(found, missing, "{text}");
        }
    }

    #[test]
    fn constants_of_tables_must_stand_in_their_files() {
        let read = |path: &str| (path == "lib/a.rs").then(|| "const MAX_A: u8 = 1;".to_owned());
        for (text, missing) in [
            ("| `MAX_A`, `MAX_B` | 1 | `lib/a.rs` |", &["MAX_B"][..]),
            ("| `MAX_B` | 1 | `lib/none.rs` |", &[]),
            ("| `GET` | `lib/a.rs` |", &[]),
            ("`MAX_B` in `lib/a.rs`", &[]),
        ] {
            let found = of_tables("A.md", text, read);
            let found: Vec<&str> = found
                .iter()
                .filter_map(|finding| finding.what.split('`').nth(1))
                .collect();
            assert_eq!(found, missing, "{text}");
        }
    }
}
