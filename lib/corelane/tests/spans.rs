//! Spans that follow a call across shards: one trace id on both sides, whoever asks, on threads and in the simulator.
//!
//! A binary of its own: the subscriber that captures them is the process's.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use corelane::sim::{World, WorldOptions};
use corelane::{
    CallOptions, Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, TraceId, launch, launch_sim,
    time,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span with its fields.
#[derive(Clone, Debug, Default)]
struct Captured {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
    /// How often it was entered.
    entered: u64,
    closed: bool,
}

/// All spans so far, by their id less one.
static SPANS: Mutex<Vec<Captured>> = Mutex::new(Vec::new());

fn with_spans<R>(look: impl FnOnce(&mut Vec<Captured>) -> R) -> R {
    look(&mut SPANS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps the spans of calls, and nothing else.
struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "corelane::calls"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut span = Captured {
            name: attributes.metadata().name(),
            ..Captured::default()
        };
        attributes.record(&mut span);
        with_spans(|spans| {
            spans.push(span);
            Id::from_u64(spans.len() as u64)
        })
    }

    fn enter(&self, span: &Id) {
        with_spans(|spans| spans[span.into_u64() as usize - 1].entered += 1);
    }

    fn try_close(&self, span: Id) -> bool {
        with_spans(|spans| spans[span.into_u64() as usize - 1].closed = true);
        true
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, _event: &Event<'_>) {}
    fn exit(&self, _span: &Id) {}
}

impl Visit for Captured {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.fields
            .insert(field.name(), text.trim_matches('"').to_owned());
    }
}

/// The spans of one service; the subscriber is in place when this returns.
fn captured(service: &str) -> Vec<Captured> {
    static INSTALLED: LazyLock<()> = LazyLock::new(|| {
        let installed = tracing::subscriber::set_global_default(Capture);
        installed.expect("the first of this process");
    });
    LazyLock::force(&INSTALLED);
    let of_service = |span: &&Captured| span.fields.get("service").is_some_and(|it| it == service);
    with_spans(|spans| spans.iter().filter(of_service).cloned().collect())
}

/// One call: by what trace, `(from, to, partition)` as the caller's span has them, and as the handler's.
fn check(spans: &[Captured], trace: TraceId, call: [&str; 3], handle: [&str; 3]) {
    let trace = trace.to_string();
    for (name, expected) in [("corelane.call", call), ("corelane.handle", handle)] {
        let found: Vec<_> = spans
            .iter()
            .filter(|span| span.name == name && span.fields["trace"] == trace)
            .collect();
        let [span] = found[..] else {
            panic!("{name} of trace {trace}: {found:?} of {spans:?}");
        };
        let field = |name| span.fields.get(name).map_or("", String::as_str);
        assert_eq!(
            ["from", "to", "partition"].map(field),
            expected,
            "{name} {trace}"
        );
        assert!(span.closed, "{span:?}");
    }
}

/// Answers at once, or after a nap; passes on what it is asked to.
macro_rules! service {
    ($Name:ident) => {
        struct $Name;

        impl Service for $Name {
            type Request = u64;
            type Reply = u64;
            type Control = ();

            fn handle(&mut self, number: u64, cx: &Cx<'_, Self>) -> Outcome<Self> {
                let (mesh, options) = (cx.mesh().clone(), cx.options());
                match number {
                    0 => Outcome::Ready(cx.trace().0),
                    1 => Outcome::later(async {
                        time::sleep(Duration::from_millis(1)).await;
                        1
                    }),
                    _ => Outcome::later(async move {
                        let next = mesh.call_with(ShardId::new(0), 0, options).await;
                        next.expect("it answers")
                    }),
                }
            }

            fn control(&mut self, _message: (), _from: ShardId) {}
        }
    };
}

service!(Threaded);
service!(Simulated);

const B: ShardId = ShardId::new(1);

/// Shard 0 asks shard 1 with traces of its own, without, and through.
async fn ask<S: Service<Request = u64, Reply = u64>>(mesh: Mesh<S>) -> Result<(), String> {
    if mesh.shard() == B {
        return Ok(());
    }
    let traced = |trace| CallOptions::new().traced(TraceId(trace));
    let mine = mesh.call_with(B, 0, traced(77)).await;
    assert_eq!(mine.ok(), Some(77), "the handler sees the trace");
    let later = mesh.call_with(B, 1, traced(78)).await;
    assert_eq!(later.ok(), Some(1));
    let through = mesh.call_with(B, 2, traced(79)).await;
    assert_eq!(through.ok(), Some(79), "and passes it on");
    // Somebody watches, so a call without a trace is given one: by shard 0, its first.
    let given = mesh.call(B, 0).await;
    assert_eq!(given.ok(), Some(1 << 48 | 1));
    Ok(())
}

fn check_all(service: &str) {
    let spans = captured(service);
    for trace in [77, 78, 1 << 48 | 1] {
        check(
            &spans,
            TraceId(trace),
            ["shard 0", "1", ""],
            ["shard 0", "1", ""],
        );
    }
    let nap = spans.iter().find(|span| {
        span.name == "corelane.handle" && span.fields["trace"] == TraceId(78).to_string()
    });
    assert!(
        nap.expect("checked").entered >= 3,
        "the handler, and twice the task: {nap:?}"
    );
    let through = spans
        .iter()
        .filter(|span| span.fields["trace"] == TraceId(79).to_string());
    let ways: Vec<_> = through
        .map(|span| {
            (
                span.name,
                span.fields["from"].as_str(),
                span.fields["to"].as_str(),
            )
        })
        .collect();
    for way in [
        ("corelane.call", "shard 0", "1"),
        ("corelane.handle", "shard 0", "1"),
        ("corelane.call", "shard 1", "0"),
        ("corelane.handle", "shard 1", "0"),
    ] {
        assert!(ways.contains(&way), "{way:?} of {ways:?}");
    }
    assert_eq!(ways.len(), 4);
}

#[test]
fn one_trace_shows_on_two_shards() {
    captured("");
    let init = async |_| Ok(Threaded);
    let node = launch(&LaunchOptions::unpinned(2), init, ask).expect("the node starts");
    node.join().expect("a clean end");
    check_all("Threaded");
}

#[test]
fn one_trace_shows_on_two_simulated_shards() {
    captured("");
    let world = World::new(3, WorldOptions::default());
    let init = async |_| Ok(Simulated);
    let options = LaunchOptions::unpinned(2);
    let node = launch_sim(&world, &options, init, ask).expect("the node starts");
    world.run().expect("everything comes to an end");
    node.outcome().expect("it ended").expect("a clean end");
    check_all("Simulated");
}

service!(Outside);

#[test]
fn calls_of_other_threads_are_traced_too() {
    captured("");
    let init = async |_| Ok(Outside);
    let stay = async |mesh: Mesh<Outside>| {
        mesh.stopping().await;
        Ok(())
    };
    let node = launch(&LaunchOptions::unpinned(2), init, stay).expect("the node starts");
    let handle = node.handle();
    let outside = "a thread outside the node";
    let first = handle.call(corelane::Target::Partition(200), 0).wait();
    let trace = TraceId(first.expect("it answers"));
    assert_eq!(trace.0, 0xffff << 48 | 1);
    node.stop();
    node.join().expect("a clean end");
    check(
        &captured("Outside"),
        trace,
        [outside, "", "200"],
        [outside, "1", "200"],
    );
}
