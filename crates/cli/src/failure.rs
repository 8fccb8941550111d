//! How a command ends when it does not end well: one clear sentence on standard error, and an exit
//! status that tells scripts whose fault it was.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::output;

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for cannot be done: a bad flag, a bad file, a port in use. Status 2.
    Asked(String),
    /// It was begun and failed. Status 1.
    Ran(String),
}

impl Failure {
    /// Prints the sentence; gives the status.
    pub(crate) fn report(self) -> ExitCode {
        let (sentence, status) = match self {
            Failure::Asked(sentence) => (sentence, 2),
            Failure::Ran(sentence) => (sentence, 1),
        };
        // Nobody can be told that nobody can be told.
        let _ = output::error(&format!("corelane: {sentence}\n"));
        ExitCode::from(status)
    }

    /// What clap answers instead of matches: help and version are printed, the rest is a failure.
    pub(crate) fn from_clap(answer: &clap::Error) -> Result<(), Failure> {
        match answer.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                output::print_styled(&answer.render())
            }
            _ => Err(Failure::Asked(sentence(answer))),
        }
    }
}

/// Whose fault it was, the server knows.
impl From<corelane_server::ServerError> for Failure {
    fn from(error: corelane_server::ServerError) -> Self {
        match error.is_usage() {
            true => Failure::Asked(error.to_string()),
            false => Failure::Ran(error.to_string()),
        }
    }
}

/// An option that cannot be is the fault of whoever typed it.
impl From<corelane_loadgen::Error> for Failure {
    fn from(error: corelane_loadgen::Error) -> Self {
        match error {
            corelane_loadgen::Error::Option { .. } => Failure::Asked(error.to_string()),
            _ => Failure::Ran(error.to_string()),
        }
    }
}

/// clap's error in one line: what is wrong, what may be meant, where to read more.
fn sentence(answer: &clap::Error) -> String {
    let text = answer.render().to_string();
    let advice = |line: &&str| ADVICE.iter().any(|start| line.starts_with(start));
    let lines = text.lines().map(str::trim).take_while(|line| !advice(line));
    let words: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let wrong = words.join(" ");
    let wrong = wrong.trim_start_matches("error: ");
    let near = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| suggestion(answer.get(kind)?));
    let near = near
        .map(|near| format!("; did you mean '{near}'?"))
        .unwrap_or_default();
    format!("{wrong}{near} (see --help)")
}

/// How clap's lines begin that are not about what is wrong.
const ADVICE: [&str; 3] = ["tip:", "Usage:", "For more information"];

fn suggestion(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::String(near) => Some(near),
        ContextValue::Strings(near) => near.first().map(String::as_str),
        _ => None,
    }
}
