//! A guide: how to build with this crate, chapter by chapter, and why it is as it is.
//!
//! What each item does stands with the item. This is about choosing between them.
//!
//! - [`model`]: shards, partitions, and what crosses between them.
//! - [`first_service`]: a state, its requests, a node, a handle.
//! - [`workers`]: a mailbox in front of a state; pools.
//! - [`placement`]: which keys live where; hash, ring, rendezvous, ranges, slots.
//! - [`backpressure`]: what happens when more comes in than can be done, and where to say no.
//! - [`failure`]: panics, restarts, circuit breakers, retries.
//! - [`resizing`]: growing and shrinking while requests run.
//! - [`observing`]: what a node tells of itself: its plan, metrics, spans.
//! - [`testing`]: a thousand schedules from a thousand seeds.
//! - Choosing a channel: the first page of [`channel`](crate::channel).
//! - Encrypted connections: the first page of [`tls`](crate::tls).
//! - [`coming_from`]: for those who know actix, tokio or Seastar.

pub mod backpressure;
pub mod coming_from;
pub mod failure;
pub mod first_service;
pub mod model;
pub mod observing;
pub mod placement;
pub mod resizing;
pub mod testing;
pub mod workers;
