//! Settings: how the data types encode small values. The types come with later versions; their
//! settings are known, because clients and test suites set them before they touch a key.

use super::{INT_MAX, LONG_MAX};
use crate::{Group::DataTypes, Kind, Setting};

const COUNT: Kind = Kind::Int {
    min: 0,
    max: LONG_MAX as i64,
};
const BYTES: Kind = Kind::Bytes {
    min: 0,
    max: LONG_MAX,
};

pub(super) const CHAPTER: &[Setting] = &[
    Setting::new(
        "list-max-listpack-size",
        DataTypes,
        Kind::Int {
            min: -INT_MAX - 1,
            max: INT_MAX,
        },
        "-2",
        "Elements in one node of a list, or its size class when negative.",
    )
    .aliases(&["list-max-ziplist-size"])
    .no_effect(),
    Setting::new(
        "list-compress-depth",
        DataTypes,
        Kind::Int {
            min: 0,
            max: INT_MAX,
        },
        "0",
        "Nodes at each end of a list that stay uncompressed; 0 compresses nothing.",
    )
    .no_effect(),
    Setting::new(
        "set-max-intset-entries",
        DataTypes,
        COUNT,
        "512",
        "Members of a set kept as sorted integers.",
    )
    .no_effect(),
    Setting::new(
        "hash-max-listpack-entries",
        DataTypes,
        COUNT,
        "512",
        "Fields of a hash kept as one flat block.",
    )
    .aliases(&["hash-max-ziplist-entries"])
    .no_effect(),
    Setting::new(
        "hash-max-listpack-value",
        DataTypes,
        BYTES,
        "64",
        "Longest value of a hash kept as one flat block.",
    )
    .aliases(&["hash-max-ziplist-value"])
    .no_effect(),
    Setting::new(
        "zset-max-listpack-entries",
        DataTypes,
        COUNT,
        "128",
        "Members of a sorted set kept as one flat block.",
    )
    .aliases(&["zset-max-ziplist-entries"])
    .no_effect(),
    Setting::new(
        "zset-max-listpack-value",
        DataTypes,
        BYTES,
        "64",
        "Longest member of a sorted set kept as one flat block.",
    )
    .aliases(&["zset-max-ziplist-value"])
    .no_effect(),
    Setting::new(
        "stream-node-max-bytes",
        DataTypes,
        BYTES,
        "4096",
        "Size of one node of a stream; 0 is no limit.",
    )
    .no_effect(),
    Setting::new(
        "stream-node-max-entries",
        DataTypes,
        COUNT,
        "100",
        "Entries in one node of a stream; 0 is no limit.",
    )
    .no_effect(),
    Setting::new(
        "hll-sparse-max-bytes",
        DataTypes,
        BYTES,
        "3000",
        "Size up to which a HyperLogLog stays sparse.",
    )
    .no_effect(),
];
