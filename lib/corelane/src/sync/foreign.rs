//! A value that stays at home: what stands for it may travel to other shards, the value itself does not (Seastar's
//! `foreign_ptr`). So a value that is not `Send` (shard state, its buffers, its connections) can be handed about, and is
//! dropped where it was made, wherever the last holder was.
//!
//! How: the value lies in a table of its home runtime ([`corelane_rt::local`]). A [`Foreign`] holds its number there.
//! Dropped abroad, it puts the number on a list of the home, which has had room for it since the value was made, and
//! wakes the task there that drops what the list names. So a drop never fails, waits or takes memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use corelane_rt::task::{self, Group};
use corelane_rt::{local, shard};

use crate::{ShardId, panics};

/// Stands for a value of another shard. `Send` and `Sync` whatever `T` is, as only its home gets at the value.
///
/// ```
/// use std::rc::Rc;
/// use corelane::sim::{World, WorldOptions};
/// use corelane::sync::Foreign;
///
/// let world = World::new(1, WorldOptions::default());
/// let (home, abroad) = (world.shard(0, "home"), world.shard(1, "abroad"));
/// let value = Rc::new("stays on shard 0");
/// let held = value.clone();
/// let foreign = world.block_on(home, async move { Foreign::of(held) })?;
/// assert_eq!(Rc::strong_count(&value), 2);
/// world.block_on(abroad, async move {
///     assert!(foreign.get().is_err(), "not from here");
///     drop(foreign);
/// })?;
/// world.run_for(std::time::Duration::from_millis(1))?;
/// assert_eq!(Rc::strong_count(&value), 1, "dropped at home");
/// # Ok::<(), corelane::sim::Stuck>(())
/// ```
pub struct Foreign<T: 'static> {
    key: u64,
    home: Arc<Returns>,
    /// It gives values of `T` out, but never holds one.
    of: PhantomData<fn() -> T>,
}

/// The value is on another shard, or its shard has ended and the value with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value lives on shard {home}: send what needs it there")]
pub struct NotHome {
    /// The number of the shard it lives on.
    pub home: u16,
}

impl<T: 'static> Foreign<T> {
    /// Keeps `value` on the calling shard and returns what stands for it.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use = "dropped at once, it drops the value"]
    pub fn new(value: T) -> Self {
        Self::of(Rc::new(value))
    }

    /// As [`new`](Self::new), of a value that others on this shard hold as well.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use = "dropped at once, it drops this hold on the value"]
    pub fn of(value: Rc<T>) -> Self {
        let home = Home::here();
        Self {
            key: home.keep(value),
            home: home.returns.clone(),
            of: PhantomData,
        }
    }

    /// The shard that the value lives on.
    #[must_use]
    pub fn home(&self) -> ShardId {
        ShardId::new(self.home.shard)
    }

    /// Whether the calling shard is its home.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.here().is_some()
    }

    /// The value, at home. The `Rc` holds it beyond this `Foreign`, still at home.
    ///
    /// # Errors
    /// [`NotHome`] on every other shard, and outside of any.
    pub fn get(&self) -> Result<Rc<T>, NotHome> {
        let value = self.here().and_then(|home| home.get(self.key));
        let value = value.ok_or(NotHome {
            home: self.home.shard,
        })?;
        Ok(value
            .downcast()
            .expect("a foreign value has the type it was made with"))
    }

    /// Takes the value back, at home.
    ///
    /// # Errors
    /// This `Foreign`, on every other shard, and outside of any.
    pub fn take(self) -> Result<Rc<T>, Self> {
        match self.get() {
            Ok(value) => Ok(value),
            Err(NotHome { .. }) => Err(self),
        }
    }

    fn here(&self) -> Option<Rc<Home>> {
        local::get::<Home>().filter(|home| Arc::ptr_eq(&home.returns, &self.home))
    }
}

impl<T: 'static> Drop for Foreign<T> {
    fn drop(&mut self) {
        match self.here() {
            Some(home) => drop(home.give_up(self.key)),
            None => self.home.send(self.key),
        }
    }
}

impl<T: 'static> fmt::Debug for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("of", &std::any::type_name::<T>())
            .field("home", &self.home.shard)
            .finish()
    }
}

/// One runtime's values that are stood for elsewhere.
struct Home {
    values: RefCell<BTreeMap<u64, Rc<dyn Any>>>,
    next: Cell<u64>,
    returns: Arc<Returns>,
}

impl Home {
    /// The calling runtime's; made now, with the task that drops what comes home, if there was none.
    fn here() -> Rc<Self> {
        if let Some(home) = local::get::<Self>() {
            return home;
        }
        let home = Rc::new(Self {
            values: RefCell::default(),
            next: Cell::new(0),
            returns: Arc::new(Returns {
                shard: shard(),
                list: Mutex::default(),
            }),
        });
        local::insert(home.clone());
        drop(task::spawn_in(
            Group::Background,
            drop_returned(home.clone()),
        ));
        home
    }

    fn keep(&self, value: Rc<dyn Any>) -> u64 {
        let key = self.next.get();
        self.next.set(key + 1);
        let mut values = self.values.borrow_mut();
        values.insert(key, value);
        self.returns.make_room(values.len());
        key
    }

    fn get(&self, key: u64) -> Option<Rc<dyn Any>> {
        self.values.borrow().get(&key).cloned()
    }

    /// Takes a value out; to be dropped by the caller, when nothing is borrowed.
    fn give_up(&self, key: u64) -> Option<Rc<dyn Any>> {
        self.values.borrow_mut().remove(&key)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What comes now is gone already.
        self.returns.lock().ended = true;
    }
}

/// Drops what comes home, for as long as the runtime lives.
async fn drop_returned(home: Rc<Home>) {
    let mut batch = Vec::new();
    loop {
        poll_fn(|cx| home.returns.poll_take(cx.waker(), &mut batch)).await;
        for key in batch.drain(..) {
            let value = home.give_up(key);
            // One value's panic must not keep the others from their end.
            let dropped = catch_unwind(AssertUnwindSafe(move || drop(value)));
            if let Err(payload) = dropped {
                tracing::error!(
                    "dropping a value that came home panicked: {}",
                    panics::text(&*payload)
                );
            }
            task::maybe_yield().await;
        }
    }
}

/// The way home: the numbers of values that nobody stands for any more.
struct Returns {
    shard: u16,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// Has room for every value that is out, so that a drop takes no memory.
    keys: Vec<u64>,
    waker: Option<Waker>,
    ended: bool,
}

impl Returns {
    /// Sees to room for `values` numbers.
    fn make_room(&self, values: usize) {
        let mut list = self.lock();
        let missing = values.saturating_sub(list.keys.len());
        list.keys.reserve(missing);
    }

    /// From abroad: nobody stands for this value any more.
    fn send(&self, key: u64) {
        let mut list = self.lock();
        if list.ended {
            return;
        }
        list.keys.push(key);
        let waker = list.waker.take();
        drop(list);
        waker.into_iter().for_each(Waker::wake);
    }

    /// At home: takes what has come, or waits for it.
    fn poll_take(&self, waker: &Waker, batch: &mut Vec<u64>) -> Poll<()> {
        let mut list = self.lock();
        if list.keys.is_empty() {
            list.waker = Some(waker.clone());
            return Poll::Pending;
        }
        batch.append(&mut list.keys);
        Poll::Ready(())
    }

    /// Nothing runs under the lock that could panic half way.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
