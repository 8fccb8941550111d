//! A connection's routing as its client's entry holds it: the way it was given, what it remembers,
//! and why it is leaving. It goes along to other shards.

use std::cell::Cell;

use corelane::ShardId;
use corelane_settings::Routing;

use super::costs::Costs;
use super::history::History;
use super::loads::Loads;
use super::pass::Pass;

/// Why a connection goes to another shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MoveReason {
    /// Somebody sent it: `CLIENT MIGRATE`, or a shard that wants to be rid of it.
    #[default]
    Order,
    /// Its next command's key is there, and it goes wherever its keys are.
    Migrate,
    /// It has had enough of hopping there.
    Adaptive,
}

impl MoveReason {
    /// Every reason, with its name in `INFO`.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Order, "order"),
        (Self::Migrate, "migrate"),
        (Self::Adaptive, "adaptive"),
    ];
}

/// One connection's routing.
#[derive(Debug, Default)]
pub struct Course {
    /// The way chosen by `CLIENT ROUTING`; none is the server's.
    pub chosen: Cell<Option<Routing>>,
    history: Cell<History>,
    reason: Cell<MoveReason>,
    /// Passes until it tries to move by itself again.
    rest: Cell<u8>,
    /// When it set out, on the clock that all shards share.
    left_ns: Cell<u64>,
}

/// Passes of hopping after another shard would not take a connection.
const REFUSED_REST: u8 = 64;

impl Course {
    /// The way that its next commands take, where the server's way is `default`.
    #[inline]
    pub fn way(&self, default: Routing) -> Routing {
        match self.rest.get() {
            0 => self.chosen.get().unwrap_or(default),
            _ => Routing::Hop,
        }
    }

    /// What `CLIENT LIST` shows of it.
    pub fn shown(&self) -> &'static str {
        self.chosen.get().map_or("default", Routing::name)
    }

    /// Whether a pass that stays at home changes nothing here.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.rest.get() == 0 && self.history.get().is_calm()
    }

    /// Takes in a pass of a connection under `way`; the shard where it had better live.
    pub(crate) fn note(
        &self,
        way: Routing,
        pass: &Pass,
        costs: &Costs,
        loads: &Loads,
    ) -> Option<ShardId> {
        self.rest.set(self.rest.get().saturating_sub(1));
        if way != Routing::Adaptive {
            return None;
        }
        let mut history = self.history.get();
        history.note(pass.is_here(), pass.others());
        self.history.set(history);
        history.advice(costs, |shard| loads.is_crowded(shard))
    }

    /// It sets out for another shard now.
    pub fn set_out(&self, reason: MoveReason, now_ns: u64) {
        self.reason.set(reason);
        self.left_ns.set(now_ns);
    }

    /// Why it set out.
    pub(crate) fn reason(&self) -> MoveReason {
        self.reason.get()
    }

    /// It has come from `from`.
    pub(crate) fn arrived(&self, from: ShardId, costs: &Costs) {
        let mut history = self.history.get();
        match self.reason.take() {
            MoveReason::Adaptive => history.moved(from, costs),
            MoveReason::Order | MoveReason::Migrate => history.carried(),
        }
        self.history.set(history);
    }

    /// How long it was under way.
    pub(crate) fn way_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.left_ns.get())
    }

    /// It was not taken, and stays for a while.
    pub fn refused(&self) {
        self.reason.take();
        self.rest.set(REFUSED_REST);
        let mut history = self.history.get();
        history.carried();
        self.history.set(history);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELSEWHERE: ShardId = ShardId::new(1);

    fn away() -> Pass {
        let mut pass = Pass::default();
        pass.needs(ELSEWHERE);
        pass
    }

    fn passes_until_it_goes(course: &Course) -> Option<u32> {
        let loads = Loads::new(ShardId::new(0), 2);
        (1..=1_000).find(|_| {
            let way = course.way(Routing::Adaptive);
            course.note(way, &away(), &Costs::START, &loads).is_some()
        })
    }

    #[test]
    fn a_choice_goes_before_the_servers_way() {
        let course = Course::default();
        assert_eq!(course.way(Routing::Migrate), Routing::Migrate);
        assert_eq!(course.shown(), "default");
        course.chosen.set(Some(Routing::Hop));
        assert_eq!(course.way(Routing::Migrate), Routing::Hop);
        assert_eq!(course.shown(), "hop");
        assert_eq!(passes_until_it_goes(&course), None);
        course.chosen.set(None);
        assert_eq!(passes_until_it_goes(&course), Some(13));
    }

    #[test]
    fn who_is_refused_rests() {
        let course = Course::default();
        assert_eq!(passes_until_it_goes(&course), Some(13));
        course.set_out(MoveReason::Adaptive, 5);
        assert!(!course.is_calm());
        course.refused();
        assert_eq!(course.way(Routing::Migrate), Routing::Hop);
        assert_eq!(
            passes_until_it_goes(&course),
            Some(u32::from(REFUSED_REST) + 13)
        );
        course.set_out(MoveReason::Adaptive, 5);
        assert_eq!(course.reason(), MoveReason::Adaptive);
        assert_eq!(course.way_ns(12), 7);
        course.arrived(ShardId::new(0), &Costs::START);
        assert_eq!(course.reason(), MoveReason::Order);
    }
}
