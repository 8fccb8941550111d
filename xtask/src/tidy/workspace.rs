//! The workspace on disk: its packages as cargo knows them, and all its Rust files.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::source::Source;

/// Folders that hold Rust files, beside those that hold none.
const FOLDERS: [&str; 7] = [
    "lib", "crates", "xtask", "tests", "benches", "fuzz", "examples",
];

/// Folders that are built, not written.
const SKIPPED: [&str; 3] = ["target", "corpus", "artifacts"];

/// Folders deeper than this are not looked into; a link that leads back up would never end.
const DEPTH_MAX: usize = 16;

/// Everything that rules look at.
pub(crate) struct Workspace {
    /// Members, by name.
    pub(crate) packages: Vec<Package>,
    /// Rust files, by path.
    pub(crate) sources: Vec<Source>,
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the workspace, with forward slashes.
    pub(crate) manifest: String,
    /// `[package.metadata.corelane] floor`
    pub(crate) floor: Option<u32>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Root files of its library and binaries, as paths relative to the workspace.
    pub(crate) roots: Vec<String>,
}

/// A line under one of a manifest's dependency headings.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Its line in the manifest.
    pub(crate) line: usize,
}

/// Under which heading a dependency stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

impl Workspace {
    /// Reads the workspace under `root`; `Err` is a sentence.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut sources = Vec::new();
        for folder in FOLDERS {
            collect(root, folder, 0, &mut sources)?;
        }
        mark_test_modules(&mut sources);
        Ok(Self {
            packages: read_packages(root)?,
            sources,
        })
    }

    /// The root files of all packages' libraries and binaries.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Source> {
        let roots = self.packages.iter().flat_map(|package| &package.roots);
        roots.filter_map(|root| self.sources.iter().find(|source| source.path == *root))
    }
}

fn collect(
    root: &Path,
    folder: &str,
    depth: usize,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return Ok(());
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        let full = root.join(&path);
        if full.is_dir() && depth < DEPTH_MAX && !SKIPPED.contains(&name.as_str()) {
            collect(root, &path, depth + 1, sources)?;
        } else if name.ends_with(".rs") && full.is_file() {
            let text = fs::read_to_string(&full).map_err(|error| format!("{path}: {error}"))?;
            sources.push(Source::new(&path, &text));
        }
    }
    Ok(())
}

/// A module that is declared under `#[cfg(test)]` in another file is test code, children and all.
fn mark_test_modules(sources: &mut [Source]) {
    let modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in sources {
        let inside = |module: &String| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if modules.iter().any(inside) {
            source.set_test();
        }
    }
}

/// What we read of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    manifest_path: String,
    metadata: serde_json::Value,
    dependencies: Vec<RawDependency>,
    targets: Vec<RawTarget>,
}

#[derive(Deserialize)]
struct RawDependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct RawTarget {
    kind: Vec<String>,
    src_path: String,
}

fn read_packages(root: &Path) -> Result<Vec<Package>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata cannot be understood: {error}"))?;
    // Cargo resolves links, so ours must be resolved to compare.
    let root = root
        .canonicalize()
        .map_err(|error| format!("{}: {error}", root.display()))?;
    let mut packages: Vec<Package> = metadata
        .packages
        .into_iter()
        .map(|raw| read_package(&root, raw))
        .collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn read_package(root: &Path, raw: RawPackage) -> Package {
    let text = fs::read_to_string(&raw.manifest_path).unwrap_or_default();
    let dependencies = raw.dependencies.into_iter().map(|dependency| {
        let kind = match dependency.kind.as_deref() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        };
        Dependency {
            line: line_of(&text, &dependency.name, kind),
            name: dependency.name,
            kind,
        }
    });
    let floor = &raw.metadata["corelane"]["floor"];
    let roots = raw.targets.iter().filter(|target| {
        target
            .kind
            .iter()
            .any(|kind| kind == "lib" || kind == "bin")
    });
    Package {
        manifest: relative(root, &raw.manifest_path),
        floor: floor.as_u64().and_then(|floor| u32::try_from(floor).ok()),
        dependencies: dependencies.collect(),
        roots: roots
            .map(|target| relative(root, &target.src_path))
            .collect(),
        name: raw.name,
    }
}

fn relative(root: &Path, path: &str) -> String {
    let path = Path::new(path);
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// The line of a dependency under a heading of its kind; 1 where it cannot be found (renamed ones).
fn line_of(manifest: &str, name: &str, kind: Kind) -> usize {
    let mut fitting = false;
    for (at, line) in manifest.lines().enumerate() {
        if let Some(heading) = line.trim().strip_prefix('[') {
            let heading = heading.trim_end_matches(']');
            fitting = match kind {
                Kind::Normal => heading.ends_with("dependencies") && !heading.contains('-'),
                Kind::Dev => heading.ends_with("dev-dependencies"),
                Kind::Build => heading.ends_with("build-dependencies"),
            } || (kind == Kind::Normal
                && heading.starts_with("target")
                && heading.ends_with(".dependencies"));
        } else if fitting
            && line
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        {
            return at + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_in_their_manifest() {
        let manifest = "[package]\nname = \"a\"\n\n[dependencies]\na-b.workspace = true\na = \"1\"\n\
                        [target.'cfg(target_os = \"linux\")'.dependencies]\nc = { version = \"1\" }\n\
                        [dev-dependencies]\na = \"1\"\n";
        for (name, kind, line) in [
            ("a", Kind::Normal, 6),
            ("a-b", Kind::Normal, 5),
            ("c", Kind::Normal, 8),
            ("a", Kind::Dev, 10),
            ("d", Kind::Normal, 1),
        ] {
            assert_eq!(line_of(manifest, name, kind), line, "{name}");
        }
    }

    #[test]
    fn modules_under_test_are_marked_with_their_children() {
        let mut sources = vec![
            Source::new("a/src/lib.rs", "#[cfg(test)]\nmod testing;\nmod b;"),
            Source::new("a/src/testing.rs", "mod more;"),
            Source::new("a/src/testing/more.rs", ""),
            Source::new("a/src/testing_not.rs", ""),
            Source::new("a/src/b.rs", ""),
        ];
        mark_test_modules(&mut sources);
        let test: Vec<bool> = sources.iter().map(|source| source.is_test(9)).collect();
        assert_eq!(test, [false, true, true, false, false]);
    }
}
