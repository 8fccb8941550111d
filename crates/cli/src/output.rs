//! Writing to standard output and standard error. A reader that has seen enough (`corelane --help |
//! head -1`) is no failure, and no panic as with `println!`.

use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::builder::StyledStr;

use crate::failure::Failure;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    written(write_to(io::stdout().lock(), text))
        .map_err(|e| Failure::Ran(format!("cannot write to standard output: {e}")))
}

/// Writes help to standard output, in colours where a person reads it.
pub(crate) fn print_styled(text: &StyledStr) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        print(&text.ansi().to_string())
    } else {
        print(&text.to_string())
    }
}

/// Writes to standard error.
pub(crate) fn error(text: &str) -> io::Result<()> {
    written(write_to(io::stderr().lock(), text))
}

fn write_to(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn written(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
