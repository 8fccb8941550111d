//! Sending many messages at once: gathered by worker, so that many share one place in its inbox, one charge and
//! one wake.

use super::handle::refusal_of;
use super::host::{Op, Parcel};
use super::placement::{Place, TO_WORKER};
use super::{PoolHandle, SendRefusal, To, UnsentMany, blocking};
use crate::PARTITIONS;
use crate::worker::Worker;

/// Messages that travel together at most.
const CHUNK: usize = 256;

impl<W: Worker> PoolHandle<W> {
    /// Sends many messages by key, waiting for room if need be. Messages of one key stay in order, also with those
    /// that this sender sends otherwise. Far cheaper per message than [`send`](Self::send).
    ///
    /// # Errors
    /// [`UnsentMany`] with those that were not sent and had been taken from `messages`.
    pub async fn send_many<K: AsRef<[u8]>>(
        &self,
        messages: impl IntoIterator<Item = (K, W::Message)>,
    ) -> Result<(), UnsentMany<W::Message>> {
        let mut many = Many::new(self);
        for (key, message) in messages {
            let mut message = message;
            while let Err((back, reason)) = many.add(To::Key(key.as_ref()), message) {
                if reason != SendRefusal::Full {
                    return many.end(back, reason);
                }
                message = back;
                many.flush();
                match self.place(To::Key(key.as_ref())) {
                    Ok(place) => self.room(place.worker).await,
                    Err(reason) => return many.end(message, reason),
                }
            }
        }
        many.finish()
    }

    /// As [`send_many`](Self::send_many), for threads that await nothing.
    ///
    /// # Errors
    /// As [`send_many`](Self::send_many).
    ///
    /// # Panics
    /// On a shard: await [`send_many`](Self::send_many) there.
    pub fn send_many_blocking<K: AsRef<[u8]>>(
        &self,
        messages: impl IntoIterator<Item = (K, W::Message)>,
    ) -> Result<(), UnsentMany<W::Message>> {
        assert!(
            !corelane_rt::is_inside(),
            "a shard that blocks serves nobody: await `send_many` instead"
        );
        blocking::wait(self.send_many(messages), None).expect("there is no limit")
    }

    /// Sends as many messages as there is room for; the first that does not fit is returned, and those behind it
    /// stay in `messages`.
    ///
    /// # Errors
    /// [`UnsentMany`].
    pub fn try_send_many<K: AsRef<[u8]>>(
        &self,
        messages: &mut impl Iterator<Item = (K, W::Message)>,
    ) -> Result<(), UnsentMany<W::Message>> {
        let mut many = Many::new(self);
        for (key, message) in messages {
            if let Err((back, reason)) = many.add(To::Key(key.as_ref()), message) {
                return many.end(back, reason);
            }
        }
        many.finish()
    }
}

/// Messages that gather before they leave.
struct Many<'a, W: Worker> {
    pool: &'a PoolHandle<W>,
    /// By worker, or by partition where partitions may move.
    groups: Vec<Group<W>>,
    back: Vec<W::Message>,
    reason: SendRefusal,
}

struct Group<W: Worker> {
    messages: Vec<W::Message>,
    /// Messages charged for and not here yet.
    room: u64,
    /// Where they go; for a group with messages or room.
    place: Place,
}

impl<'a, W: Worker> Many<'a, W> {
    fn new(pool: &'a PoolHandle<W>) -> Self {
        Self {
            pool,
            groups: Vec::new(),
            back: Vec::new(),
            reason: SendRefusal::Stopped,
        }
    }

    fn add(&mut self, to: To<'_>, message: W::Message) -> Result<(), (W::Message, SendRefusal)> {
        let place = match self.pool.place(to) {
            Ok(place) => place,
            Err(reason) => return Err((message, reason)),
        };
        let group = match place.partition {
            TO_WORKER => place.worker,
            partition => usize::from(partition),
        };
        if self.groups.is_empty() {
            let groups = self.pool.shared.gauges.len().max(match place.partition {
                TO_WORKER => 0,
                _ => PARTITIONS,
            });
            let empty = || Group {
                messages: Vec::new(),
                room: 0,
                place,
            };
            self.groups.resize_with(groups, empty);
        }
        let group = &mut self.groups[group];
        if group.room == 0 {
            let gauge = &self.pool.shared.gauges[place.worker];
            match gauge.charge(CHUNK as u64, self.pool.inside) {
                Ok(room) => (group.room, group.place) = (room, place),
                Err(reason) => return Err((message, reason)),
            }
            group.messages.reserve_exact(group.room as usize);
        }
        group.room -= 1;
        group.messages.push(message);
        if group.room == 0 {
            let sent = group.send(self.pool);
            self.took_back(sent);
        }
        Ok(())
    }

    /// Sends what has gathered.
    fn flush(&mut self) {
        for group in 0..self.groups.len() {
            let sent = self.groups[group].send(self.pool);
            self.took_back(sent);
        }
    }

    fn took_back(&mut self, sent: Result<(), (Vec<W::Message>, SendRefusal)>) {
        if let Err((mut messages, reason)) = sent {
            self.back.append(&mut messages);
            self.reason = reason;
        }
    }

    fn finish(mut self) -> Result<(), UnsentMany<W::Message>> {
        self.flush();
        match self.back.is_empty() {
            true => Ok(()),
            false => Err(UnsentMany {
                messages: std::mem::take(&mut self.back),
                reason: self.reason,
            }),
        }
    }

    fn end(
        mut self,
        message: W::Message,
        reason: SendRefusal,
    ) -> Result<(), UnsentMany<W::Message>> {
        self.flush();
        self.back.push(message);
        Err(UnsentMany {
            messages: std::mem::take(&mut self.back),
            reason,
        })
    }
}

impl<W: Worker> Group<W> {
    fn send(&mut self, pool: &PoolHandle<W>) -> Result<(), (Vec<W::Message>, SendRefusal)> {
        let gauge = &pool.shared.gauges[self.place.worker];
        let unused = std::mem::take(&mut self.room);
        if unused > 0 {
            gauge.give_back(unused);
        }
        if self.messages.is_empty() {
            return Ok(());
        }
        let parcel = Parcel {
            messages: std::mem::take(&mut self.messages),
            partition: self.place.partition,
            worker: self.place.worker as u16,
        };
        let handle = match pool.handle() {
            Ok(handle) => handle,
            Err(reason) => return Err((parcel.messages, reason)),
        };
        let sent = handle.cast(self.place.target(), Op::Many(parcel));
        sent.map_err(|refused| {
            let Op::Many(parcel) = refused.message else {
                unreachable!("what comes back is what was sent")
            };
            gauge.give_back(parcel.messages.len() as u64);
            (parcel.messages, refusal_of(refused.reason))
        })
    }
}

/// What was gathered and not sent, because its future was dropped, is given back.
impl<W: Worker> Drop for Many<'_, W> {
    fn drop(&mut self) {
        for group in &mut self.groups {
            let left = group.room + group.messages.len() as u64;
            if left > 0 {
                self.pool.shared.gauges[group.place.worker].give_back(left);
            }
        }
    }
}
