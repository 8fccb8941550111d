//! One shard: its cache, what it counts, and how it answers the others.

use std::time::Duration;

use corelane::net::{Addr, Stream};
use corelane::sync::Gate;
use corelane::{Cx, Outcome, Service, ShardId};
use lru::LruCache;

use crate::fibonacci::fibonacci;
use crate::moving::Parcel;
use crate::permits::Permits;
use crate::policy::Routing;
use crate::server::ServeOptions;
use crate::stats::Stats;
use crate::{server, session};

/// One shard's state.
pub struct FibShard {
    cache: LruCache<u8, u128>,
    pub(crate) stats: Stats,
    pub(crate) routing: Routing,
    pub(crate) patience: Duration,
    pub(crate) permits: Permits,
    /// What is served here: sessions, and the loop that accepts them. Closed when the shard leaves.
    pub(crate) gate: Gate,
}

/// What a shard asks another.
#[derive(Debug)]
pub enum Request {
    /// The Fibonacci number of a number that belongs there.
    Number(u8),
    /// Take over this connection.
    Take(Box<Parcel>),
    /// Accept connections there, too.
    Listen(Addr),
    /// What it has counted.
    Stats,
}

/// What it gets back.
#[derive(Debug)]
pub enum Reply {
    /// The Fibonacci number.
    Number(u128),
    /// The connection is served there, or connections are accepted.
    Done,
    /// What the shard has counted.
    Stats(Stats),
}

impl FibShard {
    /// A shard with nothing in its cache.
    pub(crate) fn new(options: &ServeOptions, permits: Permits) -> Self {
        FibShard {
            cache: LruCache::new(options.cached),
            stats: Stats::default(),
            routing: options.routing,
            patience: options.patience,
            permits,
            gate: Gate::new(),
        }
    }

    /// The Fibonacci number, from the cache or computed.
    pub(crate) fn number(&mut self, number: u8) -> u128 {
        if let Some(known) = self.cache.get(&number) {
            self.stats.hits += 1;
            return *known;
        }
        self.stats.misses += 1;
        let computed = fibonacci(number);
        self.cache.put(number, computed);
        computed
    }
}

impl Service for FibShard {
    type Request = Request;
    type Reply = Reply;
    type Control = ();

    fn handle(&mut self, request: Request, cx: &Cx<'_, Self>) -> Outcome<Self> {
        match request {
            Request::Number(number) => Outcome::Ready(Reply::Number(self.number(number))),
            Request::Stats => Outcome::Ready(Reply::Stats(self.stats)),
            Request::Take(parcel) => {
                // A shard that leaves takes nothing more; the connection goes on where it comes from.
                let Ok(inside) = self.gate.enter() else {
                    return Outcome::Moved(Request::Take(parcel));
                };
                match Stream::attach(parcel.connection) {
                    Ok(stream) => session::start(cx.mesh(), stream, parcel.session, inside),
                    Err(error) => return Outcome::rejected(error.to_string()),
                }
                Outcome::Ready(Reply::Done)
            }
            Request::Listen(addr) => match (server::bind(&addr), self.gate.enter()) {
                (Ok(listener), Ok(inside)) => {
                    server::start_accepting(cx.mesh(), listener, inside);
                    Outcome::Ready(Reply::Done)
                }
                (Err(error), _) => Outcome::rejected(format!("cannot listen on {addr}: {error}")),
                (_, Err(closed)) => Outcome::rejected(closed.to_string()),
            },
        }
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;
    use std::time::Duration;

    use corelane::net::Addr;

    use super::FibShard;
    use crate::fibonacci::fibonacci;
    use crate::permits::Permits;
    use crate::policy::Routing;
    use crate::server::ServeOptions;

    #[test]
    fn it_keeps_the_last_numbers_and_forgets_the_oldest() {
        let options = ServeOptions {
            listen: Addr::Unix("unused".into()),
            routing: Routing::Hop,
            max_connections: 1,
            patience: Duration::from_secs(1),
            cached: NonZero::new(2).expect("not 0"),
        };
        let mut shard = FibShard::new(&options, Permits::new(1));
        for (number, hits, misses) in [
            (7, 0, 1),
            (8, 0, 2),
            (7, 1, 2),
            (9, 1, 3),
            (7, 2, 3),
            (8, 2, 4),
        ] {
            assert_eq!(shard.number(number), fibonacci(number));
            assert_eq!(
                (shard.stats.hits, shard.stats.misses),
                (hits, misses),
                "after {number}"
            );
        }
    }
}
