//! A guide: how to build with this crate, chapter by chapter, and why it is as it is.
//!
//! What each item does stands with the item. This is about choosing between them.
//!
//! - [`placement`]: which keys live where; hash, ring, rendezvous, ranges, slots.
//! - [`backpressure`]: what happens when more comes in than can be done, and where to say no.
//! - [`failure`]: panics, restarts, circuit breakers, retries.
//! - [`coming_from`]: for those who know actix, tokio or Seastar.

pub mod backpressure;
pub mod coming_from;
pub mod failure;
pub mod placement;
