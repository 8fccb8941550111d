//! Patterns whose outcome Redis 7.0.15's own function gave, and the definition as a model.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(pattern: &[u8], text: &[u8], matched: bool) {
    assert_eq!(
        matches(pattern, text, false),
        matched,
        "{} on {}",
        pattern.escape_ascii(),
        text.escape_ascii()
    );
}

#[track_caller]
fn check_nocase(pattern: &[u8], text: &[u8], matched: bool) {
    assert_eq!(
        matches(pattern, text, true),
        matched,
        "{} on {}",
        pattern.escape_ascii(),
        text.escape_ascii()
    );
}

#[test]
fn matches_are_those_of_redis() {
    check(b"", b"", true);
    check(b"", b"a", false);
    check(b"?", b"", false);
    check(b"*", b"anything", true);
    check(b"h?llo", b"hello", true);
    check(b"h?llo", b"hllo", false);
    check(b"h*llo", b"heeello", true);
    check(b"h*llo*", b"hello", true);
    check(b"h[ae]llo", b"hallo", true);
    check(b"h[ae]llo", b"hillo", false);
    check(b"h[^e]llo", b"hallo", true);
    check(b"h[^e]llo", b"hello", false);
    check(b"h[a-b]llo", b"hbllo", true);
    check(b"h[b-a]llo", b"hallo", true);
    check(b"h[a-b]llo", b"hcllo", false);
    check(b"h\\*llo", b"h*llo", true);
    check(b"h\\*llo", b"hello", false);
    check(b"[\\]]", b"]", true);
    check(b"[\\-a]", b"-", true);
    check(b"a\\", b"a\\", true);
    check(b"*a*b*c", b"xxaxxbxxc", true);
    check(b"*a*b*c", b"xxaxxbxx", false);
    check(b"*ab", b"aab", true);
    check(b"a*b?c", b"abbbc", true);
}

#[test]
fn odd_classes_are_those_of_redis() {
    check(b"[", b"a", false);
    check(b"[^", b"a", true);
    check(b"[a", b"a", true);
    check(b"[ab", b"b", true);
    check(b"[a-", b"-", true);
    check(b"[a-]", b"b", false);
    check(b"[a-]", b"]", true);
    check(b"[a-]", b"a", true);
    check(b"[]", b"a", false);
    check(b"[^]", b"a", true);
    check(b"[*]x", b"*x", true);
    check(b"[_-\\]", b"^", true);
    check(b"[a-\xff]", b"b", false);
    check(b"[a-\xff]", b"Z", true);
    check(b"[\x80-\xff]", b"\xc3", true);
}

#[test]
fn case_is_ignored_on_demand() {
    check_nocase(b"MaxMemory*", b"maxmemory-policy", true);
    check_nocase(b"[A-C]x", b"bX", true);
    check_nocase(b"[abc]", b"B", true);
    check_nocase(b"\\A", b"a", true);
    // Two oddities of Redis: what is escaped in a class keeps its case, and ends may cross when they lose theirs.
    check_nocase(b"[\\A]", b"a", false);
    check_nocase(b"[Z-a]", b"b", false);
}

/// Where Redis says no.
#[test]
fn stars_match_nothing_too() {
    check(b"*", b"", true);
    check(b"**", b"", true);
    check(b"*a", b"", false);
}

/// A matcher that tries every way to share the text among the stars would not come to an end.
#[test]
fn stars_do_not_multiply() {
    let text = b"a".repeat(20_000);
    check(&[b"a*".repeat(1000), b"b".to_vec()].concat(), &text, false);
    check(&b"*a".repeat(1000), &text, true);
}

#[test]
fn more_stars_than_redis_takes_match_nothing() {
    let text = b"a".repeat(3000);
    let stars = |count: usize| b"*a".repeat(count);
    check(&stars(1000), &text, true);
    check(&stars(1001), &text, false);
    check(&b"**a".repeat(1000), &text, true);
    // The last one has nothing behind it.
    check(&[stars(1000), b"**".to_vec()].concat(), &text, true);
    check(&[stars(1001), b"**".to_vec()].concat(), &text, false);
}

/// The plain definition, exponential as it is.
fn model(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| model(rest, &text[skipped..])),
        ([b'?', rest @ ..], [_, after @ ..]) => model(rest, after),
        ([b'\\', literal, rest @ ..], [byte, after @ ..]) => literal == byte && model(rest, after),
        ([literal, rest @ ..], [byte, after @ ..]) => literal == byte && model(rest, after),
        (_, []) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn matches_are_those_of_the_definition(pattern in r"[ab*?\\]{0,8}", text in r"[ab*\\]{0,8}") {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(matches(pattern, text, false), model(pattern, text));
    }

    #[test]
    fn no_pattern_panics(pattern in r"[ab*?\[\]^\\-]{0,12}", text in r"[ab\]^-]{0,8}", nocase: bool) {
        matches(pattern.as_bytes(), text.as_bytes(), nocase);
    }
}
