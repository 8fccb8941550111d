//! Runs the driver under callgrind and reads the instructions of its stages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the names of counted functions begin with; the rest is the stage's name.
const STAGE: &str = "stage_";

/// Instructions per command, by stage.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The kinds of commands that the driver knows.
pub(crate) fn kinds(driver: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(driver).arg("--list").output();
    let output = output.map_err(|error| format!("cannot run {}: {error}", driver.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(String::from)
        .collect())
}

/// Counts one kind.
pub(crate) fn count(driver: &Path, kind: &str) -> Result<Counts, String> {
    let file = std::env::temp_dir().join(format!("gate-{}.out", std::process::id()));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(driver)
        .arg(kind)
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{kind:?} fails under valgrind: {}", words.trim()));
    }
    let text = fs::read_to_string(&file);
    // A file left behind lies in the system's folder for such.
    let _ = fs::remove_file(&file);
    let text = text.map_err(|error| format!("callgrind wrote nothing: {error}"))?;
    let counts = per_call(&text);
    if counts.is_empty() {
        return Err(format!(
            "callgrind saw no stage of {kind:?}; was the driver built with symbols?"
        ));
    }
    Ok(counts)
}

/// Instructions per call of every stage, callees included, rounded.
///
/// The format (valgrind manual, "Callgrind Format Specification"): `fn=(id) name` begins the costs
/// of a function, the name only the first time; a line of a position and a number is a cost of its
/// own; `calls=COUNT …` says that the next such line is the cost of a callee, named by `cfn=`.
fn per_call(text: &str) -> Counts {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut costs, mut calls) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
    let (mut function, mut callee) = ("", "");
    for line in text.lines() {
        if let Some(reference) = line.strip_prefix("fn=") {
            function = id(reference, &mut names);
        } else if let Some(reference) = line.strip_prefix("cfn=") {
            callee = id(reference, &mut names);
        } else if let Some(count) = line.strip_prefix("calls=") {
            let count = count.split(' ').next().and_then(|n| n.parse::<u64>().ok());
            *calls.entry(callee).or_default() += count.unwrap_or(0);
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let cost = line.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
            *costs.entry(function).or_default() += cost.unwrap_or(0);
        }
    }
    let stage = |id: &&str| {
        names
            .get(*id)
            .and_then(|name| stage_of(name))
            .map(String::from)
    };
    let of = |(id, cost): (&&str, &u64)| {
        let calls = *calls.get(*id).filter(|calls| **calls > 0)?;
        Some((stage(id)?, (cost + calls / 2) / calls))
    };
    costs.iter().filter_map(of).collect()
}

/// The id of `(12) name` or `(12)`; a name is remembered.
fn id<'t>(reference: &'t str, names: &mut BTreeMap<&'t str, &'t str>) -> &'t str {
    match reference.split_once(' ') {
        Some((id, name)) => {
            names.insert(id, name);
            id
        }
        None => reference,
    }
}

/// The stage that a function's name, mangled or not, stands for.
fn stage_of(name: &str) -> Option<&str> {
    let rest = &name[name.find(STAGE)? + STAGE.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_called_costs_add_up_per_call() {
        let text = "\
positions: line
events: Ir
summary: 999

fl=(1) path.rs
fn=(1) command_path::path::run
10 500
cfi=(2) stages.rs
cfn=(2) command_path::stages::stage_parse
calls=7 20
+3 70
cfn=(2)
calls=3 20
* 35
fn=(2)
20 30
fi=(3) inlined.rs
+5 20
fe=(2)
cfn=(3) memcpy
calls=10 0
-2 55

totals: 999
";
        let want = Counts::from([("parse".to_string(), 11)]);
        assert_eq!(per_call(text), want);
    }

    #[test]
    fn stages_are_known_by_mangled_names_too() {
        assert_eq!(stage_of("a::stages::stage_route"), Some("route"));
        assert_eq!(
            stage_of("_RNvNtCs1_12command_path6stages11stage_reply"),
            Some("reply")
        );
        assert_eq!(
            stage_of("_ZN12command_path6stages13stage_execute17h0E"),
            Some("execute")
        );
        assert_eq!(stage_of("main"), None);
    }
}
