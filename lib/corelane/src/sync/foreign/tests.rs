//! Values that stay at home: where and how often they are dropped.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use corelane_rt::sim::{World, WorldOptions};
use corelane_rt::{Runtime, RuntimeOptions, time};

use super::*;

#[derive(Debug)]
/// Not `Send`; says where it was dropped.
struct Local {
    log: Rc<RefCell<Vec<(u16, u32)>>>,
    number: u32,
}

impl Drop for Local {
    fn drop(&mut self) {
        self.log.borrow_mut().push((shard(), self.number));
        assert_ne!(self.number, 13, "bad luck");
    }
}

#[test]
fn it_is_send_whatever_it_stands_for() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Foreign<Rc<Cell<u8>>>>();
}

#[test]
fn values_are_dropped_at_home_once_each() {
    for seed in 0..100 {
        let options = WorldOptions {
            fail_on_panic: false,
            ..WorldOptions::default()
        };
        let world = World::new(seed, options);
        let (home, abroad) = (world.shard(0, "home"), world.shard(1, "abroad"));
        let log: Rc<RefCell<Vec<(u16, u32)>>> = Rc::default();
        let made = log.clone();
        let values = world.block_on(home, async move {
            (0..40)
                .map(|number| {
                    Foreign::new(Local {
                        log: made.clone(),
                        number,
                    })
                })
                .collect::<Vec<_>>()
        });
        let values = values.expect("no deadlock");
        let travel = world.block_on(abroad, async move {
            for foreign in values {
                assert_eq!(foreign.get().err(), Some(NotHome { home: 0 }));
                let foreign = foreign.take().expect_err("only at home");
                drop(foreign);
                if corelane_rt::random::below(4) == 0 {
                    time::sleep(Duration::from_micros(30)).await;
                }
            }
        });
        travel.expect("no deadlock");
        world
            .run_for(Duration::from_millis(5))
            .expect("no deadlock");
        let mut log = log.take();
        log.sort_unstable();
        assert!(
            log.iter().copied().eq((0..40).map(|number| (0, number))),
            "seed {seed}: {log:?}"
        );
    }
}

#[test]
fn at_home_it_gives_its_value() {
    let world = World::new(1, WorldOptions::default());
    let home = world.shard(3, "home");
    let log: Rc<RefCell<Vec<(u16, u32)>>> = Rc::default();
    world.enter(home, || {
        let new = |number| {
            Foreign::new(Local {
                log: log.clone(),
                number,
            })
        };
        let first = new(1);
        assert!(first.is_home());
        assert_eq!(first.home(), ShardId::new(3));
        assert_eq!(first.get().expect("at home").number, 1);
        let taken = first.take().expect("at home");
        assert!(log.borrow().is_empty());
        drop(taken);
        drop(new(2));
        assert_eq!(*log.borrow(), [(3, 1), (3, 2)], "dropped at once");
    });
}

#[test]
fn the_end_of_its_home_ends_a_value_and_not_who_stands_for_it() {
    let world = World::new(1, WorldOptions::default());
    let home = world.shard(0, "home");
    let log: Rc<RefCell<Vec<(u16, u32)>>> = Rc::default();
    let foreign = world.enter(home, || {
        Foreign::new(Local {
            log: log.clone(),
            number: 7,
        })
    });
    world.crash(&[home]);
    assert_eq!(*log.borrow(), [(0, 7)]);
    // The shard that stands there now is another one.
    let foreign = world.enter(home, || foreign.take()).expect_err("gone");
    drop(foreign);
    assert_eq!(log.borrow().len(), 1);
}

#[test]
fn it_comes_home_from_other_threads() {
    let (send, receive) = mpsc::channel::<Foreign<Rc<Cell<u32>>>>();
    let abroad = thread::spawn(move || {
        for foreign in receive {
            assert!(!foreign.is_home());
        }
    });
    let runtime = Runtime::new(&RuntimeOptions::default()).expect("a runtime");
    runtime.block_on(async {
        let value = Rc::new(Cell::new(0));
        for _ in 0..2_000 {
            send.send(Foreign::new(value.clone()))
                .expect("the other thread listens");
        }
        let all_home = async {
            while Rc::strong_count(&value) > 1 {
                time::sleep(Duration::from_micros(100)).await;
            }
        };
        let waited = time::timeout(Duration::from_secs(20), all_home).await;
        waited.expect("some never came home");
        drop(send);
    });
    abroad.join().expect("join");
}
