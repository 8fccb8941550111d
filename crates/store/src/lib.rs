//! One shard's data: keyspace, types, expiry, data commands
