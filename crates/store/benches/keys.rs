//! What a key costs: memory, the longest insert while tables grow, and time per operation.
//!
//! `cargo bench -p corelane-store --bench keys` prints it all in about two minutes and takes 1 GB of
//! memory at its highest; `-- memory`, `-- growth`, `-- slices` or `-- speed` prints one part. Keys are 16 bytes,
//! values 64. Each row runs in a process of its own, so that it finds the allocator as a server does.
//! Times are the thread's processor time, page faults included: what else the machine does does not
//! count.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

use corelane_store::{Expire, Key, Keyspace, Prior};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 42;
const MILLION: u64 = 1_000_000;

/// The parts, each with its rows: what a process of its own is asked to print.
const PARTS: [(&str, &[&str]); 4] = [
    (
        "memory",
        &["spread", "tag", "safe-one-block", "safe-two-blocks"],
    ),
    ("growth", &["noise", "spread", "tag"]),
    ("slices", &["spread", "tag"]),
    ("speed", &["1", "8"]),
];

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [ROW, part, row] => print_row(part, row),
        wanted => {
            for (part, rows) in PARTS {
                if wanted.is_empty() || wanted.contains(&part) {
                    print_header(part);
                    rows.iter().for_each(|row| run_row(part, row));
                }
            }
        }
    }
}

/// First argument of a process that prints one row.
const ROW: &str = "row";

const TIME_COLUMNS: &str = "     p50   p99.9  p99.99 p99.999      max  >1 ms";

fn print_header(part: &str) {
    println!();
    match part {
        "memory" => {
            println!("memory, RSS bytes per key    1M      2M      3M      4M      6M      8M")
        }
        "growth" => println!("µs per insert, 2M to 8M keys{TIME_COLUMNS}"),
        "slices" => println!("µs per slice, 8M keys       {TIME_COLUMNS}"),
        _ => {
            println!("ns per operation; slot and hash of the key included except in their own rows")
        }
    }
}

/// Runs one row in a process of its own.
fn run_row(part: &str, row: &str) {
    let bench = std::env::current_exe().expect("this program has a path");
    let status = std::process::Command::new(bench)
        .args([ROW, part, row])
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{part} {row} failed"
    );
}

fn print_row(part: &str, row: &str) {
    match (part, row) {
        ("memory", _) => memory(row),
        ("growth", _) => growth(row),
        ("slices", _) => slices(row == "tag"),
        _ => speed(row.parse::<u64>().expect("millions of keys") * MILLION),
    }
}

/// A key's name of 16 bytes; all in one slot if `tag`.
fn name_of(i: u64, tag: bool) -> [u8; 16] {
    let mut name = if tag {
        *b"{t}0000000000000"
    } else {
        *b"key:000000000000"
    };
    let (mut rest, mut at) = (i, 16);
    while rest > 0 {
        at -= 1;
        name[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name
}

fn set(space: &mut Keyspace, i: u64, tag: bool) {
    let name = name_of(i, tag);
    let key = space.key(&name, None);
    space.set_bytes(0, &key, &[b'v'; 64], Expire::Clear, 0);
}

// Memory.

const MEMORY_POINTS: [u64; 6] = [1, 2, 3, 4, 6, 8];

fn memory(row: &str) {
    let mut figures = String::new();
    let mut measure = |add: &mut dyn FnMut(u64)| {
        let (before, mut keys) = (rss_bytes(), 0);
        for point in MEMORY_POINTS {
            (keys..point * MILLION).for_each(&mut *add);
            keys = point * MILLION;
            let bytes = (rss_bytes() - before) as f64 / keys as f64;
            figures.push_str(&format!("{bytes:>8.1}"));
        }
    };
    match row {
        "safe-one-block" => {
            let mut set =
                std::collections::HashSet::with_hasher(foldhash::quality::FixedState::default());
            measure(&mut |i| {
                set.insert(OneBlock::new(&name_of(i, false), &[b'v'; 64]));
            });
        }
        "safe-two-blocks" => {
            let mut map = TwoBlocks::default();
            measure(&mut |i| {
                map.insert(Box::from(name_of(i, false)), Box::from([b'v'; 64]));
            });
        }
        _ => {
            let mut space = Keyspace::new(16, SEED);
            measure(&mut |i| set(&mut space, i, row == "tag"));
            let counted = space.used_bytes() as f64 / space.len(0) as f64;
            figures.push_str(&format!("   (counted: {counted:.1})"));
        }
    }
    println!("  {row:<22}{figures}");
}

/// The plain way to keep keys and values.
type TwoBlocks = std::collections::HashMap<Box<[u8]>, Box<[u8]>, foldhash::quality::FixedState>;

/// What an entry would be without unsafe code: a fat pointer to one block.
struct OneBlock(Box<[u8]>);

impl OneBlock {
    fn new(key: &[u8], value: &[u8]) -> Self {
        let meta = [0; 4];
        let (key_len, val_len) = (key.len() as u32, value.len() as u32);
        Self(
            [
                &meta[..],
                &key_len.to_le_bytes(),
                &val_len.to_le_bytes(),
                key,
                value,
            ]
            .concat()
            .into(),
        )
    }

    fn key(&self) -> &[u8] {
        let len = u32::from_le_bytes(self.0[4..8].try_into().expect("four bytes"));
        &self.0[12..12 + len as usize]
    }
}

impl PartialEq for OneBlock {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for OneBlock {}

impl std::hash::Hash for OneBlock {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Resident memory of this process.
fn rss_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("resident pages");
    pages * 4096
}

/// Processor time of this thread.
fn cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

// Growth.

fn growth(row: &str) {
    let mut times = Vec::with_capacity(6 * MILLION as usize);
    let mut time = |act: &mut dyn FnMut()| {
        let start = cpu_ns();
        act();
        times.push((cpu_ns() - start) as u32);
    };
    if row == "noise" {
        // What measuring adds, and the machine does to who does next to nothing.
        for _ in 0..600 {
            (0..10_000).for_each(|i| time(&mut || _ = black_box(name_of(i, false))));
        }
    } else {
        let mut space = Keyspace::new(16, SEED);
        (0..2 * MILLION).for_each(|i| set(&mut space, i, row == "tag"));
        (2 * MILLION..8 * MILLION).for_each(|i| time(&mut || set(&mut space, i, row == "tag")));
    }
    print_times(row, times);
}

fn print_times(row: &str, mut times: Vec<u32>) {
    times.sort_unstable();
    let at = |share: f64| f64::from(times[(times.len() as f64 * share) as usize]) / 1000.0;
    let max = f64::from(times[times.len() - 1]) / 1000.0;
    let over = times.iter().filter(|ns| **ns > 1_000_000).count();
    println!(
        "  {row:<26}{:>8.1}{:>8.1}{:>8.1}{:>8.1}{max:>9.1}{over:>7}",
        at(0.5),
        at(0.999),
        at(0.9999),
        at(0.99999),
    );
}

// Slices of background work.

fn slices(tag: bool) {
    let mut space = Keyspace::new(16, SEED);
    for i in 0..8 * MILLION {
        let name = name_of(i, tag);
        let expire = if i % 2 == 0 {
            Expire::At(1)
        } else {
            Expire::Clear
        };
        let key = space.key(&name, None);
        space.set_bytes(0, &key, &[b'v'; 64], expire, 0);
    }
    let place = if tag { "tag" } else { "spread" };
    let mut rng = fastrand::Rng::with_seed(1);
    let mut cursor = 0;
    time_slices(&format!("SCAN 10, {place}"), &mut || {
        cursor = space.scan(0, cursor, 10, 0, &mut Vec::new(), |value| {
            _ = black_box(value)
        });
        cursor != 0
    });
    let mut tries = 0;
    time_slices(&format!("RANDOMKEY, {place}"), &mut || {
        black_box(space.random(0, &mut rng, 0).is_some());
        tries += 1;
        tries < 100_000
    });
    time_slices(&format!("expire 100, {place}"), &mut || {
        let slice = space.expire_slice(2, 100, |_, name| _ = black_box(name));
        slice.removed > 0
    });
    time_slices(&format!("SWAPDB, {place}"), &mut || {
        space.swap(0, 1);
        false
    });
    time_slices(&format!("FLUSHDB, {place}"), &mut || {
        space.clear(1);
        false
    });
    time_slices(&format!("free 500, {place}"), &mut || space.housekeep(500));
    assert_eq!(space.used_bytes(), 0);
}

/// Repeats `slice` until it says that there is no more to do.
fn time_slices(label: &str, slice: &mut dyn FnMut() -> bool) {
    let mut times = Vec::new();
    let mut more = true;
    while more {
        let start = cpu_ns();
        more = slice();
        times.push((cpu_ns() - start) as u32);
    }
    print_times(label, times);
}

// Speed.

/// Operations per figure.
const OPS: usize = 2_000_000;
/// Keys of the hot set.
const HOT: u64 = 1000;

fn speed(keys: u64) {
    let mut space = Keyspace::new(16, SEED);
    (0..keys).for_each(|i| set(&mut space, i, false));
    println!(
        "  {}M keys                 hot 1000      all",
        keys / MILLION
    );
    let mut row = |label: &str, act: &mut dyn FnMut(&mut Keyspace, &[[u8; 16]])| {
        let figures = [HOT, keys].map(|range| {
            let mut rng = fastrand::Rng::with_seed(1);
            let names: Vec<_> = (0..OPS).map(|_| name_of(rng.u64(..range), false)).collect();
            let runs = (0..3).map(|_| {
                let start = cpu_ns();
                act(&mut space, &names);
                (cpu_ns() - start) as f64 / OPS as f64
            });
            runs.fold(f64::INFINITY, f64::min)
        });
        println!("    {label:<22}{:>9.1}{:>9.1}", figures[0], figures[1]);
    };
    row("slot", &mut |_, names| {
        names
            .iter()
            .for_each(|name| _ = black_box(corelane_wire::slot_of(name)));
    });
    row("hash", &mut |space, names| {
        names
            .iter()
            .for_each(|name| _ = black_box(space.key(name, Some(0))));
    });
    row("GET hit", &mut |space, names| {
        names.iter().for_each(|name| get(space, name))
    });
    for batch in [4, 16, 64] {
        row(
            &format!("GET hit, fetched by {batch}"),
            &mut |space, names| {
                names
                    .chunks(batch)
                    .for_each(|names| get_fetched(space, names));
            },
        );
    }
    row("GET miss", &mut |space, names| {
        for name in names {
            let mut name = *name;
            name[0] = b'K';
            let key = space.key(&name, None);
            black_box(space.get(0, &key, 0).is_some());
        }
    });
    row("SET 64 B over 64 B", &mut |space, names| {
        names.iter().for_each(|name| put(space, name))
    });
    row("SET, fetched by 16", &mut |space, names| {
        for names in names.chunks(16) {
            let keys = fetched(space, names);
            for key in &keys[..names.len()] {
                space.set_bytes(0, key, &[b'w'; 64], Expire::Clear, 0);
            }
        }
    });
    row("DEL and SET", &mut |space, names| {
        for name in names {
            let key = space.key(name, None);
            assert_eq!(space.remove(0, &key, 0), Prior::Live);
            space.set_bytes(0, &key, &[b'v'; 64], Expire::Clear, 0);
        }
    });
    row("SET with expiry", &mut |space, names| {
        for name in names {
            let key = space.key(name, None);
            space.set_bytes(0, &key, &[b'v'; 64], Expire::At(1), 0);
        }
    });
    row("SET an integer", &mut |space, names| {
        for name in names {
            let key = space.key(name, None);
            space.set_bytes(0, &key, b"12345", Expire::Clear, 0);
        }
    });
}

fn get(space: &mut Keyspace, name: &[u8]) {
    let key = space.key(name, None);
    read(space, &key);
}

/// Reads a value as a reply would.
fn read(space: &mut Keyspace, key: &Key<'_>) {
    let value = space.get(0, key, 0).expect("all keys are there");
    let mut reply = [0; 64];
    let mut digits = itoa::Buffer::new();
    let bytes = value.string().bytes(&mut digits);
    reply[..bytes.len()].copy_from_slice(bytes);
    black_box(&reply);
}

fn put(space: &mut Keyspace, name: &[u8]) {
    let key = space.key(name, None);
    space.set_bytes(0, &key, &[b'w'; 64], Expire::Clear, 0);
}

/// A pipeline's keys: all buckets are fetched, then all entries, then the commands run.
fn get_fetched(space: &mut Keyspace, names: &[[u8; 16]]) {
    let keys = fetched(space, names);
    keys[..names.len()].iter().for_each(|key| read(space, key));
}

fn fetched<'n>(space: &Keyspace, names: &'n [[u8; 16]]) -> [Key<'n>; 64] {
    let mut keys = [space.key(&names[0], Some(0)); 64];
    for (key, name) in keys.iter_mut().zip(names) {
        *key = space.key(name, None);
        space.prefetch(0, key);
    }
    keys[..names.len()]
        .iter()
        .for_each(|key| space.prefetch_entry(0, key));
    keys
}
