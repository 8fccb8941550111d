//! What came back: latencies per kind of command, misses, and errors by their text.
//!
//! One recorder per generator thread and phase, so recording takes no lock; they are added up when
//! the phase is over.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::filler::Wrong;

/// Longest latency that is told apart; longer ones count as this long. One hour.
const MAX_LATENCY_NS: u64 = 3_600_000_000_000;

/// Histograms keep this many significant decimal digits.
const DIGITS: u8 = 3;

/// Distinct error texts that are kept; the rest is counted under [`OTHER_ERRORS`].
pub const MAX_ERROR_TEXTS: usize = 64;

/// Bytes of an error's text that are kept.
const MAX_ERROR_BYTES: usize = 200;

/// What errors beyond [`MAX_ERROR_TEXTS`] are counted under.
pub const OTHER_ERRORS: &str = "(other errors)";

/// The records of one phase.
#[derive(Debug)]
pub(crate) struct Recorder {
    kinds: Vec<KindRecord>,
    pub(crate) errors: ErrorTexts,
    pub(crate) totals: Totals,
}

/// Counts over all kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    /// Requests whose reply never came.
    pub(crate) unanswered: u64,
    /// Requests of an open loop that fell due and could not be sent before the phase ended.
    pub(crate) unsent: u64,
    /// Connections that ended before the phase did.
    pub(crate) lost_connections: u64,
    /// Values whose content was checked.
    pub(crate) verified: u64,
    /// Values among them that nobody wrote.
    pub(crate) wrong: u64,
}

/// The records of one kind of command.
#[derive(Debug)]
pub(crate) struct KindRecord {
    pub(crate) latency_ns: Histogram<u64>,
    pub(crate) misses: u64,
    pub(crate) errors: u64,
    /// Replies of one batch mostly have one latency; a run of equals is recorded at once.
    run_latency_ns: u64,
    run_length: u64,
}

impl Recorder {
    pub(crate) fn new(kinds: usize) -> Self {
        Self {
            kinds: (0..kinds).map(|_| KindRecord::new()).collect(),
            errors: ErrorTexts::default(),
            totals: Totals::default(),
        }
    }

    /// Counts a reply, whatever it says.
    pub(crate) fn reply(&mut self, kind: u8, latency_ns: u64) {
        self.kinds[usize::from(kind)].record(latency_ns);
    }

    /// The last reply of this kind was a null: no such key.
    pub(crate) fn miss(&mut self, kind: u8) {
        self.kinds[usize::from(kind)].misses += 1;
    }

    /// The last reply of this kind was an error.
    pub(crate) fn error(&mut self, kind: u8, text: &[u8]) {
        self.kinds[usize::from(kind)].errors += 1;
        self.errors.count(text, 1);
    }

    /// A value was checked.
    pub(crate) fn verified(&mut self, kind: u8, result: Result<(), Wrong>) {
        self.totals.verified += 1;
        if let Err(wrong) = result {
            self.totals.wrong += 1;
            self.error(kind, wrong.text().as_bytes());
        }
    }

    /// Adds what another thread recorded of the same phase.
    pub(crate) fn add(&mut self, mut other: Self) {
        for (kind, other) in self.kinds.iter_mut().zip(&mut other.kinds) {
            kind.add(other);
        }
        for (text, count) in other.errors.texts {
            self.errors.count(text.as_bytes(), count);
        }
        let (sum, more) = (&mut self.totals, other.totals);
        sum.sent_bytes += more.sent_bytes;
        sum.received_bytes += more.received_bytes;
        sum.unanswered += more.unanswered;
        sum.unsent += more.unsent;
        sum.lost_connections += more.lost_connections;
        sum.verified += more.verified;
        sum.wrong += more.wrong;
    }

    /// The records by kind, complete.
    pub(crate) fn kinds(&mut self) -> &[KindRecord] {
        for kind in &mut self.kinds {
            kind.end_run();
        }
        &self.kinds
    }
}

impl KindRecord {
    fn new() -> Self {
        Self {
            latency_ns: new_histogram(),
            misses: 0,
            errors: 0,
            run_latency_ns: 0,
            run_length: 0,
        }
    }

    fn record(&mut self, latency_ns: u64) {
        if self.run_latency_ns != latency_ns {
            self.end_run();
            self.run_latency_ns = latency_ns;
        }
        self.run_length += 1;
    }

    fn end_run(&mut self) {
        if self.run_length > 0 {
            self.latency_ns
                .saturating_record_n(self.run_latency_ns, self.run_length);
            self.run_length = 0;
        }
    }

    fn add(&mut self, other: &mut Self) {
        other.end_run();
        self.latency_ns
            .add(&other.latency_ns)
            .expect("all histograms have the same bounds");
        self.misses += other.misses;
        self.errors += other.errors;
    }
}

/// An empty histogram of latencies in nanoseconds.
pub(crate) fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_LATENCY_NS, DIGITS).expect("the bounds are constant and valid")
}

/// Errors by their text, bounded.
#[derive(Debug, Default)]
pub(crate) struct ErrorTexts {
    texts: BTreeMap<String, u64>,
}

impl ErrorTexts {
    /// Counts `times` errors with this text.
    pub(crate) fn count(&mut self, text: &[u8], times: u64) {
        let text = String::from_utf8_lossy(&text[..text.len().min(MAX_ERROR_BYTES)]);
        if let Some(count) = self.texts.get_mut(&*text) {
            *count += times;
        } else if self.texts.len() < MAX_ERROR_TEXTS {
            self.texts.insert(text.into_owned(), times);
        } else {
            *self.texts.entry(OTHER_ERRORS.into()).or_default() += times;
        }
    }

    /// The texts with their counts.
    pub(crate) fn texts(&self) -> &BTreeMap<String, u64> {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_equal_latencies_are_all_counted() {
        let mut recorder = Recorder::new(2);
        for latency_ns in [5, 5, 5, 9, 5, 5] {
            recorder.reply(0, latency_ns);
        }
        recorder.reply(1, 7);
        let kinds = recorder.kinds();
        let counts = |kind: &KindRecord, value| kind.latency_ns.count_at(value);
        assert_eq!((counts(&kinds[0], 5), counts(&kinds[0], 9)), (5, 1));
        assert_eq!(
            (kinds[0].latency_ns.len(), kinds[1].latency_ns.len()),
            (6, 1)
        );
    }

    #[test]
    fn a_zero_latency_counts() {
        let mut recorder = Recorder::new(1);
        recorder.reply(0, 0);
        assert_eq!(recorder.kinds()[0].latency_ns.len(), 1);
    }

    #[test]
    fn latencies_beyond_the_range_count_as_the_longest() {
        let mut recorder = Recorder::new(1);
        recorder.reply(0, u64::MAX);
        let latency = &recorder.kinds()[0].latency_ns;
        assert_eq!(latency.len(), 1);
        assert!(latency.max() >= MAX_LATENCY_NS);
    }

    #[test]
    fn threads_add_up() {
        let mut sum = Recorder::new(1);
        for _ in 0..3 {
            let mut one = Recorder::new(1);
            one.reply(0, 1000);
            one.reply(0, 2000);
            one.miss(0);
            one.error(0, b"ERR no");
            one.verified(0, Err(Wrong::Key));
            one.verified(0, Ok(()));
            one.totals.sent_bytes = 10;
            sum.add(one);
        }
        let want = Totals {
            sent_bytes: 30,
            verified: 6,
            wrong: 3,
            ..Totals::default()
        };
        assert_eq!(sum.totals, want);
        assert_eq!(sum.errors.texts()["ERR no"], 3);
        assert_eq!(sum.errors.texts()[Wrong::Key.text()], 3);
        let kind = &sum.kinds()[0];
        assert_eq!((kind.latency_ns.len(), kind.misses, kind.errors), (6, 3, 6));
    }

    #[test]
    fn error_texts_are_bounded_in_number_and_length() {
        let mut errors = ErrorTexts::default();
        for n in 0..1000 {
            errors.count(format!("MOVED {n}").as_bytes(), 1);
        }
        errors.count(&[b'x'; 10_000], 1);
        errors.count(b"MOVED 3", 1);
        assert_eq!(errors.texts().len(), MAX_ERROR_TEXTS + 1);
        assert_eq!(errors.texts()["MOVED 3"], 2);
        assert_eq!(errors.texts()[OTHER_ERRORS], 1001 - MAX_ERROR_TEXTS as u64);
        assert!(
            errors
                .texts()
                .keys()
                .all(|text| text.len() <= MAX_ERROR_BYTES)
        );
    }
}
