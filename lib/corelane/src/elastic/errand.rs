//! The mesh's own requests between shards: code that runs there on the control lane, which data cannot block.

use std::time::Duration;

use corelane_rt::time;

use crate::mesh::{Control, Errand};
use crate::{Mesh, Refusal, Service, ShardId};

/// How long to wait before a full control lane is tried again.
const RETRY_AFTER: Duration = Duration::from_micros(100);

/// The node ended before an errand was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeOver;

impl<S: Service> Mesh<S> {
    /// Runs `errand` on the shard `to` and brings back what it returns.
    pub(crate) async fn errand<R, F>(&self, to: ShardId, errand: F) -> Result<R, NodeOver>
    where
        R: Send + 'static,
        F: AsyncFnOnce(Mesh<S>) -> R + Send + 'static,
    {
        if to == self.shard() {
            return Ok(errand(self.clone()).await);
        }
        let (shot, answer) = oneshot::channel();
        let errand: Errand<S> = Box::new(move |mesh| {
            Box::pin(async move {
                // Nobody listens any more only if the node ends.
                let _ = shot.send(errand(mesh).await);
            })
        });
        self.send_errand(to, errand).await?;
        answer.await.map_err(|_| NodeOver)
    }

    /// A full lane means a shard that does not turn, which is reported as wedged; the errand waits for it
    /// or for the end of the node.
    async fn send_errand(&self, to: ShardId, errand: Errand<S>) -> Result<(), NodeOver> {
        let mut message = Control::Errand(errand);
        loop {
            if self.core.life.is_over() {
                return Err(NodeOver);
            }
            match self.core.outbox.control(to, message) {
                Ok(()) => return Ok(()),
                Err(refused) if refused.reason == Refusal::Full => message = refused.message,
                Err(_) => return Err(NodeOver),
            }
            time::sleep(RETRY_AFTER).await;
        }
    }
}
