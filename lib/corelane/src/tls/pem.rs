//! Certificates and keys from PEM, with errors that name the place.

use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::failure::in_words;
use super::options::{Identity, OptionsError, Pem};

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The most files of a folder.
const MAX_FILES: usize = 4096;

/// What was read, and where.
struct Text {
    place: String,
    bytes: Vec<u8>,
}

impl Text {
    fn refused(&self, reason: impl Into<String>) -> OptionsError {
        refused(&self.place, reason)
    }
}

/// The certificates of an identity, and its key.
pub(super) fn identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), OptionsError> {
    let certificates = certificates(&read(&identity.certificates, "the certificate")?)?;
    let key = key(&read(&identity.key, "the key")?)?;
    Ok((certificates, key))
}

/// A certificate and a key that rustls does not take together.
pub(super) fn unusable(identity: &Identity, error: &rustls::Error) -> OptionsError {
    let shown = |pem: &Pem| match pem {
        Pem::File(path) | Pem::Folder(path) => path.display().to_string(),
        Pem::Bytes(_) => "the bytes given".to_owned(),
    };
    let (certificates, key) = (shown(&identity.certificates), shown(&identity.key));
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key does not belong to the certificate".to_owned()
        }
        rustls::Error::General(text) => format!(
            "the key cannot be used ({text}); RSA, ECDSA with P-256 or P-384, and Ed25519 can"
        ),
        error => in_words(error),
    };
    refused(&format!("{certificates} with {key}"), reason)
}

/// All trusted certificates of `places`.
pub(super) fn roots(places: &[Pem]) -> Result<RootCertStore, OptionsError> {
    let mut store = RootCertStore::empty();
    for place in places {
        match place {
            Pem::Folder(path) => add_folder(&mut store, path)?,
            _ => add_all(&mut store, &read(place, "the trusted certificates")?)?,
        }
    }
    match store.is_empty() {
        true => Err(refused(
            "trusted certificates",
            "none were given: name a file or a folder that has some",
        )),
        false => Ok(store),
    }
}

fn add_all(store: &mut RootCertStore, text: &Text) -> Result<(), OptionsError> {
    for certificate in certificates(text)? {
        let added = store.add(certificate);
        added.map_err(|error| {
            text.refused(format!("not to be trusted as a root: {}", in_words(&error)))
        })?;
    }
    Ok(())
}

/// As OpenSSL's folders have it: certificates among other files, and links to them.
fn add_folder(store: &mut RootCertStore, path: &Path) -> Result<(), OptionsError> {
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| refused(&place, error.to_string());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    if paths.len() > MAX_FILES {
        let reason = format!("{} files, and at most {MAX_FILES} are read", paths.len());
        return Err(refused(&place, reason));
    }
    paths.sort();
    for path in paths.iter().filter(|path| path.is_file()) {
        let text = read_file(path)?;
        if certificates(&text).is_ok() {
            add_all(store, &text)?;
        }
    }
    Ok(())
}

fn certificates(text: &Text) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text.bytes).collect();
    let all = all.map_err(|error| text.refused(format!("not PEM: {error}")))?;
    match all.is_empty() {
        true => Err(text.refused("it has no certificate (-----BEGIN CERTIFICATE-----)")),
        false => Ok(all),
    }
}

fn key(text: &Text) -> Result<PrivateKeyDer<'static>, OptionsError> {
    if is_encrypted(&text.bytes) {
        return Err(text.refused(
            "the key is encrypted, which is not supported: decrypt it with `openssl pkey -in FILE -out NEW`, and guard the new file by its mode",
        ));
    }
    PrivateKeyDer::from_pem_slice(&text.bytes).map_err(|error| match error {
        PemError::NoItemsFound => {
            text.refused("it has no private key (-----BEGIN PRIVATE KEY-----)")
        }
        error => text.refused(format!("not PEM: {error}")),
    })
}

fn is_encrypted(bytes: &[u8]) -> bool {
    const MARKS: [&[u8]; 2] = [
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
        b"Proc-Type: 4,ENCRYPTED",
    ];
    let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    MARKS.into_iter().any(holds)
}

fn read(pem: &Pem, meant: &str) -> Result<Text, OptionsError> {
    match pem {
        Pem::File(path) => read_file(path),
        Pem::Folder(path) => Err(refused(
            &path.display().to_string(),
            format!("a folder, where a file is wanted for {meant}"),
        )),
        Pem::Bytes(bytes) => Ok(Text {
            place: meant.to_owned(),
            bytes: bytes.clone(),
        }),
    }
}

fn read_file(path: &Path) -> Result<Text, OptionsError> {
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| refused(&place, error.to_string());
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        let reason = format!("{bytes} bytes, and at most {MAX_FILE_BYTES} are read");
        return Err(refused(&place, reason));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Ok(Text { place, bytes })
}

pub(super) fn refused(place: &str, reason: impl Into<String>) -> OptionsError {
    OptionsError::Pem {
        place: place.to_owned(),
        reason: reason.into(),
    }
}
