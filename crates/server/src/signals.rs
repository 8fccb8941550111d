//! Signals: the first asks the node to drain, the second ends the process at once.

use corelane::Stopper;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::error::ServerError;

/// Watches for SIGINT and SIGTERM until dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    handle: Handle,
}

impl Watch {
    pub(crate) fn start(stopper: Stopper) -> Result<Self, ServerError> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(ServerError::Signals)?;
        let handle = signals.handle();
        let watch = move || {
            let mut asked = false;
            for signal in &mut signals {
                if asked {
                    tracing::warn!("second signal: ending at once");
                    std::process::exit(128 + signal);
                }
                asked = true;
                let name = if signal == SIGINT {
                    "SIGINT"
                } else {
                    "SIGTERM"
                };
                tracing::info!("{name}: draining; a second one ends at once");
                stopper.stop(name);
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        thread.spawn(watch).map_err(ServerError::Signals)?;
        Ok(Self { handle })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
    }
}
