//! What a node counts: per shard and per service, written without locks and readable from every thread.
//!
//! - [`metrics!`](crate::metrics!) declares a block of [`Counter`]s, [`Gauge`]s and [`Histogram`]s: one list with the name,
//!   kind and help of each, from which the rest is made.
//! - [`Registry::register`] makes the block of one shard and gives out its only [`Writer`].
//! - [`Registry::snapshot`] reads all blocks from any thread, and [`prometheus::render`] writes them as a scrape
//!   wants them.
//!
//! A shard that counts adds to a number on a cache line of its own: no lock, no atomic
//! read-modify-write, no formatting. Sums over shards are made by who looks.
//!
//! ```
//! use corelane::ShardId;
//! use corelane::metrics::{Owner, Registry, prometheus};
//!
//! corelane::metrics! {
//!     /// What a shard of the shop counts.
//!     pub struct ShopMetrics;
//!
//!     /// Orders taken.
//!     counter orders = "shop_orders_total";
//! }
//!
//! let registry = Registry::new();
//! let shop = registry.register::<ShopMetrics>(Owner::service(ShardId::new(0), "shop"))?;
//! shop.orders.inc();
//!
//! let text = prometheus::render(&registry.snapshot());
//! assert!(text.contains("shop_orders_total{shard=\"0\",service=\"shop\"} 1\n"));
//! # Ok::<(), corelane::metrics::RegisterError>(())
//! ```

mod block;
mod cell;
mod describe;
mod histogram;
pub mod prometheus;
#[cfg(test)]
mod reference;
mod registry;
mod runtime;
mod shard;
mod snapshot;

pub use block::{Block, Value, Writer};
#[doc(hidden)]
pub use cell::Cell;
pub use cell::{Counter, Gauge};
pub use describe::{Kind, Metric};
pub use histogram::{Distribution, FINEST_NS, Histogram, LONGEST_NS};
pub use registry::{MAX_BLOCKS, Owner, RegisterError, Registry};
pub use runtime::RuntimeMetrics;
pub use shard::registry;
pub(crate) use shard::{install, watch_shard};
pub use snapshot::{Row, Snapshot};

use std::any::type_name;

/// What a service is called in the label `service`: the name of its type, without path and parameters.
#[must_use]
pub fn service_name<S>() -> &'static str {
    let name = type_name::<S>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::service_name;

    struct Plain;
    struct Of<T>(T);

    #[test]
    fn services_are_called_as_their_types() {
        assert_eq!(service_name::<Plain>(), "Plain");
        assert_eq!(service_name::<Of<Plain>>(), "Of");
        assert_eq!(service_name::<u64>(), "u64");
    }
}
