//! The `date` header, which an origin server sends with every answer (RFC 9110, section 6.6.1), formatted
//! once a second. Its clock is the runtime's, so that a simulated answer has the world's date.

use std::cell::RefCell;
use std::time::{Duration, UNIX_EPOCH};

use hyper::header::HeaderValue;

/// The date, as it was last formatted.
#[derive(Default)]
pub(super) struct DateCache(RefCell<Option<(u64, HeaderValue)>>);

impl DateCache {
    /// The date at `unix_ms`.
    pub(super) fn at(&self, unix_ms: u64) -> HeaderValue {
        let second = unix_ms / 1000;
        let mut cached = self.0.borrow_mut();
        match &*cached {
            Some((of, date)) if *of == second => date.clone(),
            _ => cached.insert((second, format(second))).1.clone(),
        }
    }
}

fn format(second: u64) -> HeaderValue {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
    HeaderValue::try_from(date).expect("a date is ASCII")
}

#[cfg(test)]
mod tests {
    use super::DateCache;

    #[test]
    fn dates_are_those_of_their_second() {
        let cache = DateCache::default();
        for (unix_ms, date) in [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778_000, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] {
            assert_eq!(cache.at(unix_ms), date, "{unix_ms}");
        }
    }
}
