//! The layers that give settings their values at start: defaults, the TOML file, variables, flags,
//! each going before the one it follows. Pure: the caller reads the file and the environment.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::{
    BadValue, Kind, SETTINGS, Setting, Settings, Source, Value, config, file, find, nearest,
};

/// What was given at start.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// The current directory: relative paths start here.
    pub cwd: &'a Path,
    /// The TOML file's path and text, if there is one.
    pub file: Option<(&'a Path, &'a str)>,
    /// The environment; variables of others are left alone.
    pub env: &'a [(String, String)],
    /// Flags in their order, without dashes, each with its value.
    pub flags: &'a [(String, String)],
}

/// What the layers gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    /// Sentences for the log: given, but of no use.
    pub warnings: Vec<String>,
}

/// Why the server cannot start with what was given. `Display` is one sentence that says where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The file is not TOML.
    #[error("{at}: not valid TOML: {message}")]
    Syntax {
        /// Where.
        at: Source,
        /// What the TOML reader says.
        message: String,
    },
    /// The file has a section or a table.
    #[error("{at}: '{key}' is a section; settings are plain keys, such as port = 7000")]
    Section {
        /// Where.
        at: Source,
        /// Its name.
        key: String,
    },
    /// The file names the file.
    #[error(
        "{at}: 'config' cannot stand in the file itself; give it as --config or CORELANE_CONFIG"
    )]
    ConfigInFile {
        /// Where.
        at: Source,
    },
    /// The file gives a setting twice.
    #[error("{at}: '{name}' is given a second time; it also stands in line {first_line}")]
    Twice {
        /// Where the second time.
        at: Source,
        /// The setting.
        name: String,
        /// The line of the first time.
        first_line: usize,
    },
    /// There is no such setting.
    #[error("{at}: there is no setting '{name}'{}", did_you_mean(.near))]
    Unknown {
        /// Where.
        at: Source,
        /// What was given.
        name: String,
        /// The setting that may be meant.
        near: Option<&'static str>,
    },
    /// The value does not have the setting's form.
    #[error("{at}: {name} takes {kind}{}", not_this(.given))]
    Form {
        /// Where.
        at: Source,
        /// The setting.
        name: &'static str,
        /// What it takes.
        kind: Kind,
        /// What was given, unless it is secret.
        given: Option<String>,
    },
    /// The value is well formed and cannot be taken.
    #[error("{}: {reason}", place(.at, .name))]
    Refused {
        /// Where.
        at: Source,
        /// The setting.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// Other machines could read and write everything.
    #[error(
        "{at}: other machines could connect to {ip} without a password; give requirepass, or protected-mode no if they shall"
    )]
    Exposed {
        /// Where the address was given.
        at: Source,
        /// The address.
        ip: std::net::IpAddr,
    },
}

fn did_you_mean(near: &Option<&str>) -> String {
    near.map(|name| format!("; did you mean '{name}'?"))
        .unwrap_or_default()
}

/// Flags and variables bear the setting's name already.
fn place(at: &Source, name: &str) -> String {
    match at {
        Source::Flag(_) | Source::Env(_) => at.to_string(),
        _ => format!("{at}: {name}"),
    }
}

fn not_this(given: &Option<String>) -> String {
    given
        .as_ref()
        .map(|text| format!(", not '{text}'"))
        .unwrap_or_default()
}

/// The TOML file to read: `--config`, or else `CORELANE_CONFIG`.
pub fn config_path(layers: &Layers<'_>) -> Option<PathBuf> {
    let named = |(name, value): &&(String, String)| {
        (find(name).is_some_and(|(_, s)| s.name == "config") || name == "CORELANE_CONFIG")
            && !value.is_empty()
    };
    let flag = layers.flags.iter().rev().find(named);
    flag.or_else(|| layers.env.iter().rev().find(named))
        .map(|(_, path)| layers.cwd.join(path))
}

/// Lays the layers over the defaults and checks what comes out.
pub fn load(layers: &Layers<'_>) -> Result<Loaded, LoadError> {
    let mut settings = Settings::default();
    let mut warnings = Vec::new();
    if let Some((path, text)) = layers.file {
        for entry in file::read(path, text)? {
            put(&mut settings, entry.setting, &entry.text, entry.at)?;
        }
    }
    lay_env(&mut settings, layers.env, &mut warnings)?;
    for (name, text) in layers.flags {
        let at = Source::Flag(format!("--{name}"));
        let setting = known(name, &at)?;
        put(&mut settings, setting, text, at)?;
    }
    absolute_paths(&mut settings, layers.cwd);
    if let Some(ip) = settings.exposed() {
        return Err(LoadError::Exposed {
            at: settings.source("bind").clone(),
            ip,
        });
    }
    Ok(Loaded { settings, warnings })
}

/// `RUST_LOG` is what Rust programs are used to; `CORELANE_LOG` says it nearer.
const RUST_LOG: &str = "RUST_LOG";
const PREFIX: &str = "CORELANE_";

/// What the commands that speak to a server log in with; a server is started from the same shell.
const CLIENT_PASSWORD: &str = "CORELANE_CLIENT_PASSWORD";

fn lay_env(
    settings: &mut Settings,
    env: &[(String, String)],
    warnings: &mut Vec<String>,
) -> Result<(), LoadError> {
    let log = known("log", &Source::Default)?;
    for (name, text) in env.iter().filter(|(name, _)| name == RUST_LOG) {
        put(settings, log, text, Source::Env(name.clone()))?;
    }
    for (name, text) in env.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        if name == CLIENT_PASSWORD || is_service_link(name, text) {
            continue;
        }
        let at = Source::Env(name.clone());
        match known(&name[PREFIX.len()..], &at) {
            Ok(setting) => put(settings, setting, text, at)?,
            Err(unknown) => warnings.push(format!("{unknown} (left alone)")),
        }
    }
    Ok(())
}

/// Container platforms tell every process of a service named `corelane` where it is by variables
/// such as `CORELANE_PORT=tcp://10.0.0.1:6379`. They are no settings of ours.
fn is_service_link(name: &str, text: &str) -> bool {
    ["CORELANE_SERVICE_", "CORELANE_PORT_"]
        .iter()
        .any(|start| name.starts_with(start))
        || (name == "CORELANE_PORT" && (text.starts_with("tcp://") || text.starts_with("udp://")))
}

/// The setting of this name, or the error that suggests another.
pub(crate) fn known(name: &str, at: &Source) -> Result<&'static Setting, LoadError> {
    find(name)
        .map(|(_, setting)| setting)
        .ok_or_else(|| LoadError::Unknown {
            at: at.clone(),
            name: name.to_owned(),
            near: nearest(name, SETTINGS.iter().flat_map(Setting::names)),
        })
}

/// Longest value that an error repeats, in characters.
const SHOWN_CHARS: usize = 80;

fn put(
    settings: &mut Settings,
    setting: &'static Setting,
    text: &str,
    at: Source,
) -> Result<(), LoadError> {
    let index = find(setting.name)
        .expect("a listed setting is found by its name")
        .0;
    match config::read(setting, text.as_bytes(), settings.given_at(index)) {
        Ok(value) => {
            settings.put(index, value, at);
            Ok(())
        }
        Err(BadValue::Form(_)) => Err(LoadError::Form {
            at,
            name: setting.name,
            kind: setting.kind,
            given: (!setting.is_secret()).then(|| text.chars().take(SHOWN_CHARS).collect()),
        }),
        Err(BadValue::Refused(reason)) => Err(LoadError::Refused {
            at,
            name: setting.name,
            reason,
        }),
    }
}

/// Paths keep their meaning whatever the process does later, and `CONFIG GET dir` is a full path.
fn absolute_paths(settings: &mut Settings, cwd: &Path) {
    for (index, setting) in SETTINGS
        .iter()
        .enumerate()
        .filter(|(_, s)| s.kind == Kind::Path)
    {
        let Value::Path(path) = settings.given_at(index) else {
            continue;
        };
        if path.as_os_str().is_empty() || (setting.name == "config" && path.is_absolute()) {
            continue;
        }
        // `components` drops the `.` of "./data".
        let whole = cwd.join(path).components().collect();
        let source = settings.source_at(index).clone();
        settings.put(index, Value::Path(whole), source);
    }
}

#[cfg(test)]
mod tests;
