//! Counting words: pure, and the same for every shard.

use std::collections::HashMap;

/// Words and how often each was found.
pub type Counts = HashMap<String, u64>;

/// Adds the words of `text` to `counts` and returns how many there are. A word is a run of letters and digits;
/// case makes no difference.
pub fn count(text: &str, counts: &mut Counts) -> u64 {
    let mut words = 0;
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        words += 1;
        let word = word.to_lowercase();
        *counts.entry(word).or_default() += 1;
    }
    words
}

/// The `n` most frequent words, the most frequent first; among equals, in the order of the alphabet.
#[must_use]
pub fn top(counts: impl IntoIterator<Item = (String, u64)>, n: usize) -> Vec<(String, u64)> {
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    words.truncate(n);
    words
}

#[cfg(test)]
mod tests {
    use super::{Counts, count, top};

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        for (text, words, most) in [
            ("", 0, vec![]),
            ("  ,. ", 0, vec![]),
            ("a b a", 3, vec![("a", 2), ("b", 1)]),
            ("Über über, ÜBER!", 3, vec![("über", 3)]),
            ("it's 1st\n1st", 4, vec![("1st", 2), ("it", 1), ("s", 1)]),
        ] {
            let mut counts = Counts::new();
            assert_eq!(count(text, &mut counts), words, "{text:?}");
            let found = top(counts, 10);
            let found: Vec<_> = found.iter().map(|(word, n)| (word.as_str(), *n)).collect();
            assert_eq!(found, most, "{text:?}");
        }
    }
}
