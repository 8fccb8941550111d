//! Settings: TLS.

use super::INT_MAX;
use crate::{Group::Tls, Kind, Setting, Value};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "tls-port",
        Tls,
        Kind::IntOrAuto { max: 65_535 },
        "0",
        "TCP port for TLS, on the addresses of `bind`; 0 is none, and `auto` picks a free one, which the ready line names. With `port 0` beside it nothing is served without TLS.",
    )
    .at_start()
    .main(),
    Setting::new(
        "tls-shard-ports",
        Tls,
        Kind::IntOrAuto { max: 65_535 },
        "0",
        "A port for each shard where TLS is spoken, as `shard-ports` beside it or alone: cluster clients that come by TLS are told these ports. `auto` picks free ones, 0 has none.",
    )
    .at_start()
    .main(),
    Setting::new(
        "tls-cert-file",
        Tls,
        Kind::Path,
        "",
        "The server's certificate in PEM, and behind it those that lead up to one that clients trust. `CONFIG SET` with the same name reads the file anew, and so does SIGHUP with all files of TLS: for new connections, as all settings of TLS.",
    ),
    Setting::new(
        "tls-key-file",
        Tls,
        Kind::Path,
        "",
        "The certificate's private key in PEM: RSA, ECDSA with P-256 or P-384, or Ed25519.",
    ),
    Setting::new(
        "tls-key-file-pass",
        Tls,
        Kind::Secret,
        "",
        "Not supported: encrypted keys are refused. `openssl pkey -in FILE -out NEW` decrypts one.",
    )
    .check(no_password),
    Setting::new(
        "tls-ca-cert-file",
        Tls,
        Kind::Path,
        "",
        "Certificates in PEM from one of which clients' certificates must come.",
    ),
    Setting::new(
        "tls-ca-cert-dir",
        Tls,
        Kind::Path,
        "",
        "A folder of such files, beside `tls-ca-cert-file` or in its place. Files without a certificate are passed over.",
    ),
    Setting::new(
        "tls-auth-clients",
        Tls,
        Kind::Word(&["yes", "no", "optional"]),
        "yes",
        "Whether clients must show a certificate. `optional` takes those without, and refuses bad ones.",
    ),
    Setting::new(
        "tls-protocols",
        Tls,
        Kind::Text,
        "",
        "Versions to speak, `TLSv1.2` and `TLSv1.3`, with a space between; nothing is both.",
    )
    .check(protocols),
    Setting::new(
        "tls-ciphers",
        Tls,
        Kind::Text,
        "",
        "Cipher suites of TLS 1.2 by OpenSSL's names with `:` between; nothing is all. Only names, none of OpenSSL's operators.",
    ),
    Setting::new(
        "tls-ciphersuites",
        Tls,
        Kind::Text,
        "",
        "Cipher suites of TLS 1.3 in the same form; nothing is all.",
    ),
    Setting::new(
        "tls-prefer-server-ciphers",
        Tls,
        Kind::Bool,
        "no",
        "Takes the first suite of its own that the client has, and not the client's first.",
    ),
    Setting::new(
        "tls-session-caching",
        Tls,
        Kind::Bool,
        "yes",
        "Lets clients take up sessions again, which spares both most of a handshake.",
    ),
    Setting::new(
        "tls-session-cache-size",
        Tls,
        Kind::Int { min: 0, max: INT_MAX },
        "20480",
        "Sessions of TLS 1.2 that are remembered for clients without tickets, over all shards; 0 is 20,480.",
    ),
    Setting::new(
        "tls-session-cache-timeout",
        Tls,
        Kind::Int { min: 1, max: INT_MAX },
        "300",
        "How long a key for tickets is used. A ticket is taken for twice as long at most.",
    )
    .unit("s"),
    Setting::new(
        "tls-replication",
        Tls,
        Kind::Bool,
        "no",
        "Uses TLS between master and replicas.",
    )
    .no_effect(),
    Setting::new(
        "tls-cluster",
        Tls,
        Kind::Bool,
        "no",
        "Uses TLS between the nodes of a cluster.",
    )
    .no_effect(),
    Setting::new(
        "tls-dh-params-file",
        Tls,
        Kind::Path,
        "",
        "Parameters of suites that are not spoken here: key exchange is by X25519, P-256 or P-384.",
    )
    .no_effect(),
];

fn no_password(value: &Value) -> Result<(), String> {
    match value.to_bytes().is_empty() {
        true => Ok(()),
        false => Err(
            "encrypted keys are not supported; decrypt the key with `openssl pkey -in FILE -out NEW` and guard the new file by its mode"
                .to_owned(),
        ),
    }
}

fn protocols(value: &Value) -> Result<(), String> {
    let text = String::from_utf8_lossy(&value.to_bytes()).into_owned();
    let strange = text
        .split_whitespace()
        .find(|name| !["TLSv1.2", "TLSv1.3"].contains(name));
    strange.map_or(Ok(()), |name| {
        Err(format!(
            "'{name}' is not spoken here; TLSv1.2 and TLSv1.3 are"
        ))
    })
}
