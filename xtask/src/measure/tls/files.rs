//! Certificates for the measurement, by the `openssl` program: self-signed, of two kinds of key.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::place::target;

/// The kinds of key that servers have.
pub(super) const KEYS: [&str; 2] = ["P-256", "RSA 2048"];

/// A certificate and its key.
pub(super) struct Files {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Makes both kinds, in the order of [`KEYS`].
///
/// # Errors
/// If there is no `openssl`, or it refuses.
pub(super) fn make() -> Result<[Files; 2], String> {
    let folder = target().join("measure/tls");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    Ok([
        one(&folder.join("ec"), &ec)?,
        one(&folder.join("rsa"), &["-newkey", "rsa:2048"])?,
    ])
}

fn one(stem: &std::path::Path, key: &[&str]) -> Result<Files, String> {
    let file = |ending: &str| -> String {
        let path: PathBuf = stem.with_extension(ending);
        path.display().to_string()
    };
    let files = Files {
        certificate: file("pem"),
        key: file("key"),
    };
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
        ])
        .args(key)
        .args(["-keyout", &files.key, "-out", &files.certificate])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start openssl: {error}; `apt-get install openssl`"))?;
    match made.status.success() {
        true => Ok(files),
        false => Err(String::from_utf8_lossy(&made.stderr).into_owned()),
    }
}
