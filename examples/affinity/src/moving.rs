//! A live connection that changes its shard, with all that its session knows.

use corelane::net::framing::{Decoder, Lines};
use corelane::net::{Connection, Stream};
use corelane::{CallError, Mesh, Refused, ShardId};

use crate::permits::Permit;
use crate::policy::History;
use crate::shard::{FibShard, Request};

/// A connection and its session, on their way. What they hold goes along: bytes received and not read, half a line,
/// the rest of a send, the permit to be open.
#[derive(Debug)]
pub struct Parcel {
    pub(crate) connection: Connection,
    pub(crate) session: Session,
}

/// What the server knows of one connection.
pub(crate) struct Session {
    pub(crate) decoder: Decoder<Lines>,
    pub(crate) history: History,
    /// What made the connection move: to be answered first where it arrives.
    pub(crate) first: Option<u8>,
    /// Given back when the session ends, on whichever shard.
    pub(crate) _permit: Permit,
}

/// Hands a connection to `to`. Where it is not taken, both come back, to go on here: no connection is lost for want of
/// room on the way.
pub(crate) async fn hand_over(
    mesh: &Mesh<FibShard>,
    to: ShardId,
    stream: Stream,
    session: Session,
) -> Option<(Stream, Session)> {
    let connection = stream.detach().await;
    let parcel = Box::new(Parcel {
        connection,
        session,
    });
    let back = match mesh.call(to, Request::Take(parcel)).await {
        Ok(_) => {
            mesh.with(|shard| shard.stats.moved += 1);
            return None;
        }
        Err(CallError::Refused(Refused { message, .. }) | CallError::Moved(message)) => message,
        Err(error) => {
            let error = error.without_request();
            tracing::warn!(%error, "a connection was lost between shards");
            return None;
        }
    };
    let Request::Take(parcel) = back else {
        unreachable!("what was sent is what comes back");
    };
    mesh.with(|shard| shard.stats.stayed += 1);
    match Stream::attach(parcel.connection) {
        Ok(stream) => Some((stream, parcel.session)),
        Err(error) => {
            tracing::warn!(%error, "a connection that stays could not be taken up again");
            None
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("first", &self.first)
            .field("held_bytes", &self.decoder.rest().len())
            .finish_non_exhaustive()
    }
}
