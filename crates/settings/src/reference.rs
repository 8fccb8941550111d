//! The reference page, written from the list.

use std::fmt::Write;

use crate::{Change, Effect, Group, SETTINGS, Setting, Shown};

/// The text of `docs/reference/settings.md`.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    for group in Group::ALL {
        chapter(&mut page, group);
    }
    page.push_str(NO_EFFECT);
    for setting in SETTINGS.iter().filter(|s| s.effect == Effect::None) {
        row(&mut page, setting);
    }
    page
}

const INTRODUCTION: &str = "\
<!-- Written from the list of settings by the tests of corelane-settings; do not edit it by hand.
     UPDATE=1 cargo test -p corelane-settings writes it anew. -->

# Settings

Every setting has one name. `maxmemory-policy` is

- a key of the TOML file: `maxmemory-policy = \"noeviction\"`,
- a variable: `CORELANE_MAXMEMORY_POLICY=noeviction`,
- a flag: `--maxmemory-policy noeviction`,
- a name of `CONFIG GET` and `CONFIG SET`.

A flag goes before a variable, a variable before the file, the file before the default. The file is
the one that `--config` or `CORELANE_CONFIG` names. `corelane check FILE` reads a file as the server
would, and says what is wrong and where.

In TOML, `true` and `false` are `yes` and `no`, and values of several words may be arrays:
`bind = [\"127.0.0.1\", \"::1\"]`. Bytes take the units of Redis: `kb`, `mb` and `gb` are powers of
1024, `k`, `m` and `g` powers of 1000.

*Live* settings can be changed with `CONFIG SET`: all pairs of one call or none. `CONFIG REWRITE`
writes what `CONFIG SET` changed into the file and leaves its comments and its order alone. Settings
marked *start* are given at start.
";

const NO_EFFECT: &str = "
## Taken without effect

Clients, tools and test suites set these names of Redis. They are checked, kept and answered by
`CONFIG GET`, and nothing acts on them in this version; the server logs it when one is given at
start.

| Setting | Takes | Default | Change | What it means |
|---|---|---|---|---|
";

fn chapter(page: &mut String, group: Group) {
    let mut settings = SETTINGS
        .iter()
        .filter(|s| s.group == group && s.effect == Effect::Acts)
        .peekable();
    if settings.peek().is_none() {
        return;
    }
    let _ = write!(
        page,
        "\n## {}\n\n| Setting | Takes | Default | Change | What it does |\n|---|---|---|---|---|\n",
        group.title()
    );
    settings.for_each(|setting| row(page, setting));
}

fn row(page: &mut String, setting: &Setting) {
    let takes = match setting.unit {
        "" => setting.kind.to_string(),
        unit => format!("{}, in {unit}", setting.kind),
    };
    let default = if setting.default.is_empty() {
        String::new()
    } else {
        format!("`{}`", setting.default)
    };
    let change = match setting.change {
        Change::Live => "live",
        Change::Start => "start",
    };
    let mut doc = setting.doc.to_owned();
    if !setting.aliases.is_empty() {
        let _ = write!(doc, " Also `{}`.", setting.aliases.join("`, `"));
    }
    if setting.shown == Shown::Hidden {
        doc.push_str(" Not part of `CONFIG GET *`.");
    }
    let _ = writeln!(
        page,
        "| `{}` | {takes} | {default} | {change} | {doc} |",
        setting.name
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_the_list() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/settings.md"
        );
        let page = reference_page();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == page,
            "docs/reference/settings.md is out of date: UPDATE=1 cargo test -p corelane-settings"
        );
    }

    #[test]
    fn no_cell_breaks_its_table() {
        for line in reference_page()
            .lines()
            .filter(|line| line.starts_with("| `"))
        {
            assert_eq!(line.matches(" | ").count(), 4, "{line}");
        }
    }
}
