//! Signals: of those that end, the first asks the node to drain and the second ends the process at once; SIGHUP has the
//! files of TLS read anew.

use corelane::{Handle, ShardId};
use corelane_node::{Request, Shard};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle as Watcher, Signals};

use crate::error::ServerError;

/// Watches for SIGINT, SIGTERM and SIGHUP until dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: Watcher,
}

impl Watch {
    pub(crate) fn start(node: Handle<Shard>) -> Result<Self, ServerError> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(ServerError::Signals)?;
        let watcher = signals.handle();
        let watch = move || {
            let mut asked = false;
            for signal in &mut signals {
                match signal {
                    SIGHUP => reload(&node),
                    _ if asked => {
                        tracing::warn!("second signal: ending at once");
                        std::process::exit(128 + signal);
                    }
                    _ => {
                        asked = true;
                        stop(&node, signal);
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        thread.spawn(watch).map_err(ServerError::Signals)?;
        Ok(Self { watcher })
    }
}

fn stop(node: &Handle<Shard>, signal: i32) {
    let name = if signal == SIGINT {
        "SIGINT"
    } else {
        "SIGTERM"
    };
    // First, for the log may be what is stuck.
    node.stopper().stop(name);
    tracing::info!("{name}: draining; a second one ends at once");
}

/// Asks for it and goes on: the next signal may be one that ends.
fn reload(node: &Handle<Shard>) {
    tracing::info!("SIGHUP: reading certificates anew");
    if let Err(refused) = node.cast(ShardId::new(0), Request::ReloadTls) {
        tracing::error!(
            ?refused,
            "certificates were not read anew: the node does not take the request"
        );
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watcher.close();
    }
}
