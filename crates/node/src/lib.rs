//! One machine: a shard's state and the requests between shards
