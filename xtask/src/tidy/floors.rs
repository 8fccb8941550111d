//! Which crate may import which: the floor plan, read from every manifest.
//!
//! A crate imports crates of lower floors only. Its tests (dev-dependencies) may also import crates
//! of its own floor, as neighbours are handy to test against and no cycle can come of it; a test that
//! needs a higher floor is a test of that floor and belongs there.

use super::finding::Finding;
use super::workspace::{Dependency, Kind, Package};

/// The framework's inner crates: the server reaches them through `corelane`, which re-exports what
/// it may use.
const INNER: [&str; 2] = ["corelane-rt", "corelane-channel"];

/// The only crate that names compio.
const RUNTIME: &str = "corelane-rt";

/// Every manifest of the workspace.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| check_package(package, packages))
        .collect()
}

fn check_package(package: &Package, all: &[Package]) -> Vec<Finding> {
    let Some(floor) = package.floor else {
        return vec![Finding {
            path: package.manifest.clone(),
            line: 1,
            what: format!("`{}` has no floor", package.name),
            why: "a crate imports lower floors only, so each must say which is its own".to_owned(),
            remedy:
                "add `floor = N` under `[package.metadata.corelane]`; ARCHITECTURE.md has the plan"
                    .to_owned(),
        }];
    };
    let findings = package.dependencies.iter().flat_map(|dependency| {
        [
            too_high(package, floor, dependency, all),
            reaches_in(package, dependency),
            names_compio(package, dependency),
            knows_the_server(package, dependency, all),
        ]
    });
    findings.flatten().collect()
}

fn too_high(
    package: &Package,
    floor: u32,
    dependency: &Dependency,
    all: &[Package],
) -> Option<Finding> {
    let theirs = all
        .iter()
        .find(|other| other.name == dependency.name)?
        .floor?;
    let allowed = match dependency.kind {
        Kind::Dev => theirs <= floor,
        Kind::Normal | Kind::Build => theirs < floor,
    };
    let (what, why) = match dependency.kind {
        Kind::Dev => ("tests import", "tests import their own floor or lower ones"),
        Kind::Normal | Kind::Build => ("imports", "a crate imports lower floors only"),
    };
    (!allowed).then(|| Finding {
        what: format!(
            "`{}` (floor {floor}) {what} `{}` (floor {theirs})",
            package.name, dependency.name
        ),
        why: why.to_owned(),
        remedy: "move the code to the floor where both are known, or hand the value in".to_owned(),
        ..at(package, dependency)
    })
}

fn reaches_in(package: &Package, dependency: &Dependency) -> Option<Finding> {
    let inner = INNER.contains(&dependency.name.as_str());
    let outside = ["crates/", "examples/"]
        .iter()
        .any(|folder| package.manifest.starts_with(folder));
    (inner && outside).then(|| Finding {
        what: format!("`{}` imports `{}`", package.name, dependency.name),
        why: "the server and the examples reach the runtime only through `corelane`, as any other user of the framework".to_owned(),
        remedy: "use what `corelane` re-exports; if it is missing there, add it there".to_owned(),
        ..at(package, dependency)
    })
}

fn names_compio(package: &Package, dependency: &Dependency) -> Option<Finding> {
    let is_compio = dependency.name == "compio" || dependency.name.starts_with("compio-");
    (is_compio && package.name != RUNTIME).then(|| Finding {
        what: format!("`{}` imports `{}`", package.name, dependency.name),
        why: format!(
            "only `{RUNTIME}` names compio: what others see of it can be simulated and replaced"
        ),
        remedy: format!("use `{RUNTIME}`, or add what is missing there"),
        ..at(package, dependency)
    })
}

fn knows_the_server(
    package: &Package,
    dependency: &Dependency,
    all: &[Package],
) -> Option<Finding> {
    let other = all.iter().find(|other| other.name == dependency.name)?;
    let known = package.manifest.starts_with("lib/") && other.manifest.starts_with("crates/");
    known.then(|| Finding {
        what: format!("`{}` imports `{}`", package.name, dependency.name),
        why: "lib/ is the framework and knows nothing of the server built on it".to_owned(),
        remedy: "move what is general into lib/, or the user of it into crates/".to_owned(),
        ..at(package, dependency)
    })
}

/// A finding at the line of a dependency, its texts still empty.
fn at(package: &Package, dependency: &Dependency) -> Finding {
    Finding {
        path: package.manifest.clone(),
        line: dependency.line,
        what: String::new(),
        why: String::new(),
        remedy: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package under `folder` that imports each of `imports`.
    fn package(folder: &str, name: &str, floor: u32, imports: &[(&str, Kind)]) -> Package {
        let dependencies = imports.iter().map(|&(name, kind)| Dependency {
            name: name.to_owned(),
            kind,
            line: 7,
        });
        Package {
            name: name.to_owned(),
            manifest: format!("{folder}/{name}/Cargo.toml"),
            floor: Some(floor),
            dependencies: dependencies.collect(),
            roots: Vec::new(),
        }
    }

    /// What is found when `user` stands in a workspace with one crate on each floor and side.
    fn check_user(user: Package, expected: &[&str]) {
        let others = [
            package("lib", "corelane-rt", 1, &[]),
            package("lib", "corelane", 2, &[]),
            package("crates", "wire", 1, &[]),
            package("crates", "store", 2, &[]),
            package("crates", "node", 5, &[]),
        ];
        let found = check_package(&user, &others);
        let found: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn imports_lead_downwards() {
        let user = |imports| package("crates", "user", 2, imports);
        check_user(
            user(&[("wire", Kind::Normal), ("serde", Kind::Normal)]),
            &[],
        );
        check_user(
            user(&[("store", Kind::Normal)]),
            &["`user` (floor 2) imports `store` (floor 2)"],
        );
        check_user(
            user(&[("node", Kind::Build)]),
            &["`user` (floor 2) imports `node` (floor 5)"],
        );
        check_user(user(&[("store", Kind::Dev)]), &[]);
        check_user(
            user(&[("node", Kind::Dev)]),
            &["`user` (floor 2) tests import `node` (floor 5)"],
        );
    }

    #[test]
    fn the_runtime_is_reached_one_way_only() {
        let user = |folder, imports| package(folder, "user", 8, imports);
        check_user(user("crates", &[("corelane", Kind::Normal)]), &[]);
        check_user(
            user("crates", &[("corelane-rt", Kind::Normal)]),
            &["`user` imports `corelane-rt`"],
        );
        check_user(
            user("crates", &[("corelane-channel", Kind::Dev)]),
            &["`user` imports `corelane-channel`"],
        );
        check_user(
            user("examples", &[("corelane-rt", Kind::Dev)]),
            &["`user` imports `corelane-rt`"],
        );
        check_user(user("lib", &[("corelane-rt", Kind::Normal)]), &[]);
        check_user(
            user("lib", &[("compio-driver", Kind::Normal)]),
            &["`user` imports `compio-driver`"],
        );
        check_user(
            user("crates", &[("compio", Kind::Dev)]),
            &["`user` imports `compio`"],
        );
        check_user(
            package("lib", "corelane-rt", 1, &[("compio-buf", Kind::Normal)]),
            &[],
        );
    }

    #[test]
    fn the_framework_knows_no_server() {
        let user = package(
            "lib",
            "user",
            3,
            &[("store", Kind::Normal), ("corelane", Kind::Normal)],
        );
        check_user(user, &["`user` imports `store`"]);
    }

    #[test]
    fn a_crate_says_its_floor() {
        let mut user = package("crates", "user", 0, &[]);
        user.floor = None;
        check_user(user, &["`user` has no floor"]);
    }
}
