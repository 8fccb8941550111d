//! Where the text comes from: files of a folder, or made up from a seed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corelane::fs;

/// Words of a piece of a made-up text.
const WORDS_PER_PIECE: u64 = 10_000;

/// Different words of a made-up text.
const VOCABULARY: f64 = 50_000.0;

/// Files that are looked at in a folder, and folders within folders.
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 16;

/// A larger file is left out, as a piece is in memory as a whole.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A text in pieces, which any shard can get.
#[derive(Clone, Debug)]
pub enum Corpus {
    /// Files, each a piece.
    Files(Arc<[PathBuf]>),
    /// Text made from a seed; the same seed makes the same text.
    MadeUp {
        /// How many words.
        words: u64,
        /// What they follow from.
        seed: u64,
    },
}

impl Corpus {
    /// All files in `folder` and its folders.
    ///
    /// # Errors
    /// The folder cannot be read, or holds more than 100,000 files.
    pub fn folder(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, 0, &mut files)?;
        files.sort();
        Ok(Self::Files(files.into()))
    }

    /// How many pieces there are.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        match self {
            Self::Files(files) => files.len() as u64,
            Self::MadeUp { words, .. } => words.div_ceil(WORDS_PER_PIECE),
        }
    }

    /// One piece; what is no text in it is left out.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub async fn piece(&self, number: u64) -> Result<String, String> {
        match self {
            Self::Files(files) => {
                let path = &files[number as usize];
                let bytes = fs::read_to_vec(path).await;
                let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Self::MadeUp { words, seed } => {
                let begin = number * WORDS_PER_PIECE;
                let rng = fastrand::Rng::with_seed(seed.wrapping_add(number));
                Ok(make_up(rng, WORDS_PER_PIECE.min(words - begin)))
            }
        }
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Of links: what they are, not what they lead to, which may be a folder above.
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEPTH_MAX {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() && entry.metadata()?.len() <= FILE_BYTES_MAX {
            files.push(entry.path());
        }
        if files.len() > FILES_MAX {
            let why = format!("{} holds more than {FILES_MAX} files", folder.display());
            return Err(io::Error::other(why));
        }
    }
    Ok(())
}

/// Words as often as in a language: the n-th most frequent about n times as rare as the first.
fn make_up(mut rng: fastrand::Rng, words: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ka", "lo", "mi", "ne", "ru", "sa", "te", "vo", "an", "el", "is", "or", "un", "di", "pa",
        "go",
    ];
    let mut text = String::new();
    for _ in 0..words {
        let mut number = VOCABULARY.powf(rng.f64()) as usize;
        while number > 0 {
            text.push_str(SYLLABLES[number % SYLLABLES.len()]);
            number /= SYLLABLES.len();
        }
        text.push(if rng.u8(..) < 20 { '\n' } else { ' ' });
    }
    text
}
