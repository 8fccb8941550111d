//! What direct file access costs above the device: 4 KiB at random places of one file, one at a time, by this crate
//! and by plain `pread` and `pwrite` in turns. `cargo bench -p corelane-rt --bench direct`
//!
//! The file lies in the directory named by `CORELANE_BENCH_DIR`, else in the build's own, and is removed.

use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use corelane_rt::fs::{AlignedBuf, File, OpenOptions};
use corelane_rt::{IoBackend, Runtime, RuntimeOptions};

const FILE_BYTES: u64 = 256 << 20;
const BLOCK_BYTES: usize = 4096;
/// Accesses of one kind before it is the other's turn.
const TURN: usize = 50;
const TURNS: usize = 100;

fn main() {
    let dir = std::env::var_os("CORELANE_BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let path = dir.join(format!("direct-{}", std::process::id()));
    println!(
        "{:<10} {:<6} {:>12} {:>12} {:>12} {:>12} {:>14}",
        "backend", "", "plain p50", "plain p99", "ours p50", "ours p99", "above (p50)"
    );
    for io in [IoBackend::Uring, IoBackend::Polling] {
        let runtime = Runtime::new(&RuntimeOptions {
            io,
            ..RuntimeOptions::default()
        })
        .expect("a runtime");
        runtime.block_on(measure(io, &path));
    }
    std::fs::remove_file(&path).expect("its own file");
}

async fn measure(io: IoBackend, path: &PathBuf) {
    let options = OpenOptions::new().read().write().create().direct();
    let ours = File::open(path, options).await.expect("open");
    let plain = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::DIRECT.bits().cast_signed())
        .open(path)
        .expect("open");
    fill(&ours).await;
    for write in [false, true] {
        let (mut by_us, mut by_plain) = (Vec::new(), Vec::new());
        let mut buffer = ours.aligned_buf(BLOCK_BYTES);
        for _ in 0..TURNS {
            for _ in 0..TURN {
                by_plain.push(plain_access(&plain, &mut buffer, write));
            }
            for _ in 0..TURN {
                let began = Instant::now();
                let offset = place();
                buffer = match write {
                    true => ours.write_direct_at(buffer, offset).await.expect("write"),
                    false => ours
                        .read_direct_at(buffer, BLOCK_BYTES, offset)
                        .await
                        .expect("read"),
                };
                by_us.push(began.elapsed());
            }
        }
        report(io, if write { "write" } else { "read" }, by_plain, by_us);
    }
}

fn plain_access(file: &std::fs::File, buffer: &mut AlignedBuf, write: bool) -> Duration {
    buffer.set_len(BLOCK_BYTES);
    let began = Instant::now();
    let offset = place();
    match write {
        true => file.write_all_at(buffer, offset).expect("write"),
        false => file.read_exact_at(buffer, offset).expect("read"),
    }
    began.elapsed()
}

/// Writes the whole file, so that no access meets a hole.
async fn fill(file: &File) {
    const PIECE_BYTES: usize = 1 << 20;
    file.allocate(FILE_BYTES).await.expect("allocate");
    let mut buffer = file.aligned_buf(PIECE_BYTES);
    buffer.set_len(PIECE_BYTES);
    for offset in (0..FILE_BYTES).step_by(PIECE_BYTES) {
        buffer.fill(fastrand::u8(..));
        buffer = file.write_direct_at(buffer, offset).await.expect("write");
    }
    file.sync_data().await.expect("sync");
}

fn place() -> u64 {
    fastrand::u64(..FILE_BYTES / BLOCK_BYTES as u64) * BLOCK_BYTES as u64
}

fn report(io: IoBackend, name: &str, mut plain: Vec<Duration>, mut ours: Vec<Duration>) {
    let us = |times: &mut Vec<Duration>, share: f64| {
        times.sort_unstable();
        times[((times.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1000.0
    };
    let (plain_p50, ours_p50) = (us(&mut plain, 0.5), us(&mut ours, 0.5));
    println!(
        "{:<10} {name:<6} {plain_p50:>9.1} us {:>9.1} us {ours_p50:>9.1} us {:>9.1} us {:>11.1} us",
        format!("{io:?}"),
        us(&mut plain, 0.99),
        us(&mut ours, 0.99),
        ours_p50 - plain_p50,
    );
}
