//! Protocols in front of a node. Each protocol is a folder, and folders never import each other.
//!
//! - [`resp`]: Redis's protocol: listeners, sessions, and the commands that concern the connection
//!   itself rather than data.

#![forbid(unsafe_code)]

pub mod resp;
