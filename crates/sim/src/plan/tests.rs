//! Scenarios are what they should be: varied, in bounds, the same for the same seed.

use std::collections::HashSet;

use corelane_wire::Value;

use super::{Pick, Scenario};

#[test]
fn a_seed_has_one_scenario() {
    let text = |seed| format!("{:?}", Scenario::of(seed));
    assert_eq!(text(5), text(5));
    let distinct: HashSet<String> = (0..100).map(text).collect();
    assert_eq!(distinct.len(), 100);
}

#[test]
fn scenarios_differ_in_everything() {
    let all: Vec<Scenario> = (0..300).map(Scenario::of).collect();
    for shards in 1..=4 {
        assert!(all.iter().any(|scenario| scenario.shards == shards));
    }
    let share = |what: &str, holds: &dyn Fn(&Scenario) -> bool| {
        let count = all.iter().filter(|scenario| holds(scenario)).count();
        assert!((10..290).contains(&count), "{what}: {count} of 300");
    };
    share("stopped under clients", &|s| s.stop_ns.is_some());
    share("resets", &Scenario::resets);
    share("tiny lanes", &|s| s.lane_capacity == Some(1));
    share("many clients", &|s| s.clients.len() > 8);
    share("one client", &|s| s.clients.len() == 1);
    let text = |s: &Scenario| format!("{s:?}");
    share("flushes", &|s| text(s).contains("Flush"));
    share("kills", &|s| text(s).contains("Kill"));
    share("slow readers", &|s| text(s).contains("Slow("));
    share("vanishing clients", &|s| text(s).contains("Vanish"));
    share("lingering clients", &|s| text(s).contains("Linger"));
}

#[test]
fn objects_get_their_part_of_a_reply() {
    #[track_caller]
    fn check(pick: Pick, reply: Value, expected: Option<Value>) {
        assert_eq!(pick.of(&reply), expected);
    }
    let list = |numbers: &[i64]| Value::Array(numbers.iter().map(|n| Value::Int(*n)).collect());
    let elements = || Pick::Elements {
        at: vec![2, 0],
        of: 3,
    };
    check(elements(), list(&[1, 2, 3]), Some(list(&[3, 1])));
    check(elements(), list(&[1, 2]), Some(list(&[1, 2])));
    let share = || Pick::Share { own: 2, of: 5 };
    check(share(), Value::Int(0), Some(Value::Int(0)));
    check(share(), Value::Int(5), Some(Value::Int(2)));
    check(share(), Value::Int(3), None);
    check(share(), Value::Int(6), Some(Value::Int(6)));
    let pair = (Value::bulk("name"), Value::bulk("7"));
    let both = Value::Array(vec![pair.0.clone(), pair.1.clone()]);
    check(Pick::Setting, both, Some(Value::bulk("7")));
    check(
        Pick::Setting,
        Value::Map(vec![pair]),
        Some(Value::bulk("7")),
    );
    check(Pick::Whole, Value::Null, Some(Value::Null));
}
