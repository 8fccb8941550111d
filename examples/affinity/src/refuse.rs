//! Connections beyond what is allowed: told why, in words, and closed.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use corelane::net::Stream;
use corelane::{task, time};

/// Refusals that may be under way at once on a shard. Beyond it there is no more politeness: connections are reset.
const REFUSING_MAX: usize = 64;

/// How long a refused client may take to read why.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells clients that there is no room for them.
#[derive(Clone, Default)]
pub(crate) struct Refuser(Rc<Cell<usize>>);

impl Refuser {
    pub(crate) fn refuse(&self, stream: Stream, max: usize) {
        if self.0.get() >= REFUSING_MAX {
            return stream.abort();
        }
        self.0.set(self.0.get() + 1);
        let this = self.clone();
        drop(task::spawn(async move {
            // Not in time, or gone: then it is closed without.
            let _ = time::timeout(PATIENCE, say(stream, max)).await;
            this.0.set(this.0.get() - 1);
        }));
    }
}

/// Reads on until the client closes: a socket that is closed with bytes unread is reset, and the text lost with it.
async fn say(mut stream: Stream, max: usize) -> std::io::Result<()> {
    let text =
        format!("error: {max} connections are open, as many as are allowed; try again later\n");
    stream.send_all(text.into_bytes()).await?;
    stream.shutdown_write()?;
    while !stream.recv().await?.is_empty() {}
    Ok(())
}
