//! Settings: passwords and what they guard.

use super::LONG_MAX;
use crate::{Group::Security, Kind, Setting};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "requirepass",
        Security,
        Kind::Secret,
        "",
        "Password of the user `default`: clients must `AUTH` before anything else. Better given as a variable or in the file than as a flag, which other users of the machine can see.",
    )
    .main(),
    Setting::new(
        "protected-mode",
        Security,
        Kind::Bool,
        "yes",
        "Refuses to listen where other machines can connect without a password. `no` allows it: only for a network where everybody may read and write everything.",
    ),
    Setting::new(
        "enable-debug-command",
        Security,
        Kind::Word(&["no", "yes", "local"]),
        "no",
        "Who may use `DEBUG`: nobody, everybody, or clients on this machine.",
    )
    .at_start(),
    Setting::new(
        "enable-protected-configs",
        Security,
        Kind::Word(&["no", "yes", "local"]),
        "no",
        "Who may change `dir` and `dbfilename` at run time. They can only be given at start here.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "enable-module-command",
        Security,
        Kind::Word(&["no", "yes", "local"]),
        "no",
        "Who may use `MODULE`. There are no modules here.",
    )
    .at_start()
    .no_effect(),
    Setting::new(
        "acl-pubsub-default",
        Security,
        Kind::Word(&["allchannels", "resetchannels"]),
        "resetchannels",
        "Channels that a new user may use.",
    )
    .no_effect(),
    Setting::new(
        "acllog-max-len",
        Security,
        Kind::Int { min: 0, max: LONG_MAX as i64 },
        "128",
        "Refusals that `ACL LOG` keeps.",
    )
    .no_effect(),
];
