//! Programs of others that this machine may lack: `redis-cli`, `redis-benchmark`, Python's client.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs a program with something on its standard input. `None` if it is not installed, which
/// `CORELANE_TEST_TOOLS=required` makes a failure.
#[track_caller]
pub(crate) fn run(program: &str, args: &[&str], input: &[u8]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).env_remove("REDISCLI_AUTH");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            missing(program);
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // Beside the reading below: both pipes are finite.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the program ends");
    writer
        .join()
        .expect("the writer does not panic")
        .expect("all input is taken");
    Some(output)
}

/// Says that a test is left out for want of `what`.
#[track_caller]
pub(crate) fn missing(what: &str) {
    let required = std::env::var("CORELANE_TEST_TOOLS").is_ok_and(|tools| tools == "required");
    assert!(
        !required,
        "{what} is not installed, and CORELANE_TEST_TOOLS=required asks for it"
    );
    eprintln!("left out: {what} is not installed");
}
