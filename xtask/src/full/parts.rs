//! The parts, and the slices that each is cut into.

use crate::place::{cargo, has_program};
use crate::suite;
use crate::tally::Tally;
use crate::tcl;

use super::task::Options;

/// A part of the long runs.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Says what this machine lacks for it, and how to get it.
    pub(crate) needs: fn() -> Result<(), String>,
    pub(crate) slices: fn(&Options) -> Vec<Slice>,
}

/// A piece of a part that runs in one go.
pub(crate) struct Slice {
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn() -> Tally>,
}

/// All parts.
pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "polling",
        about: "all tests on the polling backend",
        needs: || Ok(()),
        slices: |_| vec![suite_with("all tests", &[], "CORELANE_TEST_IO", "polling")],
    },
    Part {
        name: "shards",
        about: "the black-box tests on one shard, and on more than there are processors",
        needs: || Ok(()),
        slices: |_| {
            let slice = |shards| suite_with(shards, BLACKBOX, "CORELANE_TEST_SHARDS", shards);
            ["1", "3", "8"].map(slice).into()
        },
    },
    Part {
        name: "tcl",
        about: "Redis's own tests on 1, 2 and 4 shards, on both backends",
        needs: || tcl::check_machine(&tcl::Options::default()),
        slices: |_| {
            let slice = |io: &'static str, shards| Slice {
                name: format!("{io}, {shards} shards"),
                run: Box::new(move || tcl::count(&tcl::Options::on(shards, io))),
            };
            let backends = ["uring", "polling"].into_iter();
            backends
                .flat_map(|io| [1, 2, 4].map(|shards| slice(io, shards)))
                .collect()
        },
    },
    Part {
        name: "soak",
        about: "hostile clients: garbage, half-closed, stalled, oversized, unread",
        needs: || Ok(()),
        slices: |options| {
            let megabytes = options.soak_mb.to_string();
            let slice = |io: &'static str| {
                let megabytes = megabytes.clone();
                Slice {
                    name: format!("{megabytes} MB on {io}"),
                    run: Box::new(move || soak(&megabytes, io)),
                }
            };
            ["uring", "polling"].map(slice).into()
        },
    },
    Part {
        name: "fuzz",
        about: "each fuzz target for a while, from what earlier runs have found",
        needs: || match has_program("cargo-fuzz") {
            true => Ok(()),
            false => {
                Err("no cargo-fuzz: `cargo install cargo-fuzz --locked`, and a C++ compiler".into())
            }
        },
        slices: |options| {
            let minutes = 1..=options.fuzz_minutes;
            let slice = |minute| {
                FUZZ_TARGETS.map(move |target| Slice {
                    name: format!("{target}, minute {minute}"),
                    run: Box::new(move || fuzz(target)),
                })
            };
            minutes.flat_map(slice).collect()
        },
    },
    Part {
        name: "chaos",
        about: "the framework alone: 10,000 seeds of chaos, and a minute of moves on threads",
        needs: || Ok(()),
        slices: |_| {
            let slice = |test, variable, value| Slice {
                name: format!("{test}, {value} of {variable}"),
                run: Box::new(move || {
                    let mut command = cargo(["test", "--release", "--package", "corelane"]);
                    suite::count(command.args(["--test", test]).env(variable, value))
                }),
            };
            vec![
                slice("chaos", "CORELANE_SIM_SEEDS", "10000"),
                slice("moving_soak", "CORELANE_SOAK_SECONDS", "60"),
            ]
        },
    },
    Part {
        name: "sim",
        about: "the whole node under many seeds",
        needs: || Ok(()),
        slices: |options| {
            let starts = (0..options.seeds).step_by(SEEDS_PER_SLICE);
            starts.map(|from| seeds(from, options.seeds)).collect()
        },
    },
];

/// Selects the black-box tests.
const BLACKBOX: &[&str] = &["--test", "blackbox"];

/// Targets under `fuzz/fuzz_targets`.
const FUZZ_TARGETS: [&str; 4] = ["parser", "inline", "decoder", "proxy"];

/// Seeds that are simulated in one go: some minutes.
const SEEDS_PER_SLICE: usize = 500;

fn suite_with(
    name: &str,
    which: &'static [&str],
    variable: &'static str,
    value: &'static str,
) -> Slice {
    Slice {
        name: name.into(),
        run: Box::new(move || suite::count(suite::tests(which).env(variable, value))),
    }
}

fn soak(megabytes: &str, io: &str) -> Tally {
    let mut command = cargo(["test", "--workspace", "--quiet"]);
    command.args(BLACKBOX).args(["soak::", "--", "--nocapture"]);
    command.env("CORELANE_SOAK_MB", megabytes);
    suite::count(command.env("CORELANE_TEST_IO", io))
}

/// A minute of one target. Its corpus is kept, so the next minute goes on from here.
fn fuzz(target: &str) -> Tally {
    let corpus = format!("fuzz/corpus/{target}");
    let seeds = format!("fuzz/seeds/{target}");
    if let Err(error) = std::fs::create_dir_all(crate::place::root().join(&corpus)) {
        eprintln!("cannot make {corpus}: {error}");
        return Tally::one(false);
    }
    let mut command = cargo([
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        target,
        &corpus,
        &seeds,
    ]);
    command.args(["--", "-max_total_time=60", "-max_len=4096"]);
    command.args([
        "-timeout=5",
        "-rss_limit_mb=1024",
        "-verbosity=0",
        "-print_final_stats=1",
    ]);
    suite::check(&mut command)
}

fn seeds(from: u64, all: u64) -> Slice {
    let count = all.saturating_sub(from).min(SEEDS_PER_SLICE as u64);
    Slice {
        name: format!("seeds {from}..{}", from + count),
        run: Box::new(move || match suite::simulation(count, from) {
            Ok(mut command) => suite::count(&mut command),
            Err(error) => {
                eprintln!("{error}");
                Tally::one(false)
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FUZZ_TARGETS;
    use crate::place::root;

    #[test]
    fn every_fuzz_target_is_run() {
        let folder = root().join("fuzz/fuzz_targets");
        let names = std::fs::read_dir(folder)
            .expect("the targets")
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let stem = path.file_stem().expect("a name");
                stem.to_string_lossy().into_owned()
            });
        let run = FUZZ_TARGETS.map(String::from);
        assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(run));
    }
}
