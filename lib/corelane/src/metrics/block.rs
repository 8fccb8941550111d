//! Blocks: what one shard writes for one purpose, side by side on cache lines that no other thread writes.
//!
//! A block is one list. The macro makes of it the numbers themselves, their names, kinds and help, and so
//! everything that is shown of them.

use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use super::describe::Metric;
use super::histogram::Distribution;

/// What can be read of a block while its shard writes it. [`metrics!`](crate::metrics!) implements it.
pub trait Block: Any + Send + Sync {
    /// What the block measures, in the order of its values.
    fn metrics(&self) -> &'static [Metric];

    /// The value of the metric at `index` of [`metrics`](Self::metrics).
    ///
    /// # Panics
    /// If there is none.
    fn value(&self, index: usize) -> Value;
}

/// A number at the moment when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a gauge.
    Level(u64),
    /// Of a histogram.
    Durations(Distribution),
}

/// The right to write a block: there is one, and it stays on its thread.
///
/// [`Registry::register`](super::Registry::register) gives it out.
#[derive(Debug)]
pub struct Writer<B> {
    block: Arc<B>,
    /// Tells the registry that there is a writer.
    _alive: Arc<()>,
    /// Not for other threads.
    _here: PhantomData<Rc<()>>,
}

impl<B> Writer<B> {
    pub(super) fn new(block: Arc<B>, alive: Arc<()>) -> Self {
        Self {
            block,
            _alive: alive,
            _here: PhantomData,
        }
    }
}

impl<B: Default> Writer<B> {
    /// A block that nobody else reads, for tests.
    #[must_use]
    pub fn unregistered() -> Self {
        Self::new(Arc::default(), Arc::default())
    }
}

impl<B> Deref for Writer<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.block
    }
}

/// Declares a block of [`metrics`](mod@crate::metrics): a struct of [`Counter`](crate::metrics::Counter)s, [`Gauge`](crate::metrics::Gauge)s and
/// [`Histogram`](crate::metrics::Histogram)s, each with the name that it has in Prometheus, and the comment above it
/// as its help.
///
/// ```
/// corelane::metrics! {
///     /// What a shard of the chat counts.
///     pub struct ChatMetrics;
///
///     /// Lines said.
///     counter lines = "chat_lines_total";
///     /// Lines not passed on because the room is muted.
///     counter muted = "chat_refused_total" { reason = "muted" };
///     /// Lines not passed on because they are too long.
///     counter too_long = "chat_refused_total" { reason = "too_long" };
///     /// People in the rooms of this shard.
///     gauge people = "chat_people";
///     /// From the line said to the last one told.
///     histogram told = "chat_told_seconds";
/// }
///
/// let metrics = corelane::metrics::Writer::<ChatMetrics>::unregistered();
/// metrics.lines.inc();
/// metrics.people.set(12);
/// metrics.told.record(41_000);
/// assert_eq!(metrics.lines.get(), 1);
/// ```
///
/// A block of counters alone can have a struct of plain numbers beside it, made by `copied()`: write
/// `pub struct ChatMetrics => ChatStats;`.
///
/// A name that Prometheus would not take does not compile:
///
/// ```compile_fail
/// corelane::metrics! {
///     /// Wrong.
///     struct Wrong;
///     /// A counter's name ends in `_total`.
///     counter lines = "chat_lines";
/// }
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$outer:meta])*
        $visible:vis struct $Block:ident;
        $(
            $(#[doc = $help:literal])+
            $kind:ident $field:ident = $name:literal $({ $label:ident = $value:literal })?;
        )+
    ) => {
        $(#[$outer])*
        // Alone on its cache lines: who reads disturbs the writer as little as can be, and two writers
        // not at all. 128: processors fetch lines in pairs.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        $visible struct $Block {
            $(
                $(#[doc = $help])+
                $visible $field: $crate::metrics!(@cell $kind),
            )+
        }

        impl $Block {
            /// Name, kind and help of everything in the block, in its order.
            $visible const METRICS: &'static [$crate::metrics::Metric] = &[
                $(
                    $crate::metrics::Metric {
                        name: $name,
                        label: $crate::metrics!(@label $($label $value)?),
                        kind: $crate::metrics!(@kind $kind),
                        help: concat!($($help),+).trim_ascii(),
                    }
                    .check(),
                )+
            ];
        }

        impl $crate::metrics::Block for $Block {
            fn metrics(&self) -> &'static [$crate::metrics::Metric] {
                Self::METRICS
            }

            fn value(&self, index: usize) -> $crate::metrics::Value {
                let values: &[&dyn $crate::metrics::Cell] = &[$(&self.$field),+];
                values[index].value()
            }
        }
    };
    // Counters alone, with a struct of plain numbers to copy them to.
    (
        $(#[$outer:meta])*
        $visible:vis struct $Block:ident => $Copy:ident;
        $(
            $(#[doc = $help:literal])+
            counter $field:ident = $name:literal $({ $label:ident = $value:literal })?;
        )+
    ) => {
        $crate::metrics! {
            $(#[$outer])*
            $visible struct $Block;
            $(
                $(#[doc = $help])+
                counter $field = $name $({ $label = $value })?;
            )+
        }

        $(#[$outer])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $Copy {
            $(
                $(#[doc = $help])+
                pub $field: u64,
            )+
        }

        impl $Copy {
            /// Every counter with its name, for whoever shows them all.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field)),+].into_iter()
            }

            /// Adds another's counters.
            pub fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)+
            }
        }

        impl $Block {
            /// The counters as they are now.
            $visible fn copied(&self) -> $Copy {
                $Copy { $($field: self.$field.get()),+ }
            }
        }
    };
    (@cell counter) => { $crate::metrics::Counter };
    (@cell gauge) => { $crate::metrics::Gauge };
    (@cell histogram) => { $crate::metrics::Histogram };
    (@kind counter) => { $crate::metrics::Kind::Counter };
    (@kind gauge) => { $crate::metrics::Kind::Gauge };
    (@kind histogram) => { $crate::metrics::Kind::Histogram };
    (@label) => { None };
    (@label $label:ident $value:literal) => { Some((stringify!($label), $value)) };
}

#[cfg(test)]
mod tests {
    use super::{Block, Value, Writer};
    use crate::metrics::Kind;

    crate::metrics! {
        /// A block with one of each kind.
        struct Sample;

        /// Two lines
        /// of help.
        counter seen = "sample_seen_total";
        /// With a label.
        counter full = "sample_refused_total" { reason = "full" };
        /// A level.
        gauge depth = "sample_depth";
        /// Durations.
        histogram took = "sample_took_seconds";
    }

    #[test]
    fn the_list_is_what_is_written_above() {
        let listed: Vec<_> = Sample::METRICS
            .iter()
            .map(|metric| (metric.name, metric.label, metric.kind, metric.help))
            .collect();
        assert_eq!(
            listed,
            [
                (
                    "sample_seen_total",
                    None,
                    Kind::Counter,
                    "Two lines of help."
                ),
                (
                    "sample_refused_total",
                    Some(("reason", "full")),
                    Kind::Counter,
                    "With a label."
                ),
                ("sample_depth", None, Kind::Gauge, "A level."),
                ("sample_took_seconds", None, Kind::Histogram, "Durations."),
            ]
        );
    }

    #[test]
    fn values_stand_in_the_order_of_the_list() {
        let sample = Writer::<Sample>::unregistered();
        sample.seen.inc();
        sample.full.add(2);
        sample.depth.set(3);
        sample.took.record(4);
        let values: Vec<_> = (0..4).map(|index| sample.value(index)).collect();
        assert_eq!(
            values[..3],
            [Value::Count(1), Value::Count(2), Value::Level(3)]
        );
        assert!(matches!(&values[3], Value::Durations(took) if took.count() == 1));
    }

    #[test]
    fn blocks_share_no_cache_line() {
        assert_eq!(align_of::<Sample>(), 128);
    }
}
