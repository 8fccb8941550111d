//! What watchers are told: the events of Redis's keyspace notifications, in their order.

use crate::commands::testing::{Bench, split};

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let mut bench = Bench::default();
    bench.touched.set_wanted(true);
    for (line, expected) in rows {
        let words = split(line);
        if bench.control(&words) {
            continue;
        }
        bench.touched.clear();
        bench.run(&words);
        let events = bench.touched.iter().map(|touched| {
            let key = touched.key.escape_ascii();
            let place = if touched.db == 0 {
                String::new()
            } else {
                format!("{}:", touched.db)
            };
            format!("{} {place}{key}", touched.event.name)
        });
        assert_eq!(events.collect::<Vec<_>>().join(", "), *expected, "{line:?}");
    }
}

#[test]
fn strings() {
    check(&[
        ("SET a x", "new a, set a"),
        ("SET a x EX 10", "set a, expire a"),
        ("SET a x NX", ""),
        ("GET a", ""),
        ("GET none", "keymiss none"),
        ("MGET a none", "keymiss none"),
        ("GETEX a PERSIST", "persist a"),
        ("GETEX a PX 10", "expire a"),
        ("ADVANCE 11", ""),
        ("GET a", "expired a, keymiss a"),
        ("SETNX a 1", "new a, set a"),
        ("INCR a", "incrby a"),
        ("INCRBYFLOAT a 1", "incrbyfloat a"),
        ("APPEND a x", "append a"),
        ("SETRANGE a 0 y", "setrange a"),
        ("SETRANGE a 0 ''", ""),
        ("GETSET a 2", "set a"),
        ("GETDEL a", "del a"),
        ("INCR a", "new a, incrby a"),
        ("MSET a 1 b 2", "set a, new b, set b"),
        ("SET b 1 PXAT 1", "set b, expire b"),
        ("SET b 1", "expired b, new b, set b"),
    ]);
}

#[test]
fn keys_of_any_type() {
    check(&[
        ("SET a x", "new a, set a"),
        ("EXPIRE a 10", "expire a"),
        ("PERSIST a", "persist a"),
        ("RENAME a b", "new b, rename_from a, rename_to b"),
        ("COPY b a", "new a, copy_to a"),
        ("COPY b a REPLACE", "copy_to a"),
        ("RENAMENX b c", "new c, rename_from b, rename_to c"),
        ("MOVE c 1", "new 1:c, move_from c, move_to 1:c"),
        ("EXPIRE a -1", "del a"),
        ("EXISTS a", "keymiss a"),
        ("SET a x", "new a, set a"),
        ("DEL a none", "del a"),
        ("FLUSHDB", "flushdb "),
        ("SWAPDB 0 1", "swapdb , swapdb 1:"),
    ]);
}

#[test]
fn nothing_is_kept_for_nobody() {
    let mut bench = Bench::default();
    bench.run(&["SET", "a", "x"]);
    bench.run(&["GET", "none"]);
    assert!(bench.touched.is_empty());
    assert_eq!((bench.touched.changes(), bench.touched.misses()), (1, 1));
}
