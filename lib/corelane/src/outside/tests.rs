//! What needs no model checker.

use std::task::{Context, Waker};

use super::{Holds, Routes};
use crate::{ShardId, ShardMap};

#[test]
fn a_freeze_waits_for_what_is_under_way() {
    let routes = Routes::of_map(&ShardMap::even(2));
    assert_eq!(routes.enter(255), Some(ShardId::new(1)));
    routes.freeze(255);
    assert!(!routes.is_drained(255), "one is under way");
    assert_eq!(routes.enter(255), None);
    assert!(!routes.is_drained(255), "who turned back does not count");
    routes.leave(255);
    assert!(routes.is_drained(255));
    routes.enter_held(255, 2);
    routes.thaw(255, ShardId::new(0));
    assert_eq!(routes.enter(255), Some(ShardId::new(0)));
    assert!(!routes.is_drained(255));
    assert_eq!(routes.enter(0), Some(ShardId::new(0)), "others go on");
}

#[test]
fn holds_are_kept_out_while_the_map_is_closed() {
    let (holds, cx) = (Holds::new(), Context::from_waker(Waker::noop()));
    assert!(holds.try_enter() && holds.try_enter());
    holds.close();
    assert!(holds.poll_none_left(&cx).is_pending(), "two live");
    assert!(holds.poll_enter(&cx).is_pending());
    holds.begin_waiting();
    holds.leave();
    holds.leave();
    assert!(holds.poll_none_left(&cx).is_ready());
    assert_eq!(holds.counts(), (0, 1));
    holds.open();
    assert!(holds.poll_all_in(&cx).is_pending(), "one still waits");
    assert!(holds.try_enter());
    holds.end_waiting();
    assert!(holds.poll_all_in(&cx).is_ready());
    assert_eq!(holds.counts(), (1, 0));
}
