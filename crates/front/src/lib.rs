//! Protocols in front of a node
