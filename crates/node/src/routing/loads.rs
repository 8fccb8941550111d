//! How busy the shards are, as they tell each other; where that keeps connections away, and when a hot shard should give
//! some up. Decides only.
//!
//! A connection is cheapest where its keys are, as long as that shard has time for it. Where all hot keys are on one shard
//! it has not: reading, parsing, answering and writing are more than half of what a request costs there, and another
//! shard could do them while this one serves hops. So nobody moves to a shard that is hot while its own is much less
//! busy, and a hot shard gives connections up, a few each second, as long as another is much less busy. Between the two
//! gaps nothing happens, else the same connections would go back and forth.
//!
//! An idle connection costs nothing now. But it will speak again, and where it lives then its commands are parsed and its
//! replies are written; so idle ones go first.

use corelane::ShardId;

/// What this shard knows of everybody's load.
#[derive(Debug)]
pub(crate) struct Loads {
    me: ShardId,
    words: Vec<Load>,
    /// When the present second began, and what the loop's idle time was then.
    since: Option<(u64, u64)>,
    /// The own last word, if all have heard it.
    told: Option<Load>,
    /// Seconds in a row in which this shard was hot.
    hot_seconds: u32,
}

/// How busy a shard is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Thousandths of the last second.
    pub(crate) busy_permille: u16,
    /// Whether it has been busy nearly all the time, and for a while.
    pub(crate) is_hot: bool,
}

/// To whom a hot shard gives connections, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relief {
    /// The least busy shard.
    pub(crate) to: ShardId,
    /// Thousandths of the connections that are not idle.
    active_permille: u16,
}

/// Load is measured over so long at least.
const PERIOD_NS: u64 = 1_000_000_000;

/// A smaller change is not worth a message.
const TELL_PERMILLE: u16 = 50;

/// From here on a shard is hot; it stays so until it is below the second.
const HOT_PERMILLE: u16 = 800;
const WARM_PERMILLE: u16 = 700;

/// Seconds for which a shard must be hot. One may be a single long command.
const HOT_SECONDS: u32 = 2;

/// A shard that has to take connections is less busy by so much: both could swing to the middle and would not swing
/// back.
const GIVE_GAP_PERMILLE: u16 = 300;

/// Connections that are not idle and are given away in one second, at most.
const ACTIVE_MAX: usize = 64;

/// Connections go to a hot shard again when it is busier by less than this.
const TAKE_GAP_PERMILLE: u16 = 150;

impl Relief {
    /// How many of so many connections that are not idle are given away at once.
    pub(crate) fn part_of(self, active: usize) -> usize {
        (active * usize::from(self.active_permille) / 1000).min(ACTIVE_MAX)
    }
}

impl Loads {
    pub(crate) fn new(me: ShardId, shards: usize) -> Self {
        Self {
            me,
            words: vec![Load::default(); shards],
            since: None,
            told: Some(Load::default()),
            hot_seconds: 0,
        }
    }

    /// Another shard's word.
    pub(crate) fn heard(&mut self, from: ShardId, load: Load) {
        self.words[from.index()] = load;
    }

    /// A shard's load in its last second, as far as it is known here.
    pub(crate) fn of(&self, shard: ShardId) -> Load {
        self.words.get(shard.index()).copied().unwrap_or_default()
    }

    /// Takes in the time, and the time that the loop has been idle for so far. Whether a second is over, and the own
    /// load with it known anew.
    pub(crate) fn measure(&mut self, now_ns: u64, idle_ns: u64) -> bool {
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
        let still_hot = if self.hot_seconds > 0 {
            WARM_PERMILLE
        } else {
            HOT_PERMILLE
        };
        self.hot_seconds = match busy_permille >= still_hot {
            true => self.hot_seconds.saturating_add(1),
            false => 0,
        };
        self.words[self.me.index()] = Load {
            busy_permille,
            is_hot: self.hot_seconds >= HOT_SECONDS,
        };
        true
    }

    /// The own load, if the others should hear of it.
    pub(crate) fn news(&mut self) -> Option<Load> {
        let load = self.of(self.me);
        let news = self.told.is_none_or(|told| {
            let change = load.busy_permille.abs_diff(told.busy_permille);
            change >= TELL_PERMILLE || load.is_hot != told.is_hot
        });
        if news {
            self.told = Some(load);
        }
        news.then_some(load)
    }

    /// Somebody could not be told: tell again.
    pub(crate) fn not_told(&mut self) {
        self.told = None;
    }

    /// What this shard should give away, `others` being those that could take it: something where it is hot, and the
    /// least busy of them is much less busy.
    pub(crate) fn relief(&self, others: impl Iterator<Item = ShardId>) -> Option<Relief> {
        let least = others.min_by_key(|shard| self.of(*shard).busy_permille)?;
        let gap = self.gap(self.me, self.of(least).busy_permille);
        // Half of what would bring the gap to where nothing happens: each connection makes one busier and the other less.
        let middle = (GIVE_GAP_PERMILLE + TAKE_GAP_PERMILLE) / 2;
        (gap >= GIVE_GAP_PERMILLE).then(|| Relief {
            to: least,
            active_permille: (gap - middle) / 2,
        })
    }

    /// Whether a connection of this shard had better not go to that one, even if all its keys are there.
    pub(crate) fn is_crowded(&self, shard: ShardId) -> bool {
        self.gap(shard, self.of(self.me).busy_permille) >= TAKE_GAP_PERMILLE
    }

    /// Whether that shard is giving connections away, where one of `all` is so much less busy.
    pub(crate) fn gives(&self, shard: ShardId, all: impl Iterator<Item = ShardId>) -> bool {
        let least = all.map(|shard| self.of(shard).busy_permille).min();
        least.is_some_and(|least| self.gap(shard, least) >= GIVE_GAP_PERMILLE)
    }

    /// How much busier than `busy_permille` a hot shard is; nothing for one that is not hot.
    fn gap(&self, shard: ShardId, busy_permille: u16) -> u16 {
        let load = self.of(shard);
        match load.is_hot {
            true => load.busy_permille.saturating_sub(busy_permille),
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: ShardId = ShardId::new(0);
    const OTHER: ShardId = ShardId::new(1);

    fn word(busy_permille: u16) -> Load {
        Load {
            busy_permille,
            is_hot: false,
        }
    }

    fn hot(busy_permille: u16) -> Load {
        Load {
            busy_permille,
            is_hot: true,
        }
    }

    /// Loads of the own shard, second by second, while the others stand as given; whom it gives to after each.
    #[track_caller]
    fn check(own: &[u16], others: &[(u16, u16)], expected: &[Option<u16>]) {
        let mut loads = Loads::new(ME, others.len() + 1);
        for (shard, busy) in others {
            loads.heard(ShardId::new(*shard), word(*busy));
        }
        let (mut now_ns, mut idle_ns) = (5, 7);
        assert!(!loads.measure(now_ns, idle_ns), "nothing to compare with");
        let given: Vec<Option<u16>> = own
            .iter()
            .map(|busy| {
                now_ns += PERIOD_NS;
                idle_ns += PERIOD_NS / 1000 * u64::from(1000 - busy);
                assert!(!loads.measure(now_ns - 1, idle_ns));
                assert!(loads.measure(now_ns, idle_ns));
                assert_eq!(loads.of(ME).busy_permille, *busy);
                let others = others.iter().map(|(shard, _)| ShardId::new(*shard));
                loads.relief(others).map(|relief| relief.to.number())
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
        let mut loads = Loads::new(ME, 2);
        assert_eq!(loads.news(), None, "they take it for idle");
        loads.heard(ME, word(TELL_PERMILLE));
        assert_eq!(loads.news(), Some(word(TELL_PERMILLE)));
        assert_eq!(loads.news(), None);
        loads.not_told();
        assert_eq!(loads.news(), Some(word(TELL_PERMILLE)));
    }

    #[test]
    fn a_clock_that_jumps_gives_no_nonsense() {
        let mut loads = Loads::new(ME, 1);
        loads.measure(0, 0);
        assert!(loads.measure(2 * PERIOD_NS, 5 * PERIOD_NS));
        assert_eq!(loads.of(ME).busy_permille, 0);
        assert!(loads.measure(4 * PERIOD_NS, 0));
        assert_eq!(loads.of(ME).busy_permille, 1000);
    }

    #[test]
    fn becoming_hot_is_news() {
        let mut loads = Loads::new(ME, 2);
        loads.heard(ME, word(900));
        assert!(loads.news().is_some());
        loads.heard(ME, hot(900));
        assert_eq!(loads.news(), Some(hot(900)));
        assert_eq!(loads.news(), None);
    }

    #[test]
    fn the_wider_the_gap_the_more_is_given_away() {
        #[track_caller]
        fn check(own: Load, other: u16, expected: Option<u16>) {
            let mut loads = Loads::new(ME, 2);
            loads.heard(ME, own);
            loads.heard(OTHER, word(other));
            let relief = loads.relief([OTHER].into_iter());
            assert_eq!(relief.map(|relief| relief.active_permille), expected);
        }
        check(hot(1000), 0, Some(387));
        check(hot(1000), 500, Some(137));
        check(hot(1000), 700, Some(37));
        check(hot(1000), 701, None);
        check(word(1000), 0, None);
    }

    #[test]
    fn nobody_goes_where_it_is_much_busier_than_at_home() {
        #[track_caller]
        fn check(own: u16, other: Load, expected: bool) {
            let mut loads = Loads::new(ME, 2);
            loads.heard(ME, word(own));
            loads.heard(OTHER, other);
            assert_eq!(loads.is_crowded(OTHER), expected);
        }
        check(0, hot(1000), true);
        check(850, hot(1000), true);
        // Where all are busy, a connection that lives with its keys makes both less so.
        check(851, hot(1000), false);
        check(0, word(1000), false);
    }

    #[test]
    fn who_gives_is_known_to_the_others() {
        let mut loads = Loads::new(ME, 3);
        let all = || (0..3).map(ShardId::new);
        loads.heard(OTHER, hot(1000));
        assert!(loads.gives(OTHER, all()) && !loads.gives(ME, all()));
        loads.heard(ME, word(800));
        loads.heard(ShardId::new(2), word(701));
        assert!(!loads.gives(OTHER, all()), "nobody is much less busy");
        assert!(!loads.gives(OTHER, [OTHER].into_iter()));
    }
}
