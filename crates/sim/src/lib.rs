//! The whole node under one seed
