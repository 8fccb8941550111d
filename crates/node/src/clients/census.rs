//! Questions to all clients, wherever they are: to list them, to end them, to send them to a shard.
//!
//! Shards are asked one beside the other, and a client may be on its way from one that is not asked yet to one that was.
//! So as long as clients move, the shards are asked again, until a round has seen nobody leave or arrive.

use corelane::ShardId;

use super::client::Ending;
use super::description::ClientInfo;
use super::filter::ClientFilter;
use super::list::Traffic;
use crate::node::{Gone, Node};
use crate::request::{Reply, Request};
use crate::shard::Shard;

/// What is wanted of the clients that match.
#[derive(Debug, Clone)]
pub struct Census {
    filter: ClientFilter,
    act: ClientAct,
}

/// What happens to a client that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAct {
    /// It is described.
    List,
    /// It is ended.
    Kill,
    /// It goes to a shard at its next command boundary.
    SendTo(ShardId),
}

/// Whom a census has met.
#[derive(Debug, Default)]
pub struct Counted {
    /// How many; of those to be ended or sent, the ones for whom that was news.
    pub count: usize,
    /// Their descriptions, if they were asked for.
    pub rows: Vec<ClientInfo>,
    traffic: Traffic,
}

/// Clients that move all the time could keep a census going: after as many rounds, one of them may be missed.
const ROUNDS: usize = 16;

impl Node {
    /// Asks all shards for the clients that match.
    ///
    /// # Errors
    /// A shard has stopped; the node is going down.
    pub async fn census(&self, filter: ClientFilter, act: ClientAct) -> Result<Counted, Gone> {
        let census = Census { filter, act };
        let mut all = Counted::default();
        for round in 0..ROUNDS {
            let before = std::mem::take(&mut all.traffic);
            let replies = self.call_all(|| Request::Census(census.clone())).await?;
            replies.into_iter().for_each(|reply| all.add(reply));
            let still = round > 0 && all.traffic == before && all.traffic.is_settled();
            if still || !all.traffic.is_recent {
                break;
            }
        }
        // Of a client that was met twice the last word stands.
        all.rows.reverse();
        all.rows.sort_by_key(|row| row.id);
        all.rows.dedup_by_key(|row| row.id);
        Ok(all)
    }
}

impl Counted {
    fn add(&mut self, reply: Reply) {
        if let Reply::Counted(more) = reply {
            self.count += more.count;
            self.rows.extend(more.rows);
            self.traffic.add(&more.traffic);
        }
    }
}

impl Shard {
    /// This shard's part.
    pub(crate) fn census(&self, census: &Census) -> Counted {
        let now_ms = corelane::time::unix_ms();
        let mut here = Counted {
            traffic: self.clients.traffic(now_ms),
            ..Counted::default()
        };
        let clients = self.clients.iter();
        for client in clients.filter(|client| census.filter.accepts(client, now_ms)) {
            let counts = match census.act {
                ClientAct::List => {
                    here.rows.push(client.describe(now_ms));
                    true
                }
                ClientAct::Kill => client.end(Ending::Killed),
                ClientAct::SendTo(shard) => client.order_to(shard),
            };
            here.count += usize::from(counts);
        }
        here
    }
}
