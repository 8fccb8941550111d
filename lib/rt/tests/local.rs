//! Values of a runtime: each runtime its own, real or simulated, dropped with it.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{IoBackend, local, task};
use support::{on_each, runtime};

struct Count(Cell<u32>);

#[test]
fn a_value_is_found_by_its_type() {
    on_each(|| async {
        assert!(local::get::<Count>().is_none());
        let first = local::get_or_insert_with(|| Count(Cell::new(1)));
        let again = local::get_or_insert_with::<Count>(|| unreachable!("it is there"));
        assert!(Rc::ptr_eq(&first, &again));
        let seen = task::spawn(async { local::get::<Count>().map(|count| count.0.get()) }).await;
        assert_eq!(seen, Ok(Some(1)));
        let before = local::insert(Rc::new(Count(Cell::new(2)))).expect("the first");
        assert!(Rc::ptr_eq(&first, &before));
        assert_eq!(local::remove::<Count>().map(|count| count.0.get()), Some(2));
        assert!(local::remove::<Count>().is_none());
    });
}

#[test]
fn outside_a_runtime_there_is_nothing() {
    assert!(local::get::<Count>().is_none());
    assert!(local::remove::<Count>().is_none());
    let put = std::panic::catch_unwind(|| local::insert(Rc::new(Count(Cell::new(0)))).is_none());
    assert!(put.is_err(), "nowhere to put it");
}

/// Notes its drop, and what it still found.
struct Last(Rc<RefCell<Vec<String>>>);

impl Drop for Last {
    fn drop(&mut self) {
        let found = local::get::<Count>().is_some();
        self.0.borrow_mut().push(format!("task saw {found}"));
    }
}

struct Older(Rc<RefCell<Vec<String>>>);

impl Drop for Older {
    fn drop(&mut self) {
        self.0.borrow_mut().push("older".to_owned());
    }
}

struct Younger(Rc<RefCell<Vec<String>>>);

impl Drop for Younger {
    fn drop(&mut self) {
        let shard = corelane_rt::shard();
        self.0.borrow_mut().push(format!("younger in {shard}"));
        // A value that comes this late is dropped all the same.
        local::insert(Rc::new(Older(self.0.clone())));
    }
}

#[test]
fn values_end_with_their_runtime_after_its_tasks_the_youngest_first() {
    let log: Rc<RefCell<Vec<String>>> = Rc::default();
    let fill = |log: &Rc<RefCell<Vec<String>>>| {
        local::insert(Rc::new(Count(Cell::new(0))));
        local::insert(Rc::new(Older(log.clone())));
        local::insert(Rc::new(Younger(log.clone())));
        let last = Last(log.clone());
        drop(task::spawn(async move {
            let _last = last;
            std::future::pending::<()>().await;
        }));
    };
    let want = ["task saw true", "younger in 0", "older", "older"];
    let real = runtime(IoBackend::Auto);
    real.block_on(async { fill(&log) });
    drop(real);
    assert_eq!(log.take(), want);
    let world = World::new(1, WorldOptions::default());
    let shard = world.shard(0, "a");
    world.enter(shard, || fill(&log));
    world.crash(&[shard]);
    assert_eq!(log.take(), want);
}

#[test]
fn simulated_runtimes_of_one_thread_have_their_own() {
    let world = World::new(7, WorldOptions::default());
    let shards = [world.shard(0, "a"), world.shard(1, "b")];
    for (number, shard) in shards.into_iter().enumerate() {
        world.enter(shard, || {
            assert!(local::get::<Count>().is_none());
            local::insert(Rc::new(Count(Cell::new(number as u32))));
        });
    }
    for (number, shard) in shards.into_iter().enumerate() {
        let seen = world.block_on(shard, async {
            task::yield_now().await;
            local::get::<Count>().map(|count| count.0.get())
        });
        assert_eq!(seen.expect("no deadlock"), Some(number as u32));
    }
}
