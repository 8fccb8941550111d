//! A distributed computation: the words of a text, counted by all shards of a node.
//!
//! - **map**: each shard takes every n-th piece of the text and counts its words ([`count`])
//! - **shuffle**: a word belongs to the shard that owns its partition; counts go there in batches
//! - **reduce**: that shard adds them up ([`counter`]), and at the end the shards' results are folded into one
//!   by [`Mesh::map_reduce`](corelane::Mesh::map_reduce) ([`job`])
//!
//! Each shard maps in a task of its own, which lets others run after every piece, so that it goes on answering:
//! to its peers, who send it counts, and to whoever asks how far it is.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod count;
pub mod counter;
pub mod job;
