//! What the clients of one run share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use corelane::net::Addr;

use super::record::Record;
use crate::plan::Scenario;

/// The shared part.
pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) address: Addr,
    pub(crate) record: RefCell<Record>,
    pub(crate) counts: Cell<Counts>,
    findings: RefCell<Vec<Finding>>,
    /// The numbers that the node gave to the clients' present connections.
    numbers: RefCell<Vec<Option<u64>>>,
    killed: RefCell<BTreeSet<u64>>,
    stopping: Cell<bool>,
    /// Shards that serve, as far as somebody was told.
    serving: Cell<usize>,
    /// Clients that have something left to do.
    busy: Cell<usize>,
    watcher: Cell<Option<Waker>>,
    /// Connections that are done and stay.
    lingering: Cell<usize>,
    connections: Cell<u32>,
    waiting: RefCell<BTreeMap<u32, Waits>>,
}

/// What happened, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) commands: u64,
    pub(crate) replies: u64,
    /// Times that a connection went to another shard, as the node tells when all is quiet.
    pub(crate) moves: u64,
    /// Commands that ran again because a partition had moved, as the node tells then.
    pub(crate) reruns: u64,
    /// Resizes that came to their end.
    pub(crate) resizes: u64,
}

/// What a connection waits for, to be told if it waits for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// The client and which of its connections; nobody's for looks and storms.
    pub(crate) whose: Option<(usize, usize)>,
    /// Replies it has had, and those it expects.
    pub(crate) replies: usize,
    pub(crate) expected: usize,
    /// The command whose reply is next.
    pub(crate) first: Option<usize>,
}

/// Something a client saw that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A reply that does not answer its command, one too many, one too few.
    Reply(String),
    /// A reply that took too long.
    Late(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Reply(text) | Self::Late(text)) = self;
        f.write_str(text)
    }
}

impl Stage {
    pub(crate) fn new(scenario: Scenario, address: Addr) -> Self {
        let clients = scenario.clients.len();
        Self {
            record: RefCell::new(Record::new(scenario.keyspace.objects())),
            counts: Cell::default(),
            findings: RefCell::default(),
            numbers: RefCell::new(vec![None; clients]),
            killed: RefCell::default(),
            stopping: Cell::new(false),
            serving: Cell::new(scenario.shards),
            busy: Cell::new(clients),
            watcher: Cell::default(),
            lingering: Cell::new(0),
            connections: Cell::new(0),
            waiting: RefCell::default(),
            scenario,
            address,
        }
    }

    /// The number of a new connection: one process of the histories.
    pub(crate) fn connect(&self) -> u32 {
        let number = self.connections.get();
        self.connections.set(number + 1);
        number
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    pub(crate) fn found(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.findings.borrow().clone()
    }
}

/// Who may be ended, and by whom.
impl Stage {
    pub(crate) fn set_number(&self, client: usize, number: Option<u64>) {
        if let Some(known) = self.numbers.borrow_mut().get_mut(client) {
            *known = number;
        }
    }

    /// The number of a client's present connection.
    pub(crate) fn number_of(&self, client: usize) -> u64 {
        /// No connection has this number.
        const NOBODY: u64 = 999_999;
        self.numbers.borrow()[client].unwrap_or(NOBODY)
    }

    /// The number to kill a client by. From here on its end surprises nobody.
    pub(crate) fn mark_for_kill(&self, client: usize) -> u64 {
        let number = self.number_of(client);
        self.killed.borrow_mut().insert(number);
        number
    }

    /// Whether the node may end the connection with this number, or it may break.
    pub(crate) fn may_end(&self, number: Option<u64>) -> bool {
        let killed = number.is_some_and(|number| self.killed.borrow().contains(&number));
        killed || self.stopping.get() || self.scenario.resets()
    }

    pub(crate) fn stop(&self) {
        self.stopping.set(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }
}

/// How many shards there are.
impl Stage {
    /// So many shards serve.
    pub(crate) fn set_serving(&self, shards: usize) {
        self.serving.set(shards);
    }

    /// How many shards serve when all is quiet.
    pub(crate) fn serving(&self) -> usize {
        self.serving.get()
    }
}

/// Who is still at work.
impl Stage {
    /// A client has nothing left to do.
    pub(crate) fn done(&self) {
        self.busy.set(self.busy.get() - 1);
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }

    /// A connection that is done begins to linger.
    pub(crate) fn begin_to_linger(&self) {
        self.lingering.set(self.lingering.get() + 1);
    }

    /// It has ended.
    pub(crate) fn cease_to_linger(&self) {
        self.lingering.set(self.lingering.get() - 1);
    }

    /// Whether a `CLIENT LIST` has a line for each connection that lingers and one for who asks.
    pub(crate) fn is_everybody(&self, list: &str) -> bool {
        let lines = list.lines().filter_map(|line| line.split_once("id="));
        let ids: Vec<&str> = lines
            .filter_map(|(_, rest)| rest.split(' ').next())
            .collect();
        let distinct: BTreeSet<&&str> = ids.iter().collect();
        let count = ids.len();
        // Of a connection that broke, the node may not know yet.
        self.scenario.resets() || count == distinct.len() && count == self.lingering.get() + 1
    }

    /// Waits until all clients have nothing left to do.
    pub(crate) async fn all_done(&self) {
        poll_fn(|cx| {
            if self.busy.get() == 0 {
                return Poll::Ready(());
            }
            self.watcher.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Notes what a connection waits for.
    pub(crate) fn waits(&self, connection: u32, what: Option<Waits>) {
        let mut waiting = self.waiting.borrow_mut();
        match what {
            Some(what) => waiting.insert(connection, what),
            None => waiting.remove(&connection),
        };
    }

    /// What connections wait for, a line each.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let waiting = self.waiting.borrow();
        let line = |(connection, waits): (&u32, &Waits)| self.describe(*connection, waits);
        waiting.iter().map(line).collect()
    }

    /// What a connection waits for, in words.
    pub(crate) fn describe(&self, connection: u32, waits: &Waits) -> String {
        let (whose, request) = match waits.whose {
            Some((client, session)) => {
                let plan = &self.scenario.clients[client].sessions[session];
                let request = waits.first.map(|first| plan.requests[first].to_string());
                (format!("client {client}"), request)
            }
            None => ("a look or a storm".to_owned(), None),
        };
        let (had, expected) = (waits.replies, waits.expected);
        let next = match (request, expected) {
            (Some(request), _) => format!(", waits for {expected} more, first for {request}"),
            (None, 0) => String::new(),
            (None, _) => format!(", waits for {expected} more"),
        };
        format!("{whose}, connection {connection} (had {had} replies{next})")
    }
}
