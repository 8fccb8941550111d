//! Files on both real backends and in the simulator; what a power failure leaves in the latter.

mod support;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use corelane_rt::fs::{self, AlignedBuf, File, FileKind, OpenOptions};
use corelane_rt::sim::{World, WorldOptions};
use support::on_each;

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// What every backend must do with files below `dir`.
async fn exercise(dir: PathBuf) {
    let deep = dir.join("a/b");
    fs::create_dir_all(&deep).await.expect("create_dir_all");
    fs::create_dir_all(&deep)
        .await
        .expect("create_dir_all, again");
    let path = deep.join("data");
    let missing = File::open(&path, OpenOptions::new().read())
        .await
        .map(|_| ());
    assert_eq!(
        missing.expect_err("no file yet").kind(),
        ErrorKind::NotFound
    );

    let both = OpenOptions::new().read().write().create_new();
    let file = File::open(&path, both).await.expect("create");
    let again = File::open(&path, both).await.map(|_| ());
    assert_eq!(
        again.expect_err("it exists").kind(),
        ErrorKind::AlreadyExists
    );
    assert!(file.is_empty().await.expect("len"));

    let data = pattern(300_000);
    let emptied = file.write_at(data.clone(), 0).await.expect("write");
    assert!(emptied.is_empty() && emptied.capacity() >= data.len());
    file.write_at(b"beyond".to_vec(), 300_010)
        .await
        .expect("write");
    file.sync_data().await.expect("sync");
    assert_eq!(file.len().await.expect("len"), 300_016);
    for (offset, len, want) in [
        (0, 300_000, &data[..]),
        (299_000, 1000, &data[299_000..]),
        (300_000, 10, &[0; 10][..]),
        (300_010, 100, b"beyond"),
        (400_000, 5, b""),
        (7, 0, b""),
    ] {
        let got = file.read_at(vec![9; 3], len, offset).await.expect("read");
        assert!(got == want, "{len} bytes at {offset}: {} came", got.len());
    }

    let other = dir.join("other");
    fs::rename(&path, &other).await.expect("rename");
    fs::sync_dir(&dir).await.expect("sync_dir");
    assert_eq!(fs::read_to_vec(&other).await.expect("read").len(), 300_016);
    fs::remove(&other).await.expect("remove");
    assert_eq!(
        fs::remove(&other).await.expect_err("it is gone").kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        file.read_at(Vec::new(), 6, 300_010)
            .await
            .expect("open files stay"),
        b"beyond"
    );

    let whole = dir.join("whole");
    for text in ["first", "second, longer", "3"] {
        fs::write_atomic(&whole, text.into())
            .await
            .expect("write_atomic");
        assert_eq!(
            fs::read_to_vec(&whole).await.expect("read"),
            text.as_bytes()
        );
    }
    let nowhere = fs::write_atomic(&dir.join("none/x"), Vec::new()).await;
    assert_eq!(
        nowhere.expect_err("no directory").kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn files_on_the_real_backends() {
    on_each(|| async {
        let dir = tempfile::tempdir().expect("a directory");
        exercise(dir.path().to_owned()).await;
        let left: Vec<_> = std::fs::read_dir(dir.path()).expect("list").collect();
        assert_eq!(left.len(), 2, "a/ and whole, nothing else: {left:?}");
    });
}

#[test]
fn files_in_the_simulator() {
    let world = World::new(1, WorldOptions::default());
    let shard = world.shard(0, "files");
    drop(world.spawn_on(shard, exercise(PathBuf::from("/"))));
    world.run().unwrap_or_else(|stuck| panic!("{stuck}"));
}

/// Runs `before` on a shard, fails the power at once, and runs `after`.
fn across_power_failure<T: 'static>(
    seed: u64,
    before: impl Future<Output = ()> + 'static,
    after: impl Future<Output = T> + 'static,
) -> T {
    let world = World::new(seed, WorldOptions::default());
    let shard = world.shard(0, "files");
    world
        .block_on(shard, before)
        .unwrap_or_else(|stuck| panic!("{stuck}"));
    world.lose_power(&[shard]);
    world
        .block_on(shard, after)
        .unwrap_or_else(|stuck| panic!("{stuck}"))
}

#[test]
fn a_power_failure_may_lose_what_was_not_synced() {
    let path = Path::new("log");
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let write = async {
            let file = File::open(path, OpenOptions::new().write().create())
                .await
                .expect("open");
            file.write_at(vec![1; 1024], 0).await.expect("write");
            file.sync_data().await.expect("sync");
            fs::sync_dir(Path::new(".")).await.expect("sync_dir");
            file.write_at(vec![2; 1024], 512).await.expect("write");
        };
        let bytes =
            across_power_failure(seed, write, fs::read_to_vec(path)).expect("a synced file");
        assert!(
            bytes[..512].iter().all(|&byte| byte == 1),
            "synced bytes were lost"
        );
        let sectors: Vec<u8> = bytes.chunks(512).map(|sector| sector[0]).collect();
        assert!(
            bytes
                .chunks(512)
                .all(|sector| sector.iter().all(|&byte| byte == sector[0]))
        );
        seen.insert(sectors);
    }
    let all: BTreeSet<Vec<u8>> = [vec![1, 1], vec![1, 2], vec![1, 1, 2], vec![1, 2, 2]].into();
    assert_eq!(seen, all);
}

#[test]
fn a_name_that_was_not_synced_may_be_lost() {
    let found = |seed, sync: bool| {
        let write = async move {
            let file = File::open(Path::new("new"), OpenOptions::new().write().create())
                .await
                .expect("open");
            file.write_at(b"x".to_vec(), 0).await.expect("write");
            file.sync_data().await.expect("sync");
            if sync {
                fs::sync_dir(Path::new(".")).await.expect("sync_dir");
            }
        };
        across_power_failure(seed, write, fs::read_to_vec(Path::new("new"))).is_ok()
    };
    assert!((0..40).all(|seed| found(seed, true)));
    let kept = (0..40).filter(|&seed| found(seed, false)).count();
    assert!((1..40).contains(&kept), "{kept} of 40 names survived");
}

#[test]
fn an_atomic_write_leaves_the_old_or_the_new() {
    let path = Path::new("conf");
    for seed in 0..200 {
        let world = World::new(seed, WorldOptions::default());
        let shard = world.shard(0, "files");
        let old = world.block_on(shard, fs::write_atomic(path, vec![1; 2000]));
        old.expect("it ends").expect("write");
        world.enter(shard, || {
            drop(corelane_rt::task::spawn(async {
                fs::write_atomic(path, vec![2; 3000]).await
            }));
        });
        let moment = std::time::Duration::from_nanos(seed * 40_000);
        world.run_for(moment).expect("it goes on");
        world.lose_power(&[shard]);
        let bytes = world
            .block_on(shard, fs::read_to_vec(path))
            .expect("it ends")
            .expect("read");
        assert!(
            bytes == [1; 2000] || bytes == [2; 3000],
            "seed {seed}: a mixture of {} bytes",
            bytes.len()
        );
    }
}

/// What every backend must do with a file that is open for direct access.
async fn exercise_direct(dir: PathBuf) {
    fs::create_dir_all(&dir).await.expect("create_dir_all");
    let path = dir.join("direct");
    let options = OpenOptions::new().read().write().create().direct();
    let file = match File::open(&path, options).await {
        Ok(file) => file,
        // A temporary directory in memory, say. What is said of it is then all there is to test.
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            return assert!(
                error.to_string().contains("open it without direct()"),
                "{error}"
            );
        }
    };
    let alignment = file.alignment().expect("it was opened for direct access");
    let unit = alignment.offset_bytes;
    file.allocate(10 * unit as u64).await.expect("allocate");
    assert_eq!(file.len().await.expect("len"), 10 * unit as u64);

    let mut buffer = file.aligned_buf(4 * unit);
    assert_eq!(buffer.as_ptr().addr() % alignment.memory_bytes, 0);
    buffer.fill_from(&pattern(3 * unit));
    let buffer = file
        .write_direct_at(buffer, unit as u64)
        .await
        .expect("write");
    assert!(
        *buffer == pattern(3 * unit),
        "the buffer did not come back as it was"
    );
    file.sync_data().await.expect("sync");
    let got = file
        .read_direct_at(buffer, 4 * unit, 0)
        .await
        .expect("read");
    let expected = [&vec![0; unit][..], &pattern(3 * unit)].concat();
    assert!(*got == expected, "what was read is not what was written");

    // The file's odd end: cut off, and read short.
    file.set_len(unit as u64 + 100).await.expect("set_len");
    let got = file
        .read_direct_at(got, 4 * unit, unit as u64)
        .await
        .expect("read");
    assert!(*got == pattern(3 * unit)[..100], "{} bytes came", got.len());
    let got = file
        .read_direct_at(got, unit, 8 * unit as u64)
        .await
        .expect("read");
    assert!(got.is_empty());

    refuses_what_is_not_aligned(&file, unit).await;
    let text = file
        .read_at(Vec::new(), 5, 0)
        .await
        .expect_err("cached access")
        .to_string();
    assert!(text.contains("use read_direct_at"), "{text}");
    let cached = File::open(&path, OpenOptions::new().read())
        .await
        .expect("open");
    let got = cached
        .read_direct_at(cached.aligned_buf(50), 50, unit as u64 + 3)
        .await
        .expect("read");
    assert!(*got == pattern(100)[3..53], "aligned memory, any offset");
}

async fn refuses_what_is_not_aligned(file: &File, unit: usize) {
    let alignment = file.alignment().expect("direct");
    let rows = [
        (
            file.aligned_buf(unit),
            unit,
            100,
            format!("offset 100 is not a multiple of {unit}"),
        ),
        (
            file.aligned_buf(unit),
            100,
            0,
            format!("length 100 is not a multiple of {unit}"),
        ),
        (
            file.aligned_buf(unit),
            2 * unit,
            0,
            format!("into a buffer of {unit}"),
        ),
        (
            AlignedBuf::new(unit, 1),
            unit,
            0,
            "make it with File::aligned_buf".to_owned(),
        ),
    ];
    for (buffer, len, offset, expected) in rows {
        let error = file
            .read_direct_at(buffer, len, offset)
            .await
            .expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains(&expected), "{text} (alignment {alignment:?})");
    }
}

#[test]
fn direct_access_on_each_real_backend() {
    on_each(|| async {
        // Not in the system's temporary directory, which may lie in memory.
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        exercise_direct(dir.path().to_owned()).await;
    });
}

#[test]
fn direct_access_in_the_simulator() {
    let world = World::new(3, WorldOptions::default());
    let shard = world.shard(0, "shard");
    let ran = world.block_on(shard, exercise_direct(PathBuf::from("/data")));
    ran.unwrap_or_else(|stuck| panic!("{stuck}"));
}

/// Directories list what is in them, in order, on every backend.
async fn exercise_listing(dir: PathBuf) {
    let deep = dir.join("b");
    fs::create_dir_all(&deep).await.expect("create_dir_all");
    for name in ["c", "a", "b/inner"] {
        fs::write_atomic(&dir.join(name), b"12345".to_vec())
            .await
            .expect("write");
    }
    let entries = fs::read_dir(&dir).await.expect("read_dir");
    let listed: Vec<(&str, FileKind)> = entries
        .iter()
        .map(|entry| (entry.name.to_str().expect("UTF-8"), entry.kind))
        .collect();
    assert_eq!(
        listed,
        [
            ("a", FileKind::File),
            ("b", FileKind::Dir),
            ("c", FileKind::File)
        ]
    );
    let metadata = fs::metadata(&dir.join("a")).await.expect("metadata");
    assert_eq!((metadata.kind, metadata.len), (FileKind::File, 5));
    assert_eq!(
        fs::metadata(&deep).await.expect("metadata").kind,
        FileKind::Dir
    );
    for missing in [
        fs::metadata(&dir.join("x")).await.map(|_| ()),
        fs::read_dir(&dir.join("x")).await.map(|_| ()),
    ] {
        assert_eq!(missing.expect_err("not there").kind(), ErrorKind::NotFound);
    }
}

#[test]
fn listings_on_every_backend() {
    on_each(|| async {
        let dir = tempfile::tempdir().expect("a directory");
        exercise_listing(dir.path().to_owned()).await;
    });
    let world = World::new(3, WorldOptions::default());
    let shard = world.shard(0, "shard");
    let ran = world.block_on(shard, exercise_listing(PathBuf::from("/data")));
    ran.unwrap_or_else(|stuck| panic!("{stuck}"));
}
