//! What axum does with a request. Handlers are `Send`, as axum asks, and may run on any shard: they hold the
//! service's handle and no state.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use corelane::{CallError, Handle};

use crate::store::{Answer, Ask, KEYS_MAX, Stats, Store, VALUE_BYTES_MAX};

/// All routes.
pub fn router(store: Handle<Store>) -> Router {
    let of_key = get(read).put(write).post(add).delete(remove);
    Router::new()
        .route("/kv/{key}", of_key)
        .route("/stats", get(stats))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(VALUE_BYTES_MAX))
        .with_state(store)
}

async fn read(State(store): State<Handle<Store>>, Path(key): Path<String>) -> Response {
    ask(&store, key, Ask::Get).await
}

async fn write(
    State(store): State<Handle<Store>>,
    Path(key): Path<String>,
    value: Bytes,
) -> Response {
    // A copy of its own: the body is a slice of the connection's buffer, and would keep all of it.
    let value = Bytes::copy_from_slice(&value);
    ask(&store, key, |key| Ask::Put(key, value)).await
}

async fn add(State(store): State<Handle<Store>>, Path(key): Path<String>, by: String) -> Response {
    match by.trim().parse() {
        Ok(by) => ask(&store, key, |key| Ask::Add(key, by)).await,
        Err(_) => (
            StatusCode::BAD_REQUEST,
            "the body must be a whole number of 64 bits\n",
        )
            .into_response(),
    }
}

async fn remove(State(store): State<Handle<Store>>, Path(key): Path<String>) -> Response {
    ask(&store, key, Ask::Delete).await
}

/// Asks the shard that owns `key`.
async fn ask(store: &Handle<Store>, key: String, request: impl FnOnce(String) -> Ask) -> Response {
    let partition = corelane::partition_of(key.as_bytes());
    match store
        .call(corelane::Target::Partition(partition), request(key))
        .await
    {
        Ok(answer) => of_answer(answer),
        Err(error) => of_error(&error),
    }
}

fn of_answer(answer: Answer) -> Response {
    match answer {
        Answer::Value(value) => value.into_response(),
        Answer::Missing => (StatusCode::NOT_FOUND, "no such key\n").into_response(),
        Answer::Stored { is_new: true } => StatusCode::CREATED.into_response(),
        Answer::Stored { is_new: false } | Answer::Deleted => {
            StatusCode::NO_CONTENT.into_response()
        }
        Answer::NoNumber => (
            StatusCode::CONFLICT,
            "the value is no whole number, or the sum does not fit 64 bits\n",
        )
            .into_response(),
        Answer::Full => {
            let why = format!("a shard takes {KEYS_MAX} keys; delete some\n");
            (StatusCode::INSUFFICIENT_STORAGE, why).into_response()
        }
        Answer::Stats(stats) => of_stats(&stats),
    }
}

fn of_error(error: &CallError<Ask>) -> Response {
    let status = match error {
        // More calls are under way than the shard takes: nothing has been done, and later it may.
        CallError::Refused(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n")).into_response()
}

/// The sum of what all shards have counted.
async fn stats(State(store): State<Handle<Store>>) -> Response {
    let sum = store.map_reduce(
        |_| Ask::Stats,
        Stats::new(0),
        |sum, answer| match answer {
            Answer::Stats(stats) => sum.plus(&stats),
            _ => sum,
        },
    );
    match sum.await {
        Ok(sum) => of_stats(&sum),
        Err(error) => of_error(&error),
    }
}

fn of_stats(stats: &Stats) -> Response {
    let us = |quantile| stats.service_ns.value_at_quantile(quantile) as f64 / 1000.0;
    let json = format!(
        r#"{{"shards":{},"keys":{},"asked":{},"refused_full":{},"requests":{},"service_us":{{"p50":{:.1},"p99":{:.1},"p999":{:.1}}}}}"#,
        stats.shards,
        stats.keys,
        stats.asked,
        stats.refused_full,
        stats.service_ns.len(),
        us(0.5),
        us(0.99),
        us(0.999),
    );
    ([(header::CONTENT_TYPE, "application/json")], json + "\n").into_response()
}
