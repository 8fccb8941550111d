//! The binary as a person at a terminal meets it: help, refusals with their exit status, `check`
//! and `plan`. The dialogues stand in `tests/cmd`; `TRYCMD=overwrite` writes them anew.

use std::process::{Command, Output};

const CORELANE: &str = env!("CARGO_BIN_EXE_corelane");

#[test]
fn dialogues() {
    trycmd::TestCases::new()
        .register_bin("corelane", std::path::Path::new(CORELANE))
        .case("tests/cmd/*.trycmd");
}

fn corelane(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(CORELANE);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CORELANE_") {
            command.env_remove(name);
        }
    }
    command
        .args(args)
        .envs(env.iter().copied())
        .output()
        .expect("the binary was built for this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[test]
fn plan_is_a_table() {
    let output = corelane(&["plan", "--cpu-allocation", "1"], &[]);
    assert!(output.status.success());
    let table = text(&output.stdout);
    for row in [
        "machine ",
        "kernel ",
        "choice ",
        "shards ",
        "maxmemory ",
        "io ",
    ] {
        assert!(
            table.lines().any(|line| line.starts_with(row)),
            "no row '{row}' in:\n{table}"
        );
    }
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_plan_can_be_split_and_have_a_profile() {
    let overprovisioned = ["plan", "--cpu-allocation", "4", "--overprovisioned", "yes"];
    let split = [&overprovisioned[..], &["--io-shards", "1"]].concat();
    let rows = |args: &[&str]| {
        let output = corelane(args, &[]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let row = |table: &str, name: &str, value: &str| {
        let mut lines = table.lines().map(str::split_whitespace);
        let found = lines.any(|mut line| line.next() == Some(name) && line.next() == Some(value));
        assert!(found, "no row '{name} {value}' in:\n{table}");
    };
    row(&rows(&split), "layout", "split:1");
    row(&rows(&overprovisioned), "layout", "unified");
    let testing = rows(&["plan", "--profile", "testing"]);
    row(&testing, "profile", "testing");
    row(&testing, "shards", "4");
    row(&testing, "stall", "off");
    let minimal = rows(&["plan", "--profile", "minimal"]);
    row(&minimal, "shards", "1");
}

#[test]
fn plan_is_json() {
    let output = corelane(
        &["plan", "--json"],
        &[
            ("CORELANE_CPU_ALLOCATION", "1"),
            ("CORELANE_MAXMEMORY", "64mb"),
        ],
    );
    assert!(output.status.success());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let plan = &json["plan"];
    assert_eq!(plan["shards"]["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(plan["maxmemory_bytes"]["value"], 64 << 20);
    for choice in ["shards", "pinned", "maxmemory_bytes", "io", "spin_us"] {
        assert!(
            plan[choice]["reason"]
                .as_str()
                .is_some_and(|why| !why.is_empty()),
            "{choice} has no reason"
        );
    }
    assert!(json["machine"].is_object());
}

/// A setting reaches the binary from a file, a variable and a flag, and each later one wins: seen
/// by which of them is complained about.
#[test]
fn every_layer_is_read() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "io = 'file'\n").expect("it can be written to");
    let path = file.to_str().expect("its name is UTF-8");
    let error = |args: &[&str], env: &[(&str, &str)]| {
        let output = corelane(args, env);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    assert_eq!(
        error(&["plan", "--config", path], &[]),
        format!("corelane: {path}:1: io takes auto, uring or polling, not 'file'\n")
    );
    assert_eq!(
        error(&["serve"], &[("CORELANE_CONFIG", path)]),
        format!("corelane: {path}:1: io takes auto, uring or polling, not 'file'\n")
    );
    assert_eq!(
        error(&["plan"], &[("CORELANE_IO", "env")]),
        "corelane: variable CORELANE_IO: io takes auto, uring or polling, not 'env'\n"
    );
    assert_eq!(
        error(&["plan", "--io", "flag"], &[("CORELANE_IO", "polling")]),
        "corelane: flag --io: io takes auto, uring or polling, not 'flag'\n"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = Command::new(CORELANE)
        .args(["serve", "--help"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), String::new())
    );
}
