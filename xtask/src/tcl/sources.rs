//! Where Redis's test sources are, and how to get them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::place;

/// Where they are looked for when nobody says: `.ci/run` puts them there.
pub(crate) fn folder() -> PathBuf {
    place::target().join("judges")
}

/// Finds the sources of a version: `given`, or the one in [`folder`].
///
/// # Errors
/// Says what is missing and how to get it.
pub(crate) fn find(given: Option<&Path>, version: &str) -> Result<PathBuf, String> {
    let path = given.map_or_else(|| folder().join(format!("redis-{version}")), PathBuf::from);
    if !path.join("tests/test_helper.tcl").is_file() {
        return Err(format!(
            "no sources of Redis {version} in {}: unpack them there, or name another folder with --redis-src. On \
             Debian, with `deb-src` lines among apt's sources: `apt-get source redis`",
            path.display()
        ));
    }
    let header = fs::read_to_string(path.join("src/version.h")).unwrap_or_default();
    if header.contains(&format!("\"{version}\"")) {
        Ok(path)
    } else {
        Err(format!(
            "{} is not Redis {version}, whose tests {} lists: {}",
            path.display(),
            super::task::LIST,
            header.lines().next().unwrap_or("it has no src/version.h")
        ))
    }
}

/// Whether what Redis's harness needs is there.
///
/// # Errors
/// Says what is missing and how to get it.
pub(crate) fn check_programs() -> Result<(), String> {
    if place::has_program("tclsh") {
        Ok(())
    } else {
        Err("no tclsh: install Debian's package `tcl`".into())
    }
}
