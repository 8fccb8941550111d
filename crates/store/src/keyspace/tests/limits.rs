//! Memory: what is counted, what comes back, what the limit sees; and active expiry's pace.

use super::*;
use crate::exec::{Effect, Effects, Touched};
use crate::expiry::expire_slice;

#[test]
fn all_memory_comes_back() {
    let mut space = space();
    for i in 0..5000u32 {
        set(&mut space, 1, format!("{{tag}}{i}").as_bytes(), &[b'v'; 70]);
    }
    let large = space.key(b"large", None);
    space.bytes_mut(1, &large, 1_000_000, 0)[999_999] = 1;
    assert!(space.used_bytes() > 1_000_000 + 5000 * 96);
    for i in 0..5000u32 {
        let name = format!("{{tag}}{i}").into_bytes();
        assert_eq!(space.remove(1, &space.key(&name, None), 0), Prior::Live);
    }
    let large = space.key(b"large", None);
    assert_eq!(space.remove(1, &large, 0), Prior::Live);
    let (left, counts) = (space.used_bytes(), space.counts(1));
    assert_eq!((counts.keys, counts.entry_bytes), (0, 0));
    assert!(left < 10_000, "two partitions' empty table lists: {left}");
    space.clear(1);
    assert_eq!(space.used_bytes(), 0);
}

#[test]
fn a_cleared_database_is_freed_in_slices_and_does_not_count_as_used_up() {
    let mut space = space();
    for i in 0..100_000u32 {
        set(&mut space, 0, format!("key:{i}").as_bytes(), &[b'v'; 64]);
    }
    let full = space.used_bytes();
    assert!(space.over_limit(full - 1) && !space.over_limit(full) && !space.over_limit(0));
    space.clear(0);
    assert_eq!(space.len(0), 0);
    assert!(space.used_bytes() > full / 2, "most waits");
    assert!(!space.over_limit(1));
    set(&mut space, 0, b"new", b"value");
    let (mut slices, mut before) = (0, space.used_bytes());
    while space.housekeep(500) {
        assert!(space.used_bytes() < before);
        before = space.used_bytes();
        slices += 1;
    }
    assert!(slices > 100, "{slices}");
    assert_eq!(
        get(&mut space, 0, b"new", 0).as_deref(),
        Some(&b"value"[..])
    );
    assert_eq!(space.used_bytes(), space.counts(0).bytes());
}

#[test]
fn active_expiry_finds_all_and_leaves_the_rest() {
    let mut space = space();
    for i in 0..20_000u32 {
        let name = format!("key:{i}").into_bytes();
        let expire = if i % 2 == 0 {
            Expire::At(u64::from(i))
        } else {
            Expire::Clear
        };
        space.set_bytes(3, &space.key(&name, None), b"v", expire, 0);
    }
    let (mut effects, mut touched) = (Effects::default(), Touched::default());
    touched.set_wanted(true);
    let (mut removed, mut slices) = (0, 0);
    while removed < 5000 {
        let slice = expire_slice(&mut space, &mut effects, &mut touched, 9_999, 100);
        assert!(slice.examined <= 107);
        removed += slice.removed;
        slices += 1;
        assert!(slices < 1000, "{removed} of 5000 were found");
    }
    assert_eq!(
        (space.len(3), space.volatile(3), space.expired_total()),
        (15_000, 5_000, 5_000)
    );
    assert_eq!(
        (effects.iter().count(), touched.iter().count()),
        (5000, 5000)
    );
    for effect in effects.iter() {
        let Effect::Command { db: 3, args } = effect else {
            panic!("{effect:?}")
        };
        assert_eq!(args.at(0), b"DEL");
        assert!(space.peek(3, &space.key(args.at(1), None), 0).is_none());
    }
    let slice = expire_slice(&mut space, &mut effects, &mut touched, 9_999, 100);
    assert!(!slice.more(), "nothing is left to hurry for: {slice:?}");
    let slice = expire_slice(&mut space, &mut effects, &mut touched, 99_999, 100);
    assert!(slice.more());
}

#[test]
fn one_key_among_many_is_found_by_active_expiry_within_a_slice_or_two() {
    let mut space = space();
    for i in 0..20_000u32 {
        set(&mut space, 0, format!("key:{i}").as_bytes(), b"v");
    }
    let name = b"volatile";
    for round in 1..50u64 {
        let key = space.key(name, None);
        space.set_bytes(2, &key, b"v", Expire::At(round), 0);
        let slices = (1..10).find(|_| space.expire_slice(round, 20, |_, _| {}).removed == 1);
        assert!(slices.is_some_and(|slices| slices <= 2), "{slices:?}");
    }
}

#[test]
fn random_keys_come_from_everywhere_and_are_alive() {
    let mut space = space();
    let mut rng = fastrand::Rng::with_seed(3);
    assert!(space.random(0, &mut rng, 0).is_none());
    for i in 0..100u32 {
        let name = format!("key:{i}").into_bytes();
        let expire = if i < 50 { Expire::At(5) } else { Expire::Clear };
        space.set_bytes(0, &space.key(&name, None), b"v", expire, 0);
    }
    let mut seen = std::collections::HashSet::new();
    for _ in 0..2000 {
        let value = space.random(0, &mut rng, 5).expect("half are alive");
        assert!(!value.is_expired(5));
        seen.insert(value.name().to_vec());
    }
    assert_eq!(seen.len(), 50);
}

#[test]
fn a_partition_may_cross_threads() {
    fn check<T: Send>() {}
    check::<Box<Partition>>();
    check::<Detached>();
    let mut space = space();
    set(&mut space, 0, b"foo", b"bar");
    let partition = space.key(b"foo", None).partition();
    let moved = space.detach(partition).expect("it is here");
    let thread = std::thread::spawn(move || {
        let mut there = Keyspace::holding(4, SEED, |_| false);
        there.attach(partition, moved);
        get(&mut there, 0, b"foo", 0)
    });
    assert_eq!(
        thread.join().expect("no panic").as_deref(),
        Some(&b"bar"[..])
    );
    assert_eq!(get(&mut space, 0, b"foo", 0), None);
    assert_eq!(space.used_bytes(), 0);
}

#[test]
#[should_panic(expected = "is not on this shard")]
fn a_key_sent_to_the_wrong_shard_is_refused() {
    set(
        &mut Keyspace::holding(1, SEED, |_| false),
        0,
        b"foo",
        b"bar",
    );
}

#[test]
fn idle_time_is_counted_from_the_last_use() {
    let mut space = space();
    let key = space.key(b"foo", None);
    space.set_bytes(0, &key, b"bar", Expire::Clear, 10_000);
    let idle = |space: &Keyspace, now_ms| {
        space
            .peek(0, &space.key(b"foo", None), now_ms)
            .map(|value| value.idle_s(now_ms))
    };
    assert_eq!(idle(&space, 25_999), Some(15));
    space.get(0, &space.key(b"foo", None), 26_000);
    assert_eq!(idle(&space, 30_000), Some(4));
}
