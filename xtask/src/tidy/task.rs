//! Runs every rule over the workspace and prints what was found.

use std::process::ExitCode;

use super::finding::Finding;
use super::sizes::{self, Sized};
use super::workspace::Workspace;
use super::{docs, effects, floors, headers, unfinished, unsafety};
use crate::place::root;

/// What `cargo xtask tidy` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print broken rules only, not the longest files and functions
    #[arg(long)]
    quiet: bool,
}

/// Checks the workspace that this program was built from.
pub(crate) fn run(options: &Options) -> ExitCode {
    if look(options.quiet) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether the workspace is in order; prints broken rules only.
pub(crate) fn is_tidy() -> bool {
    look(true)
}

fn look(quiet: bool) -> bool {
    let workspace = match Workspace::read(&root()) {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("tidy: {error}");
            return false;
        }
    };
    if !quiet {
        print_longest(&workspace);
    }
    let findings = check(&workspace);
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: {} files in order", workspace.sources.len()),
        broken => eprintln!("tidy: {broken} broken rules"),
    }
    findings.is_empty()
}

/// Every rule over everything, by place.
fn check(workspace: &Workspace) -> Vec<Finding> {
    let per_file = [
        headers::check,
        unsafety::check,
        unfinished::check,
        effects::check,
        sizes::check,
    ];
    let of_files = workspace
        .sources
        .iter()
        .flat_map(|source| per_file.iter().flat_map(|rule| rule(source)));
    let of_roots = workspace.roots().flat_map(unsafety::check_root);
    let mut findings: Vec<Finding> = of_files
        .chain(of_roots)
        .chain(floors::check(&workspace.packages))
        .chain(docs::check(&root()))
        .collect();
    findings.sort();
    findings
}

fn print_longest(workspace: &Workspace) {
    let files = workspace.sources.iter().map(sizes::file).collect();
    println!("longest files, test code not counted:");
    for Sized { path, lines, .. } in sizes::longest(files) {
        println!("{lines:>6}  {path}");
    }
    let functions = workspace
        .sources
        .iter()
        .flat_map(sizes::functions)
        .collect();
    println!("longest functions:");
    for Sized {
        path,
        line,
        name,
        lines,
    } in sizes::longest(functions)
    {
        println!("{lines:>6}  {path}:{line} {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let workspace = Workspace::read(&root()).expect("the workspace can be read");
        assert!(
            workspace
                .sources
                .iter()
                .any(|source| source.path == "xtask/src/tidy/task.rs")
        );
        assert!(
            workspace
                .packages
                .iter()
                .any(|package| package.name == "corelane-xtask")
        );
        assert!(
            workspace
                .roots()
                .any(|root| root.path == "xtask/src/main.rs")
        );
        let findings: Vec<String> = check(&workspace).iter().map(Finding::to_string).collect();
        assert!(
            findings.is_empty(),
            "{} broken rules:\n{}",
            findings.len(),
            findings.join("\n")
        );
    }
}
