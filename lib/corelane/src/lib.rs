//! Shared-nothing, thread-per-core framework: shards, mesh, services
