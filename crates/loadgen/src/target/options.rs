//! How to reach a server: the options of every command that speaks to one, by the names that redis-cli gives them.

use std::path::PathBuf;

use clap::Args;

/// Where the server is, how to log in, and whether to speak TLS.
#[derive(Args, Clone, Debug)]
pub struct ConnectionOptions {
    /// Where the server is and how to log in.
    #[command(flatten)]
    pub server: ServerOptions,
    /// Whether and how to speak TLS to it.
    #[command(flatten)]
    pub tls: TlsOptions,
}

/// Where the server is and how to log in.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ServerOptions {
    /// Name or address of the server
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST")]
    pub host: String,
    /// Port of the server
    #[arg(long, short = 'p', default_value_t = 6379)]
    pub port: u16,
    /// Path of the server's Unix socket, instead of host and port
    #[arg(long, short = 's', value_name = "PATH", conflicts_with_all = ["host", "port"])]
    pub socket: Option<PathBuf>,
    /// User to log in as
    #[arg(long, requires = "password")]
    pub user: Option<String>,
    /// Password to log in with
    #[arg(
        long,
        short = 'a',
        env = "CORELANE_CLIENT_PASSWORD",
        hide_env_values = true
    )]
    pub password: Option<String>,
}

/// Whether and how to speak TLS to the server; by the names that redis-cli gives them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub struct TlsOptions {
    /// Speak TLS
    #[arg(long)]
    pub tls: bool,
    /// Certificates in PEM from one of which the server's must come
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub cacert: Option<PathBuf>,
    /// A folder of such files
    #[arg(long, value_name = "DIR", requires = "tls")]
    pub cacertdir: Option<PathBuf>,
    /// Certificate to show, in PEM
    #[arg(long, value_name = "FILE", requires = "key", requires = "tls")]
    pub cert: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Name that the server's certificate must be for, and that the server is told, instead of the host
    #[arg(long, value_name = "NAME", requires = "tls")]
    pub sni: Option<String>,
    /// Believe any server
    #[arg(long, requires = "tls", conflicts_with_all = ["cacert", "cacertdir"])]
    pub insecure: bool,
    /// Cipher suites by OpenSSL's names with `:` between, the preferred first
    #[arg(long, value_name = "NAMES", requires = "tls")]
    pub tls_ciphersuites: Option<String>,
}
