//! Nothing above the runtime reads a clock, a random number or a file except through it, and nothing
//! depends on an order that chance has given.
//!
//! That is what lets the simulator run the shipped code under one seed: every effect passes the
//! runtime, which answers from the seed. The crates checked here are those whose code runs inside a
//! simulated shard; their tests may do as they please.

use super::finding::Finding;
use super::imports::named_paths;
use super::source::Source;

/// Folders under the rule.
const PURE: [&str; 4] = [
    "crates/wire/src/",
    "crates/store/src/",
    "crates/node/src/",
    "crates/front/src/",
];

const FILES: &str = "`corelane::fs`";
const SOCKETS: &str = "`corelane::net`";
const TASKS: &str = "`corelane::task`";
const CLOCK: &str = "`corelane::time`, or take the time as an argument";
const RANDOM: &str = "`corelane::random`, or take a seeded `fastrand::Rng` as an argument";
const ORDER: &str = "a B-tree, or hashbrown with a seed that is handed in: this one's order differs from run to run";

/// Paths that reach for the world, by their beginning, and what to use in their place.
const EFFECTS: &[(&str, &str)] = &[
    ("std::fs", FILES),
    ("std::net::Tcp", SOCKETS),
    ("std::net::Udp", SOCKETS),
    ("std::os::unix::net", SOCKETS),
    ("std::thread", TASKS),
    ("std::time::Instant", CLOCK),
    ("std::time::SystemTime", CLOCK),
    ("std::time::UNIX_EPOCH", CLOCK),
    ("Instant::now", CLOCK),
    ("SystemTime::now", CLOCK),
    ("rand", RANDOM),
    ("getrandom", RANDOM),
    ("fastrand", RANDOM),
    ("std::hash::RandomState", ORDER),
    ("std::collections::hash_map::RandomState", ORDER),
    ("std::collections::HashMap", ORDER),
    ("std::collections::HashSet", ORDER),
];

/// What of `fastrand` does not touch its hidden global generator.
const SEEDED: [&str; 2] = ["fastrand::Rng", "fastrand::Rng::with_seed"];

/// Places that may, each with its reason: a file, the beginning of a path.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "crates/node/src/catalog.rs",
    "std::collections::HashSet",
    "asks whether a name was seen before, once at the start; its order is never looked at",
)];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    if !PURE.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let named = named_paths(&source.tokens)
        .into_iter()
        .filter(|named| !source.is_test(named.line));
    let effects = named.filter_map(|named| {
        let (_, instead) = EFFECTS
            .iter()
            .find(|(effect, _)| begins_with(&named.path, effect))?;
        let excepted = |(path, effect, _): &(&str, &str, &str)| {
            source.path == *path && begins_with(&named.path, effect)
        };
        let harmless = SEEDED.contains(&named.path.as_str()) || EXCEPTIONS.iter().any(excepted);
        (!harmless).then_some((named, instead))
    });
    effects
        .map(|(named, instead)| Finding {
            path: source.path.clone(),
            line: named.line,
            what: format!("`{}` in a crate that runs inside the simulator", named.path),
            why: "what a simulated run does must follow from its seed alone, so every effect passes the runtime"
                .to_owned(),
            remedy: format!(
                "use {instead}; a true exception goes into EXCEPTIONS in {} with its reason",
                file!()
            ),
        })
        .collect()
}

/// Whether `path` is `prefix` or continues it. `Tcp` continues in the same name, whole names do not.
fn begins_with(path: &str, prefix: &str) -> bool {
    let Some(rest) = path.strip_prefix(prefix) else {
        return false;
    };
    rest.is_empty()
        || rest.starts_with("::")
        || prefix.ends_with("::Tcp")
        || prefix.ends_with("::Udp")
}

#[cfg(test)]
mod tests {
    use super::super::finding::check_rows;
    use super::*;

    #[test]
    fn effects_are_found_in_every_form() {
        check_rows(
            check,
            "crates/node/src/a.rs",
            &[
                ("use std::fs;", &[1]),
                (
                    "use std::{\n  collections::BTreeMap,\n  fs::File,\n  time::{Duration, Instant},\n};",
                    &[3, 4],
                ),
                ("fn a() { std::fs::read(p); }", &[1]),
                ("fn a() { let b = Instant::now(); }", &[1]),
                ("fn a() { let b = time::SystemTime::UNIX_EPOCH; }", &[]),
                ("use std::time::{SystemTime, UNIX_EPOCH};", &[1, 1]),
                ("use std::net::{TcpStream, SocketAddr};", &[1]),
                ("fn a() { std::thread::sleep(d) }", &[1]),
                ("fn a() { fastrand::u64(..) }", &[1]),
                ("fn a() { fastrand::Rng::new() }", &[1]),
                (
                    "fn a(rng: &mut fastrand::Rng) { fastrand::Rng::with_seed(1); }",
                    &[],
                ),
                ("use fastrand::Rng;", &[]),
                (
                    "fn a() { rand::random() }\nfn b() { getrandom::fill(c) }",
                    &[1, 2],
                ),
                ("use std::time::Duration;\nfn a() { randomly::b() }", &[]),
                (
                    "use std::collections::{BTreeMap, HashMap};\nfn a() { HashMap::new() }",
                    &[1],
                ),
                ("// std::fs\nconst A: &str = \"std::fs::read\";", &[]),
                ("#[cfg(test)]\nmod tests {\n  use std::fs;\n}", &[]),
            ],
        );
    }

    #[test]
    fn exceptions_hold_for_one_thing_in_one_file() {
        let (path, effect, _) = EXCEPTIONS[0];
        check_rows(
            check,
            path,
            &[(&format!("use {effect};"), &[]), ("use std::fs;", &[1])],
        );
        check_rows(
            check,
            "crates/node/src/other.rs",
            &[(&format!("use {effect};"), &[1])],
        );
    }

    #[test]
    fn other_crates_and_tests_are_free() {
        check_rows(check, "crates/server/src/a.rs", &[("use std::fs;", &[])]);
        check_rows(check, "lib/rt/src/a.rs", &[("use std::fs;", &[])]);
        check_rows(check, "crates/store/tests/a.rs", &[("use std::fs;", &[])]);
        check_rows(
            check,
            "crates/store/src/table/tests.rs",
            &[("use std::fs;", &[])],
        );
    }
}
