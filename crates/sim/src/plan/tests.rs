//! Scenarios are what they should be: varied, in bounds, the same for the same seed.

use std::collections::HashSet;

use corelane_wire::Value;

use super::{Pick, Scenario};

#[test]
fn a_seed_has_one_scenario() {
    let text = |seed| format!("{:?}", Scenario::of(seed));
    assert_eq!(text(5), text(5));
    let distinct: HashSet<String> = (0..20).map(text).collect();
    assert_eq!(distinct.len(), 20);
}

#[test]
fn scenarios_differ_in_everything() {
    const SEEDS: usize = 150;
    let all: Vec<(Scenario, String)> = (0..SEEDS as u64)
        .map(Scenario::of)
        .map(|scenario| (scenario.clone(), format!("{scenario:?}")))
        .collect();
    for shards in 1..=4 {
        assert!(all.iter().any(|(scenario, _)| scenario.shards == shards));
    }
    let share = |what: &str, holds: &dyn Fn(&Scenario, &str) -> bool| {
        let count = all
            .iter()
            .filter(|(scenario, text)| holds(scenario, text))
            .count();
        assert!(
            (4..SEEDS - 4).contains(&count),
            "{what}: {count} of {SEEDS}"
        );
    };
    share("stopped under clients", &|s, _| s.stop_ns.is_some());
    share("resets", &|s, _| s.resets());
    share("moving", &|s, _| s.moves);
    share("moving by itself", &|s, _| s.routing == "migrate");
    share("resizing", &|s, _| s.resizes);
    share("growing", &|s, _| s.room > s.shards);
    share("resizing, split", &|s, _| s.resizes && s.io_shards > 0);
    share("pausing", &|s, _| s.world.pauses_per_10k > 0);
    share("split", &|s, _| s.io_shards > 0);
    share("tiny lanes", &|s, _| s.lane_capacity == Some(1));
    share("many clients", &|s, _| s.clients.len() > 8);
    share("one client", &|s, _| s.clients.len() == 1);
    for word in [
        "Flush",
        "Kill",
        "Resize",
        "Slow(",
        "Vanish",
        "Linger",
        "HalfClose",
    ] {
        share(word, &|_, text| text.contains(word));
    }
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
