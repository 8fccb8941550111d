//! Why a run could not be made. What goes wrong within a run is counted in its report instead.

use crate::progress::Phase;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option has an impossible value, or does not go with another one.
    #[error("{option}: {problem}")]
    Option {
        /// The option as it is typed.
        option: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The server's name has no address.
    #[error("the host {host:?} has no address: {source}")]
    Resolve {
        /// The name as given.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// No connection to the server.
    #[error("cannot connect to {target}: {source}; {question}")]
    Connect {
        /// Address or path of the server.
        target: String,
        /// What the system said.
        source: std::io::Error,
        /// What to look at.
        question: &'static str,
    },
    /// The server refused what prepares a connection: HELLO, AUTH or SELECT.
    #[error("{target} refused {command}: {reply}")]
    Refused {
        /// Address or path of the server.
        target: String,
        /// The refused command's name.
        command: &'static str,
        /// The server's words.
        reply: String,
    },
    /// What comes before the measurement did not work out, or nothing could be measured.
    #[error("{target} failed during {phase}: {problem}")]
    Phase {
        /// Address or path of the server.
        target: String,
        /// The phase that failed.
        phase: Phase,
        /// How it failed.
        problem: String,
    },
    /// A generator thread could not be started, or failed.
    #[error("a generator thread failed: {0}")]
    Thread(String),
    /// The use of processor time of the watched process cannot be read.
    #[error("cannot read what process {pid} uses: {source}")]
    Watch {
        /// The process.
        pid: u32,
        /// What the system said.
        source: std::io::Error,
    },
}
