//! Redis's glob patterns (`KEYS`, `SCAN MATCH`, `CONFIG GET`, `PSUBSCRIBE`): `*`, `?`, `[a-z]`, `[^a]`, `\`.
//!
//! The matches are those of Redis's `stringmatchlen`, oddities of unclosed classes and its bound on stars included,
//! with one exception: a pattern of stars matches an empty text too (Redis's callers look for `*` themselves). The time
//! is not Redis's: where a part after a `*` fails, only the last `*` is tried again, one byte further, so a match costs
//! at most pattern × text steps, however many stars there are.

#[cfg(test)]
mod tests;

/// Stars with something behind them that a pattern may have, runs of stars counted once. Redis's function gives up
/// on a pattern of more: it matches nothing.
const STARS_MAX: u32 = 1000;

/// Whether `pattern` matches the whole of `text`; with `nocase`, ASCII letters match in either case.
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    let mut pattern_at = 0;
    let mut text_at = 0;
    // Where to go on when a mismatch comes: behind the last star, and the text it has not yet covered.
    let mut retry: Option<(usize, usize)> = None;
    let mut stars = 0;
    while text_at < text.len() {
        if pattern.get(pattern_at) == Some(&b'*') {
            pattern_at += 1;
            if pattern_at == pattern.len() {
                return true;
            }
            stars += u32::from(pattern[pattern_at] != b'*');
            if stars > STARS_MAX {
                return false;
            }
            retry = Some((pattern_at, text_at));
            continue;
        }
        if let Some(used) = match_one(&pattern[pattern_at..], text[text_at], nocase) {
            pattern_at += used;
            text_at += 1;
            continue;
        }
        let Some((star_end, covered)) = retry else {
            return false;
        };
        retry = Some((star_end, covered + 1));
        pattern_at = star_end;
        text_at = covered + 1;
    }
    pattern[pattern_at..].iter().all(|byte| *byte == b'*')
}

/// How many bytes of `pattern` the element at its start takes, if it matches `byte`. The element is no star.
#[inline]
fn match_one(pattern: &[u8], byte: u8, nocase: bool) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ..] => match_class(pattern, byte, nocase),
        [b'\\', literal, ..] => same(literal, byte, nocase).then_some(2),
        [literal, ..] => same(literal, byte, nocase).then_some(1),
    }
}

/// As [`match_one`] for a class. A class that is not closed ends with the pattern.
fn match_class(pattern: &[u8], byte: u8, nocase: bool) -> Option<usize> {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut found = false;
    loop {
        match pattern[at.min(pattern.len())..] {
            [] => break,
            // An escaped byte in a class is compared as it is, even where case does not count.
            [b'\\', literal, ..] => {
                found |= literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [start, b'-', end, ..] => {
                found |= in_range(start, end, byte, nocase);
                at += 3;
            }
            [literal, ..] => {
                found |= same(literal, byte, nocase);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

/// Whether `byte` lies between two ends given in either order. As in Redis the ends are put in order first, by C's
/// signed `char`, and lose their case then; bytes above 127 count as unsigned there.
fn in_range(start: u8, end: u8, byte: u8, nocase: bool) -> bool {
    let (start, end) = if (start as i8) <= (end as i8) {
        (start, end)
    } else {
        (end, start)
    };
    if nocase {
        let [start, end, byte] = [start, end, byte].map(|byte| byte.to_ascii_lowercase());
        return (start..=end).contains(&byte);
    }
    (start as i8..=end as i8).contains(&(byte as i8))
}

#[inline]
fn same(a: u8, b: u8, nocase: bool) -> bool {
    a == b || nocase && a.eq_ignore_ascii_case(&b)
}
