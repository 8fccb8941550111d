//! Rows as Redis 7.0.15 gives them, and the search for keys.

use super::*;
use crate::args::{Args, Span};
use crate::frame::{Decoder, Value};
use crate::reply::{Proto, Reply};

const RW_DELETE: KeyFlags = KeyFlags::of(&[KeyFlags::RW, KeyFlags::ACCESS, KeyFlags::DELETE]);

static RENAME: CommandSpec = CommandSpec {
    name: "rename",
    arity: 3,
    flags: Flags::WRITE,
    categories: Categories::KEYSPACE,
    keys: &[
        KeySpec::at(1).flags(RW_DELETE),
        KeySpec::at(2).flags(KeyFlags::of(&[KeyFlags::OW, KeyFlags::UPDATE])),
    ],
    ..CommandSpec::BASE
};

static MSET: CommandSpec = CommandSpec {
    name: "mset",
    arity: -3,
    flags: Flags::of(&[Flags::WRITE, Flags::DENYOOM]),
    keys: &[KeySpec::range(1, -1, 2).flags(KeyFlags::of(&[KeyFlags::OW, KeyFlags::UPDATE]))],
    group: Group::String,
    tips: &[
        "request_policy:multi_shard",
        "response_policy:all_succeeded",
    ],
    ..CommandSpec::BASE
};

static EVAL: CommandSpec = CommandSpec {
    name: "eval",
    arity: -3,
    flags: Flags::of(&[
        Flags::NOSCRIPT,
        Flags::STALE,
        Flags::SKIP_MONITOR,
        Flags::NO_MANDATORY_KEYS,
    ]),
    keys: &[KeySpec::counted(2, 3).flags(KeyFlags::RW).notes("a remark")],
    group: Group::Scripting,
    ..CommandSpec::BASE
};

static MIGRATE: CommandSpec = CommandSpec {
    name: "migrate",
    arity: -6,
    flags: Flags::WRITE,
    keys: &[
        KeySpec::at(3).flags(RW_DELETE),
        KeySpec::new(
            Begin::Keyword {
                word: "KEYS",
                from: -2,
            },
            Find::Range {
                last: -1,
                step: 1,
                limit: 0,
            },
        )
        .flags(RW_DELETE.with(KeyFlags::INCOMPLETE)),
    ],
    ..CommandSpec::BASE
};

static XREAD: CommandSpec = CommandSpec {
    name: "xread",
    arity: -4,
    keys: &[KeySpec::new(
        Begin::Keyword {
            word: "STREAMS",
            from: 1,
        },
        Find::Range {
            last: -1,
            step: 1,
            limit: 2,
        },
    )],
    ..CommandSpec::BASE
};

static SORT: CommandSpec = CommandSpec {
    name: "sort",
    arity: -2,
    keys: &[KeySpec::at(1), KeySpec::new(Begin::Unknown, Find::Unknown)],
    ..CommandSpec::BASE
};

static SPUBLISH: CommandSpec = CommandSpec {
    name: "spublish",
    arity: 3,
    keys: &[KeySpec::at(1).flags(KeyFlags::NOT_KEY)],
    ..CommandSpec::BASE
};

static PING: CommandSpec = CommandSpec {
    name: "ping",
    group: Group::Connection,
    ..CommandSpec::BASE
};

static MEMORY: CommandSpec = CommandSpec {
    name: "memory",
    arity: -2,
    container: true,
    group: Group::Server,
    ..CommandSpec::BASE
};

static MEMORY_USAGE: CommandSpec = CommandSpec {
    name: "usage",
    parent: Some("memory"),
    arity: -3,
    flags: Flags::READONLY,
    keys: &[KeySpec::at(2).flags(KeyFlags::RO)],
    group: Group::Server,
    since: "4.0.0",
    summary: "Say how much",
    complexity: "O(N)",
    args: &[
        Arg::key("key", 0),
        Arg::one_of(
            "how",
            &[
                Arg::integer("count").token("SAMPLES"),
                Arg::word("all", "ALL").since("9.0.0"),
            ],
        )
        .optional(),
        Arg::block(
            "pair",
            &[
                Arg::string("a"),
                Arg::pattern("b"),
                Arg::double("c"),
                Arg::unix_time("d"),
            ],
        )
        .multiple_token(),
    ],
    history: &[("7.0.0", "Said more")],
    deprecated: Some(Deprecated {
        since: "9.0.0",
        replaced_by: "asking",
    }),
    ..CommandSpec::BASE
};

/// A request's arguments out of words.
fn with_args<T>(words: &str, f: impl FnOnce(&Args<'_>) -> T) -> T {
    let mut spans = Vec::new();
    let mut start = 0;
    for word in words.split(' ') {
        spans.push(Span {
            start,
            end: start + word.len() as u32,
        });
        start += word.len() as u32 + 1;
    }
    f(&Args::new(words.as_bytes(), &spans))
}

fn written(proto: Proto, write: impl FnOnce(&mut Reply<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Reply::new(&mut out, proto));
    let whole = Decoder::new()
        .decode(&out)
        .expect("a valid reply")
        .expect("a whole reply");
    assert_eq!(whole.1, out.len(), "one reply");
    String::from_utf8(out).expect("text").replace("\r\n", " ")
}

#[test]
fn info_rows() {
    let row = |spec: &CommandSpec, proto| written(proto, |reply| spec.write_info([], reply));
    let key_at = |at| {
        format!(
            "$12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :{at} $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey "
        )
    };
    let first = key_at(1);
    let second = key_at(2);
    assert_eq!(
        row(&RENAME, Proto::Resp3),
        format!(
            "*10 $6 rename :3 ~1 +write :1 :2 :1 ~3 +@keyspace +@write +@slow ~0 ~2 \
             %3 $5 flags ~3 +RW +access +delete {first}:0 $7 keystep :1 $5 limit :0 \
             %3 $5 flags ~2 +OW +update {second}:0 $7 keystep :1 $5 limit :0 ~0 "
        )
    );
    let first = first
        .replace("%2", "*4")
        .replace("%1", "*2")
        .replace("%3", "*6");
    assert_eq!(
        row(&MSET, Proto::Resp2),
        format!(
            "*10 $4 mset :-3 *2 +write +denyoom :1 :-1 :2 *3 +@write +@string +@slow \
             *2 $26 request_policy:multi_shard $29 response_policy:all_succeeded *1 \
             *6 $5 flags *2 +OW +update {first}:-1 $7 keystep :2 $5 limit :0 *0 "
        )
    );
    assert_eq!(
        row(&EVAL, Proto::Resp3),
        "*10 $4 eval :-3 ~5 +noscript +stale +skip_monitor +no_mandatory_keys +movablekeys :0 :0 :0 ~2 +@slow +@scripting \
         ~0 ~1 %4 $5 notes $8 a remark $5 flags ~1 +RW $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :2 \
         $9 find_keys %2 $4 type $6 keynum $4 spec %3 $9 keynumidx :0 $8 firstkey :1 $7 keystep :1 ~0 "
    );
    assert!(row(&MIGRATE, Proto::Resp2).contains(
        "*6 $5 flags *4 +RW +access +delete +incomplete $12 begin_search *4 $4 type $7 keyword $4 spec *4 \
         $7 keyword $4 KEYS $9 startfrom :-2 $9 find_keys *4 $4 type $5 range "
    ));
    assert!(row(&SORT, Proto::Resp3).contains(
        "%3 $5 flags ~0 $12 begin_search %2 $4 type $7 unknown $4 spec %0 $9 find_keys %2 $4 type $7 unknown $4 spec %0 "
    ));
    assert_eq!(
        row(&PING, Proto::Resp3),
        "*10 $4 ping :-1 ~0 :0 :0 :0 ~2 +@slow +@connection ~0 ~0 ~0 "
    );
    let container = written(Proto::Resp3, |reply| {
        MEMORY.write_info([&MEMORY_USAGE], reply)
    });
    let subcommand = row(&MEMORY_USAGE, Proto::Resp3);
    assert_eq!(
        container,
        format!("*10 $6 memory :-2 ~0 :0 :0 :0 ~1 +@slow ~0 ~0 *1 {subcommand}")
    );
    assert!(
        subcommand.starts_with("*10 $12 memory|usage :-3 "),
        "{subcommand}"
    );
}

#[test]
fn covering_ranges() {
    let check = |spec: &CommandSpec, range: (i32, i32, i32), movable| {
        let KeyRange { first, last, step } = spec.key_range();
        assert_eq!((first, last, step), range, "{}", spec.name);
        assert_eq!(
            spec.all_flags().has(Flags::MOVABLEKEYS),
            movable,
            "{}",
            spec.name
        );
    };
    check(&PING, (0, 0, 0), false);
    check(&RENAME, (1, 2, 1), false);
    check(&MSET, (1, -1, 2), false);
    check(&EVAL, (0, 0, 0), true);
    check(&MIGRATE, (3, 3, 1), true);
    check(&XREAD, (0, 0, 0), true);
    check(&SORT, (1, 1, 1), true);
}

#[test]
fn docs() {
    let docs = written(Proto::Resp2, |reply| MEMORY_USAGE.write_docs([], reply));
    let expected = "*18 $7 summary $12 Say how much $5 since $5 4.0.0 $5 group $6 server $10 complexity $4 O(N) \
         $9 doc_flags *1 +deprecated $16 deprecated_since $5 9.0.0 $11 replaced_by $6 asking \
         $7 history *1 *2 $5 7.0.0 $9 Said more $9 arguments *3 \
         *6 $4 name $3 key $4 type $3 key $14 key_spec_index :0 \
         *8 $4 name $3 how $4 type $5 oneof $5 flags *1 +optional $9 arguments *2 \
         *6 $4 name $5 count $4 type $7 integer $5 token $7 SAMPLES \
         *8 $4 name $3 all $4 type $10 pure-token $5 token $3 ALL $5 since $5 9.0.0 \
         *8 $4 name $4 pair $4 type $5 block $5 flags *2 +multiple +multiple_token $9 arguments *4 \
         *4 $4 name $1 a $4 type $6 string *4 $4 name $1 b $4 type $7 pattern \
         *4 $4 name $1 c $4 type $6 double *4 $4 name $1 d $4 type $9 unix-time ";
    assert_eq!(docs, expected);
    let container = written(Proto::Resp3, |reply| {
        MEMORY.write_docs([&MEMORY_USAGE], reply)
    });
    let subcommand = written(Proto::Resp3, |reply| MEMORY_USAGE.write_docs([], reply));
    let expected = format!(
        "%3 $5 since $5 1.0.0 $5 group $6 server $11 subcommands %1 $12 memory|usage {subcommand}"
    );
    assert_eq!(container, expected);
    assert!(
        subcommand.starts_with("%9 ") && subcommand.contains(" $7 history ~1 *2 "),
        "{subcommand}"
    );
}

#[test]
fn keys_in_requests() {
    let check = |spec: &CommandSpec, words: &str, expected: Result<&[usize], NoKeys>| {
        let mut found = Vec::new();
        let outcome = with_args(words, |args| spec.key_positions(args, |at| found.push(at)));
        assert_eq!(outcome.map(|()| found.as_slice()), expected, "{words}");
        let first = with_args(words, |args| spec.first_key(args));
        if let Ok(keys) = expected {
            assert_eq!(first, keys.first().copied(), "{words}");
        }
    };
    check(&PING, "ping a", Ok(&[]));
    check(&RENAME, "rename a b", Ok(&[1, 2]));
    check(&RENAME, "rename a", Err(NoKeys));
    check(&MSET, "mset a 1 b 2", Ok(&[1, 3]));
    check(&MSET, "mset a 1 b", Ok(&[1, 3]));
    check(&MSET, "mset", Err(NoKeys));
    check(&EVAL, "eval x 2 a b c", Ok(&[3, 4]));
    check(&EVAL, "eval x 0 a", Err(NoKeys));
    check(&EVAL, "eval x 2 a", Err(NoKeys));
    check(&EVAL, "eval x -1 a", Err(NoKeys));
    check(&EVAL, "eval x many a", Err(NoKeys));
    check(&EVAL, "eval x 9223372036854775807 a", Err(NoKeys));
    check(&EVAL, "eval x", Err(NoKeys));
    check(&MIGRATE, "migrate h p k 0 9", Ok(&[3]));
    check(&MIGRATE, "migrate h p  0 9 keys a b", Err(NoKeys));
    check(&XREAD, "xread count 1 streams a b 0 0", Ok(&[4, 5]));
    check(&XREAD, "xread count 1 streams", Ok(&[]));
    check(&SORT, "sort k", Err(NoKeys));
    assert_eq!(with_args("sort k", |args| SORT.first_key(args)), Some(1));
    assert_eq!(with_args("rename", |args| RENAME.first_key(args)), None);
    check(&SPUBLISH, "other", Ok(&[]));
    assert_eq!(
        with_args("spublish c m", |args| SPUBLISH.first_key(args)),
        Some(1)
    );
}

#[test]
fn getkeys() {
    let check = |spec: &CommandSpec, words: &str, expected: &str| {
        let keys = written(Proto::Resp2, |reply| {
            with_args(words, |args| spec.write_keys(args, reply))
        });
        assert_eq!(keys, expected, "{words}");
    };
    check(&MSET, "mset a 1 b 2", "*2 $1 a $1 b ");
    check(&EVAL, "eval x 3 a b c d", "*3 $1 a $1 b $1 c ");
    check(&EVAL, "eval x 0", "*0 ");
    check(&PING, "ping a", "-ERR The command has no key arguments ");
    check(
        &SPUBLISH,
        "spublish a b",
        "-ERR The command has no key arguments ",
    );
    check(
        &MSET,
        "mset a",
        "-ERR Invalid number of arguments specified for command ",
    );
    check(
        &XREAD,
        "xread a b c",
        "-ERR Invalid arguments specified for command ",
    );
}

#[test]
fn arity() {
    assert!(RENAME.arity_ok(3) && !RENAME.arity_ok(2) && !RENAME.arity_ok(4));
    assert!(MSET.arity_ok(3) && MSET.arity_ok(100) && !MSET.arity_ok(2));
}

#[test]
fn names() {
    assert_eq!(RENAME.full_name(), "rename");
    assert_eq!(MEMORY_USAGE.full_name(), "memory|usage");
    assert_eq!(
        Categories::by_name(b"SortedSet"),
        Some(Categories::SORTEDSET)
    );
    assert_eq!(Categories::by_name(b"nosuch"), None);
    assert_eq!(Categories::all_names().count(), 21);
    let value = written(Proto::Resp3, |reply| MEMORY_USAGE.write_info([], reply));
    assert!(value.contains("+@read"), "{value}");
}

#[test]
fn rows_have_ten_elements() {
    for spec in [
        &RENAME, &MSET, &EVAL, &MIGRATE, &XREAD, &SORT, &PING, &MEMORY,
    ] {
        let mut out = Vec::new();
        spec.write_info([], &mut Reply::new(&mut out, Proto::Resp3));
        let Ok(Some((Value::Array(row), _))) = Decoder::new().decode(&out) else {
            panic!("{}", spec.name)
        };
        assert_eq!(row.len(), 10, "{}", spec.name);
    }
}
