//! A key-value service over HTTP. Keys are spread over the shards; every shard listens on the same port, and
//! its handlers reach all keys through the service's handle.
//!
//! | request | answer |
//! |---|---|
//! | `GET /kv/{key}` | the value, or `404` |
//! | `PUT /kv/{key}` | takes the body as the value: `201` for a new key, `204` for a known one |
//! | `POST /kv/{key}` | adds the body, a whole number, to the value: the sum, or `409` if the value is no number |
//! | `DELETE /kv/{key}` | `204`, or `404` |
//! | `GET /stats` | keys, requests and service times of all shards, as JSON |
//! | `GET /healthz` | `ok` |
//!
//! - [`store`]: one shard's keys, a [`Service`](corelane::Service)
//! - [`routes`]: what axum does with a request
//! - [`node`]: shards, listeners and servers put together
#![forbid(unsafe_code)]

pub mod node;
pub mod routes;
pub mod store;
