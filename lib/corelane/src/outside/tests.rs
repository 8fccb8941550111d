//! What needs no model checker.

use super::Routes;
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
