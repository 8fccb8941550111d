//! The list of settings, joined from its chapters. A new setting is one block in its chapter.

mod clients;
mod datatypes;
mod diagnostics;
mod durability;
mod features;
mod keyspace;
mod memory;
mod network;
mod placement;
mod process;
mod replication;
mod security;
mod tls;

use crate::Setting;

/// Every setting, chapter by chapter.
pub static SETTINGS: [Setting; COUNT] = join(CHAPTERS);

const CHAPTERS: &[&[Setting]] = &[
    network::CHAPTER,
    clients::CHAPTER,
    security::CHAPTER,
    tls::CHAPTER,
    memory::CHAPTER,
    placement::CHAPTER,
    keyspace::CHAPTER,
    diagnostics::CHAPTER,
    durability::CHAPTER,
    datatypes::CHAPTER,
    features::CHAPTER,
    replication::CHAPTER,
    process::CHAPTER,
];

const COUNT: usize = {
    let (mut total, mut chapter) = (0, 0);
    while chapter < CHAPTERS.len() {
        total += CHAPTERS[chapter].len();
        chapter += 1;
    }
    total
};

const fn join(chapters: &[&[Setting]]) -> [Setting; COUNT] {
    let mut all = [chapters[0][0]; COUNT];
    let (mut filled, mut chapter) = (0, 0);
    while chapter < chapters.len() {
        let mut i = 0;
        while i < chapters[chapter].len() {
            all[filled] = chapters[chapter][i];
            filled += 1;
            i += 1;
        }
        chapter += 1;
    }
    all
}

/// The greatest number of settings that Redis keeps in a C `int`.
const INT_MAX: i64 = i32::MAX as i64;
/// The same for a `long`, where it counts bytes.
const LONG_MAX: u64 = i64::MAX as u64;

#[cfg(test)]
mod tests;
