//! The log: `tracing` events as lines on standard error, filtered as `log`, `RUST_LOG` or `loglevel`
//! says.

use std::io::{IsTerminal, stderr};

use corelane_settings::Settings;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Starts the log. Once per process.
pub(crate) fn start(settings: &Settings) -> Result<(), Failure> {
    let filter = filter(settings).map_err(Failure::Asked)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    lines
        .with_writer(stderr)
        // It would tell of a line that cannot be written on the same standard error, and panic where that is broken.
        .log_internal_errors(false)
        .with_ansi(stderr().is_terminal())
        .init();
    Ok(())
}

fn filter(settings: &Settings) -> Result<EnvFilter, String> {
    let text = settings.logging().filter;
    EnvFilter::try_new(&text).map_err(|e| {
        format!(
            "{}: log = '{text}' is not a filter such as info or warn,corelane_node=debug: {e}",
            settings.source("log")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use corelane_settings::{Layers, load};

    use super::*;

    fn check(text: &str, good: bool) {
        let flags = [("log".to_owned(), text.to_owned())];
        let layers = Layers {
            cwd: Path::new("/"),
            file: None,
            env: &[],
            flags: &flags,
        };
        let settings = load(&layers).unwrap().settings;
        assert_eq!(filter(&settings).is_ok(), good, "{text:?}");
    }

    #[test]
    fn filters() {
        for text in ["", "info", "warn,corelane_node=debug", "off"] {
            check(text, true);
        }
        for text in ["a=b=c", "corelane=loud"] {
            check(text, false);
        }
    }
}
