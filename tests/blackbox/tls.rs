//! TLS: what clients of others see, who is let in, certificates that change, connections that move, and shards' own ports.

mod conn;
mod pki;

mod admission;
mod cluster;
mod moving;
mod others;
mod settings;
