//! Settings: the process and its surroundings. Service managers do these things better; the names
//! are known so that existing configurations and tools go on.

use crate::{Group::Process, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "config",
        Process,
        Kind::Path,
        "",
        "TOML file to read settings from, and the file that `CONFIG REWRITE` writes. Only as a flag or a variable.",
    )
    .at_start()
    .main(),
    Setting::new(
        "daemonize",
        Process,
        Kind::Bool,
        "no",
        "Runs in the background. Use a service manager.",
    )
    .at_start()
    .no_effect()
    .check(no_daemon),
    Setting::new(
        "supervised",
        Process,
        Kind::Word(&["no", "auto", "systemd", "upstart"]),
        "no",
        "Service manager to report to. systemd is told of readiness whenever it asks to be.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "pidfile",
        Process,
        Kind::Path,
        "",
        "File for the process id.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "always-show-logo",
        Process,
        Kind::Bool,
        "no",
        "Starts with a picture.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "set-proc-title",
        Process,
        Kind::Bool,
        "no",
        "Sets the process title.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "proc-title-template",
        Process,
        Kind::SomeText,
        "{title} {listen-addr} {server-mode}",
        "What the process title says.",
    )
    .no_effect(),
    Setting::new(
        "io-threads",
        Process,
        Kind::Int { min: 1, max: 128 },
        "1",
        "I/O threads; see `cpu-allocation`.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "disable-thp",
        Process,
        Kind::Bool,
        "yes",
        "Switches transparent huge pages off.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "oom-score-adj",
        Process,
        Kind::Word(&["no", "yes", "relative", "absolute"]),
        "no",
        "Adjusts the kernel's choice when memory runs out.",
    )
    .no_effect(),
    Setting::new(
        "oom-score-adj-values",
        Process,
        Kind::Ints {
            count: 3,
            bound: 2000,
        },
        "0 200 800",
        "By how much, for a primary, a replica and a child process.",
    )
    .no_effect(),
];

/// A process that was told to go into the background and stays would block its starter for ever.
fn no_daemon(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(true) => {
            Err("the server stays in the foreground; use a service manager or '&'".to_owned())
        }
        _ => Ok(()),
    }
}
