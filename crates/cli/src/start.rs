//! Reading what a command was given: flags, variables and the TOML file, as one set of values. The
//! settings crate knows how they go together; the file and the environment are read here.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use corelane_settings::{Layers, Loaded, config_path, load};

use crate::failure::Failure;

/// Longest configuration file. A file beyond it is not one.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The settings from every layer.
pub(crate) fn settings(flags: &[(String, String)]) -> Result<Loaded, Failure> {
    let cwd = std::env::current_dir()
        .map_err(|e| Failure::Asked(format!("cannot tell the current directory: {e}")))?;
    let env: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect();
    let mut layers = Layers {
        cwd: &cwd,
        file: None,
        env: &env,
        flags,
    };
    let path = config_path(&layers);
    let text = path.as_deref().map(read_file).transpose()?;
    layers.file = path.as_deref().zip(text.as_deref());
    load(&layers).map_err(|e| Failure::Asked(e.to_string()))
}

/// The text of a configuration file.
pub(crate) fn read_file(path: &Path) -> Result<String, Failure> {
    let failed = |e: std::io::Error| {
        Failure::Asked(format!(
            "cannot read the configuration file {}: {e}",
            path.display()
        ))
    };
    let mut text = String::new();
    File::open(path)
        .map_err(failed)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let why = format!(
            "{} is longer than {MAX_FILE_BYTES} bytes and cannot be a configuration file",
            path.display()
        );
        return Err(Failure::Asked(why));
    }
    Ok(text)
}
