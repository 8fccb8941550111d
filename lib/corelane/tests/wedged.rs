//! A shard that is wedged is reported with what it runs. A binary of its own: stalls are kept for the whole process.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use corelane::{Cx, LaunchOptions, Mesh, Outcome, Service, ShardId, launch};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Its handler waits for a lock, as no handler should.
struct Waits(Arc<Mutex<()>>);

impl Service for Waits {
    type Request = ();
    type Reply = ();
    type Control = ();

    fn handle(&mut self, (): (), _cx: &Cx<'_, Self>) -> Outcome<Self> {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome::Ready(())
    }

    fn control(&mut self, (): (), _from: ShardId) {}
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        // An event as a whole, so that nobody reads half a one.
        let mut whole = Lines::default();
        event.record(&mut whole);
        self.0.lock().unwrap().push_str(&whole.0);
    }

    fn new_span(&self, _attributes: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

/// The fields of one event.
#[derive(Default)]
struct Lines(String);

impl Visit for Lines {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = writeln!(self.0, "{field}: {value:?}");
    }
}

#[test]
fn a_wedged_shard_is_reported_with_what_it_runs() {
    let lock = Arc::new(Mutex::new(()));
    let mut options = LaunchOptions::unpinned(2);
    options.wedged_after = Duration::from_secs(1);
    options.stall_ms = Some(20);
    let shared = lock.clone();
    let init = async move |_: ShardId| Ok(Waits(shared.clone()));
    let main = async |mesh: Mesh<Waits>| {
        mesh.stopping().await;
        Ok(())
    };
    let node = launch(&options, init, main).unwrap();
    let (handle, stopper, log) = (node.handle(), node.stopper(), Log::default());
    let keeper = {
        let log = log.clone();
        thread::spawn(move || tracing::subscriber::with_default(log, || node.join()))
    };
    let held = lock.lock().unwrap();
    let call = handle.call(ShardId::new(1), ());
    let (began, said) = (Instant::now(), || log.0.lock().unwrap().clone());
    while !said().contains("a shard is wedged") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", said());
        thread::sleep(Duration::from_millis(10));
    }
    let report = said();
    assert!(report.contains("shard: 1\n"), "{report}");
    assert!(
        report.contains("running: \"corelane::mesh::poller::MeshPoller<wedged::Waits>\""),
        "{report}"
    );
    drop(held);
    assert_eq!(call.wait(), Ok(()));
    stopper.stop("seen");
    keeper.join().unwrap().unwrap();
}
