//! Readings of sensors, processed by key: each sensor belongs to one worker of a pool, which alone knows what it has
//! read before, so that nothing is shared and every sensor's readings are processed in their order.
//!
//! - [`series`]: what is known of one sensor; pure
//! - [`processor`]: the worker
//! - [`source`]: readings made up from a seed
#![forbid(unsafe_code)]

pub mod processor;
pub mod series;
pub mod source;
