//! Which calls of this shard are under way for which partition, and which wait because their partition moves.
//!
//! A partition that is to move is **frozen** on every shard: calls for it that have not left are held here,
//! in order, and the shard says when the last of those that have left is answered. Only then does the state
//! change hands, so no request ever meets the wrong owner and none overtakes another.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::wiring::{Request, Tag};
use crate::signal::{Fired, Signal};
use crate::{PARTITIONS, Service};

/// Calls that one shard holds for one frozen partition; more are refused. A move takes well under a
/// millisecond, unless a request that was there before it takes long.
pub(crate) const HELD_PER_PARTITION: usize = 4096;

/// One shard's books.
pub(crate) struct Partitions<S: Service> {
    /// Calls under way, by partition.
    open: Box<[Cell<u32>]>,
    /// Requests handled here since somebody last asked, by partition.
    handled: Box<[Cell<u32>]>,
    frozen: RefCell<BTreeMap<Tag, Frozen<S>>>,
    /// How many are frozen: nearly always none, and then one look at this says so.
    frozen_count: Cell<usize>,
}

struct Frozen<S: Service> {
    held: VecDeque<Request<S>>,
    /// Fires when the last call under way is answered.
    drained: Rc<Signal>,
}

impl<S: Service> Partitions<S> {
    pub(crate) fn new() -> Self {
        Self {
            open: (0..PARTITIONS).map(|_| Cell::new(0)).collect(),
            handled: (0..PARTITIONS).map(|_| Cell::new(0)).collect(),
            frozen: RefCell::default(),
            frozen_count: Cell::new(0),
        }
    }

    /// A request for this partition is handled here.
    pub(crate) fn handled(&self, partition: usize) {
        let handled = &self.handled[partition];
        // Where nobody asks, it may go round: what a rebalancer finds when it begins is thrown away.
        handled.set(handled.get().wrapping_add(1));
    }

    /// What has been handled for each partition since this was last asked.
    pub(crate) fn take_handled(&self) -> Vec<u32> {
        self.handled.iter().map(|handled| handled.take()).collect()
    }

    /// A call for this partition leaves.
    pub(crate) fn opened(&self, tag: Tag) {
        if let Some(open) = self.count_of(tag) {
            open.set(open.get() + 1);
        }
    }

    /// A call for this partition is answered, or was never sent.
    pub(crate) fn closed(&self, tag: Tag) {
        let Some(open) = self.count_of(tag) else {
            return;
        };
        open.set(open.get() - 1);
        if open.get() == 0 && self.frozen_count.get() > 0 {
            self.tell_drained(tag);
        }
    }

    /// Holds calls for this partition from now on. The future resolves when none is under way any more.
    pub(crate) fn freeze(&self, tag: Tag) -> Fired {
        let mut frozen = self.frozen.borrow_mut();
        let entry = frozen.entry(tag).or_insert_with(|| Frozen {
            held: VecDeque::new(),
            drained: Rc::default(),
        });
        let drained = entry.drained.clone();
        self.frozen_count.set(frozen.len());
        drop(frozen);
        if self.count_of(tag).is_none_or(|open| open.get() == 0) {
            drained.fire();
        }
        drained.wait()
    }

    /// Ends a freeze and returns what was held, in order, to be sent on.
    pub(crate) fn thaw(&self, tag: Tag) -> VecDeque<Request<S>> {
        let mut frozen = self.frozen.borrow_mut();
        let ended = frozen.remove(&tag);
        self.frozen_count.set(frozen.len());
        ended.map_or_else(VecDeque::new, |frozen| frozen.held)
    }

    /// Whether calls for this partition are held.
    pub(crate) fn is_frozen(&self, tag: Tag) -> bool {
        self.frozen_count.get() > 0 && self.frozen.borrow().contains_key(&tag)
    }

    /// Whether a frozen partition can hold one call more.
    pub(crate) fn has_room(&self, tag: Tag) -> bool {
        let frozen = self.frozen.borrow();
        let held = frozen.get(&tag).map_or(0, |frozen| frozen.held.len());
        held < HELD_PER_PARTITION
    }

    /// Holds a call.
    ///
    /// # Panics
    /// If its partition is not frozen.
    pub(crate) fn hold(&self, request: Request<S>) {
        let mut frozen = self.frozen.borrow_mut();
        let entry = frozen.get_mut(&request.key.tag);
        entry
            .expect("only calls for a frozen partition are held")
            .held
            .push_back(request);
    }

    /// Whether no call for any partition is under way or held, and none is frozen.
    pub(crate) fn is_quiet(&self) -> bool {
        self.frozen_count.get() == 0 && self.open.iter().all(|open| open.get() == 0)
    }

    fn count_of(&self, tag: Tag) -> Option<&Cell<u32>> {
        tag.partition().map(|partition| &self.open[partition])
    }

    #[cold]
    fn tell_drained(&self, tag: Tag) {
        let drained = {
            let frozen = self.frozen.borrow();
            frozen.get(&tag).map(|frozen| frozen.drained.clone())
        };
        if let Some(drained) = drained {
            drained.fire();
        }
    }
}
