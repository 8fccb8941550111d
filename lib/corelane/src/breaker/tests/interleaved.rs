//! The marks of dropped permits under a model checker: every interleaving, every value that the memory
//! model allows.

use loom::sync::Arc;
use loom::thread;

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../marks.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code over other atomics is the point"
)]
mod marks;

/// Two calls are dropped while the breaker looks and opens: each is seen once, and none is taken for a
/// call of the next generation.
#[test]
fn every_drop_is_counted_once_and_for_its_generation() {
    loom::model(|| {
        let marks = Arc::new(marks::Marks::default());
        let dropper = {
            let marks = marks.clone();
            thread::spawn(move || (0..2).for_each(|_| marks.drop_of(0)))
        };
        let (before, late) = marks.take();
        marks.advance();
        let (after, later) = marks.take();
        dropper.join().expect("join");
        let (after_all, last) = marks.take();
        assert_eq!(before + late + later + last, 2);
        assert_eq!((after, after_all), (0, 0), "of the next generation");
        assert_eq!(marks.generation(), 1);
    });
}
