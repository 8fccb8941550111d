//! A child's output, shown as it comes and read line by line on the way.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, ExitStatus, Stdio};

/// Runs `command`, shows what it says and hands each line, without colours, to `look`.
///
/// # Errors
/// If the command cannot be started, or its output not be read.
pub(crate) fn show(command: &mut Command, look: impl FnMut(&str)) -> io::Result<ExitStatus> {
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    copy(command, &mut io::stdout(), look)
}

/// As [`show`], into a file.
///
/// # Errors
/// As [`show`]; and if the file cannot be written.
pub(crate) fn copy(
    command: &mut Command,
    to: &mut dyn Write,
    mut look: impl FnMut(&str),
) -> io::Result<ExitStatus> {
    // Errors and output in one pipe, so that they stay in order.
    let (reader, writer) = io::pipe()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()?;
    // The command holds the pipe's other ends; while it does, the pipe would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        look(without_colours(&String::from_utf8_lossy(&line)).trim_end());
        line.clear();
    }
    child.wait()
}

/// `text` without terminal sequences such as `ESC [ 31 m`.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split("\x1b[");
    plain.extend(pieces.next());
    for piece in pieces {
        // A sequence ends with a letter.
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        plain.extend(end.and_then(|end| piece.get(end + 1..)));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        let rows = [
            ("plain", "plain"),
            ("\x1b[1;32mok\x1b[0m: fine", "ok: fine"),
            ("a \x1b[0m", "a "),
            ("cut off \x1b[1;3", "cut off "),
        ];
        for (text, plain) in rows {
            assert_eq!(without_colours(text), plain);
        }
    }

    #[test]
    fn both_outputs_are_read_to_the_end() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let status = copy(&mut command, &mut io::sink(), |line| {
            lines.push(line.to_owned())
        })
        .expect("sh runs");
        assert_eq!(status.code(), Some(3));
        assert_eq!(lines, ["out", "err"]);
    }
}
