//! What all shards of a world share: the seed's random numbers, virtual time, the events to come, the sockets.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::disk::Disk;
use super::event::{Event, Events};
use super::net::{Net, Orphans};
use super::options::WorldOptions;
use super::trace::{Entry, Trace};

pub(crate) struct SimCore {
    pub(crate) seed: u64,
    pub(crate) options: WorldOptions,
    /// Virtual time, shared with the shards' clocks.
    pub(crate) now_ns: Rc<Cell<u64>>,
    pub(crate) net: RefCell<Net>,
    pub(crate) disk: RefCell<Disk>,
    pub(crate) orphans: Orphans,
    rng: RefCell<fastrand::Rng>,
    events: RefCell<Events>,
    trace: RefCell<Trace>,
    /// Operations that take time: done or not, and who waits.
    tickets: RefCell<BTreeMap<u64, Ticket>>,
    next_ticket: Cell<u64>,
}

enum Ticket {
    Waiting(Option<Waker>),
    Done,
}

/// Where a world starts: not 0, which would be mistaken for "never".
const START_NS: u64 = 1_000_000_000;

impl SimCore {
    pub(crate) fn new(seed: u64, options: WorldOptions) -> Rc<Self> {
        Rc::new(SimCore {
            seed,
            options,
            now_ns: Rc::new(Cell::new(START_NS)),
            net: RefCell::default(),
            disk: RefCell::default(),
            orphans: Orphans::default(),
            rng: RefCell::new(fastrand::Rng::with_seed(seed)),
            events: RefCell::default(),
            trace: RefCell::default(),
            tickets: RefCell::default(),
            next_ticket: Cell::new(0),
        })
    }

    pub(crate) fn now(&self) -> u64 {
        self.now_ns.get()
    }

    /// A new generator, itself from the seed.
    pub(crate) fn fork_rng(&self) -> fastrand::Rng {
        self.rng.borrow_mut().fork()
    }

    /// A number of the range; its start where it is empty.
    pub(crate) fn draw(&self, range: &Range<u64>) -> u64 {
        if range.is_empty() {
            range.start
        } else {
            self.rng.borrow_mut().u64(range.clone())
        }
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        self.rng.borrow_mut().usize(..bound)
    }

    /// How much of `len` goes in one piece: all, or where the options split, any part but none.
    pub(crate) fn piece(&self, len: usize) -> usize {
        if !self.options.split || len <= 1 || self.below(3) == 0 {
            return len;
        }
        1 + self.below(len)
    }

    pub(crate) fn add_event(&self, due_ns: u64, event: Event) {
        let lot = self.rng.borrow_mut().u32(..);
        self.events.borrow_mut().add(due_ns, lot, event);
    }

    pub(crate) fn add_event_in(&self, delay_ns: &Range<u64>, event: Event) {
        let due_ns = self.now() + self.draw(delay_ns);
        self.add_event(due_ns, event);
    }

    pub(crate) fn next_event_ns(&self) -> Option<u64> {
        self.events.borrow().next_ns()
    }

    pub(crate) fn pop_event(&self) -> Option<Event> {
        let event = self.events.borrow_mut().pop(self.now())?;
        self.note(Entry::Event(event));
        Some(event)
    }

    pub(crate) fn note(&self, entry: Entry) {
        self.trace.borrow_mut().add(self.now(), entry);
    }

    pub(crate) fn trace_hash(&self) -> u64 {
        self.trace.borrow().hash()
    }

    pub(crate) fn trace_tail(&self) -> String {
        self.trace.borrow().tail()
    }

    /// Waits as long as an operation of the range takes.
    pub(crate) async fn take_time(&self, range: &Range<u64>) {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket + 1);
        self.tickets
            .borrow_mut()
            .insert(ticket, Ticket::Waiting(None));
        self.add_event_in(range, Event::Done { ticket });
        let _owner = TicketOwner { core: self, ticket };
        std::future::poll_fn(|cx| self.poll_ticket(ticket, cx)).await;
    }

    pub(crate) fn ticket_done(&self, ticket: u64) {
        let waiting = match self.tickets.borrow_mut().get_mut(&ticket) {
            Some(state) => std::mem::replace(state, Ticket::Done),
            None => return,
        };
        if let Ticket::Waiting(Some(waker)) = waiting {
            waker.wake();
        }
    }

    fn poll_ticket(&self, ticket: u64, cx: &Context<'_>) -> Poll<()> {
        match self.tickets.borrow_mut().get_mut(&ticket) {
            Some(Ticket::Waiting(waker)) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

/// Forgets a ticket when its waiter is gone.
struct TicketOwner<'a> {
    core: &'a SimCore,
    ticket: u64,
}

impl Drop for TicketOwner<'_> {
    fn drop(&mut self) {
        let gone = self.core.tickets.borrow_mut().remove(&self.ticket);
        drop(gone);
    }
}

/// A shard's place in its world.
#[derive(Clone)]
pub(crate) struct SimPort {
    pub(crate) world: Rc<SimCore>,
}
