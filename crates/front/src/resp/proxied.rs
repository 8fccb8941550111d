//! Connections that a load balancer hands through: whose they are is said by a header that comes first.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use corelane::net::{Peer, Stream};
use corelane_settings::ProxyProtocol;
use corelane_wire::{ProxiedAddresses, ProxyError, parse_proxy};
use thiserror::Error;

/// How long the header may take. Balancers send it at once; three seconds are what its description asks of receivers
/// at least, for one lost packet.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);

/// Why a connection is not taken for anybody's.
#[derive(Debug, Error)]
pub(super) enum Unknown {
    #[error("connections from there are not believed (proxy-protocol-from)")]
    NotTrusted,
    #[error("{0}")]
    NoHeader(#[from] ProxyError),
    #[error("the connection ended with nothing sent")]
    Nothing,
    #[error("the connection ended within the header")]
    Ended,
    #[error("the header did not come within {} s", HEADER_PATIENCE.as_secs())]
    Late,
    #[error("{0}")]
    Failed(#[from] io::Error),
}

/// Reads the header, and leaves the stream where the client's bytes begin. `None`: what the socket says stands.
pub(super) async fn introduced(
    stream: &mut Stream,
    proxy: &ProxyProtocol,
) -> Result<Option<ProxiedAddresses>, Unknown> {
    let Peer::Tcp(balancer) = stream.peer() else {
        return Ok(None);
    };
    if !is_trusted(proxy, *balancer) {
        return Err(Unknown::NotTrusted);
    }
    corelane::time::timeout(HEADER_PATIENCE, header(stream))
        .await
        .unwrap_or(Err(Unknown::Late))
}

fn is_trusted(proxy: &ProxyProtocol, balancer: SocketAddr) -> bool {
    proxy.from.is_empty() || proxy.from.contains(&balancer.ip().to_canonical())
}

/// What has come is bounded by the longest header, and what comes in one piece after it.
async fn header(stream: &mut Stream) -> Result<Option<ProxiedAddresses>, Unknown> {
    let mut bytes = Vec::new();
    loop {
        let chunk = match stream.recv().await {
            Ok(chunk) if !chunk.is_empty() => chunk,
            // Health checks end as they like: a reset is as good as an end.
            Ok(_) | Err(_) if bytes.is_empty() => return Err(Unknown::Nothing),
            Ok(_) => return Err(Unknown::Ended),
            Err(error) => return Err(error.into()),
        };
        bytes.extend_from_slice(&chunk);
        drop(chunk);
        if let Some(header) = parse_proxy(&bytes)? {
            bytes.drain(..header.consumed);
            stream.put_back(bytes);
            return Ok(header.addresses);
        }
    }
}
