//! How busy the shards are, as they tell each other, and when a hot one should give connections away. Decides only.
//!
//! A connection that says nothing costs nothing now. But it will speak again, and where it lives then its commands are
//! parsed and its replies are written; so a shard that is hot sends idle ones to where there is time for that.

use corelane::ShardId;

/// What this shard knows of everybody's load.
#[derive(Debug)]
pub(crate) struct Loads {
    /// Thousandths of the last second, per shard.
    busy_permille: Vec<u16>,
    /// When the present second began, and what the loop's idle time was then.
    since: Option<(u64, u64)>,
    /// The own last word, if all have heard it.
    told: Option<u16>,
    /// Seconds in a row in which this shard was hot.
    hot: u32,
}

/// Load is measured over so long at least.
const PERIOD_NS: u64 = 1_000_000_000;

/// A smaller change is not worth a message.
const TELL_PERMILLE: u16 = 50;

/// From here on a shard is hot; it stays so until it is below the second.
const HOT_PERMILLE: u16 = 800;
const WARM_PERMILLE: u16 = 700;

/// A shard that has to take connections is less busy by so much: both could swing to the middle and would not swing
/// back.
const GAP_PERMILLE: u16 = 300;

/// Seconds for which a shard must be hot. One may be a single long command.
const HOT_SECONDS: u32 = 2;

impl Loads {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            busy_permille: vec![0; shards],
            since: None,
            told: Some(0),
            hot: 0,
        }
    }

    /// Another shard's word.
    pub(crate) fn heard(&mut self, from: ShardId, busy_permille: u16) {
        self.busy_permille[from.index()] = busy_permille;
    }

    /// This shard's own load in its last second.
    pub(crate) fn own(&self, me: ShardId) -> u16 {
        self.busy_permille[me.index()]
    }

    /// Takes in the time, and the time that the loop has been idle for so far. Whether a second is over, and the own
    /// load with it known anew.
    pub(crate) fn measure(&mut self, me: ShardId, now_ns: u64, idle_ns: u64) -> bool {
        let Some((began_ns, idle_before_ns)) = self.since else {
            self.since = Some((now_ns, idle_ns));
            return false;
        };
        let passed_ns = now_ns.saturating_sub(began_ns);
        if passed_ns < PERIOD_NS {
            return false;
        }
        self.since = Some((now_ns, idle_ns));
        let idle_ns = idle_ns.saturating_sub(idle_before_ns).min(passed_ns);
        let busy_permille = ((passed_ns - idle_ns) / (passed_ns / 1000)).min(1000) as u16;
        self.busy_permille[me.index()] = busy_permille;
        let still_hot = if self.hot > 0 {
            WARM_PERMILLE
        } else {
            HOT_PERMILLE
        };
        self.hot = match busy_permille >= still_hot {
            true => self.hot.saturating_add(1),
            false => 0,
        };
        true
    }

    /// The own load, if the others should hear of it.
    pub(crate) fn news(&mut self, me: ShardId) -> Option<u16> {
        let busy = self.own(me);
        let news = self
            .told
            .is_none_or(|told| busy.abs_diff(told) >= TELL_PERMILLE);
        if news {
            self.told = Some(busy);
        }
        news.then_some(busy)
    }

    /// Somebody could not be told: tell again.
    pub(crate) fn not_told(&mut self) {
        self.told = None;
    }

    /// Whom this shard should give connections to: the least busy of `others`, where it is hot, has been for a while,
    /// and that one is much less busy.
    pub(crate) fn relief(
        &self,
        me: ShardId,
        others: impl Iterator<Item = ShardId>,
    ) -> Option<ShardId> {
        if self.hot < HOT_SECONDS {
            return None;
        }
        let busy = |shard: &ShardId| self.busy_permille.get(shard.index()).copied();
        let least = others.min_by_key(|shard| busy(shard).unwrap_or(u16::MAX))?;
        let gap = self.own(me).saturating_sub(busy(&least)?);
        (gap >= GAP_PERMILLE).then_some(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: ShardId = ShardId::new(0);

    /// Loads of the own shard, second by second, while the others stand as given; whom it gives to after each.
    #[track_caller]
    fn check(own: &[u16], others: &[(u16, u16)], expected: &[Option<u16>]) {
        let mut loads = Loads::new(others.len() + 1);
        for (shard, busy) in others {
            loads.heard(ShardId::new(*shard), *busy);
        }
        let (mut now_ns, mut idle_ns) = (5, 7);
        assert!(
            !loads.measure(ME, now_ns, idle_ns),
            "nothing to compare with"
        );
        let given: Vec<Option<u16>> = own
            .iter()
            .map(|busy| {
                now_ns += PERIOD_NS;
                idle_ns += PERIOD_NS / 1000 * u64::from(1000 - busy);
                assert!(!loads.measure(ME, now_ns - 1, idle_ns));
                assert!(loads.measure(ME, now_ns, idle_ns));
                assert_eq!(loads.own(ME), *busy);
                let others = others.iter().map(|(shard, _)| ShardId::new(*shard));
                loads.relief(ME, others).map(ShardId::number)
            })
            .collect();
        assert_eq!(given, expected, "{own:?} beside {others:?}");
    }

    #[test]
    fn only_a_shard_that_is_hot_for_a_while_gives_to_one_that_is_much_less_busy() {
        let one = Some(1);
        check(&[1000, 1000, 1000], &[(1, 0)], &[None, one, one]);
        check(&[790, 790, 790], &[(1, 0)], &[None, None, None]);
        check(&[900, 100, 900], &[(1, 0)], &[None, None, None]);
        check(&[900, 900], &[(1, 601)], &[None, None]);
        check(&[900, 900], &[(1, 600)], &[None, one]);
        check(
            &[900, 900],
            &[(1, 500), (2, 100), (3, 400)],
            &[None, Some(2)],
        );
        check(&[900, 900], &[], &[None, None]);
    }

    #[test]
    fn who_is_hot_stays_so_until_it_has_cooled_down() {
        let one = Some(1);
        check(
            &[850, 750, 750, 690, 750, 750],
            &[(1, 0)],
            &[None, one, one, None, None, None],
        );
    }

    #[test]
    fn the_others_hear_of_changes_only() {
        let mut loads = Loads::new(2);
        assert_eq!(loads.news(ME), None, "they take it for idle");
        loads.heard(ME, TELL_PERMILLE);
        assert_eq!(loads.news(ME), Some(TELL_PERMILLE));
        assert_eq!(loads.news(ME), None);
        loads.not_told();
        assert_eq!(loads.news(ME), Some(TELL_PERMILLE));
    }

    #[test]
    fn a_clock_that_jumps_gives_no_nonsense() {
        let mut loads = Loads::new(1);
        loads.measure(ME, 0, 0);
        assert!(loads.measure(ME, 2 * PERIOD_NS, 5 * PERIOD_NS));
        assert_eq!(loads.own(ME), 0);
        assert!(loads.measure(ME, 4 * PERIOD_NS, 0));
        assert_eq!(loads.own(ME), 1000);
    }
}
