//! The Redis protocol: bytes in, values out
