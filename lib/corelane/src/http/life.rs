//! What a connection is doing, since when, and how long it may. Pure: time is handed in.

use std::cell::Cell;

use super::options::Options;

/// A connection's state as its limits see it, told by the reads and writes (`io`) and by the service around
/// the user's (`service`), and asked by the task that drives the connection.
pub(super) struct Life {
    phase: Cell<Phase>,
    since_ns: Cell<u64>,
    read_ns: Cell<u64>,
    /// When the first byte of the request under way came; of the pipelined ones, their chunk's time.
    arrived_ns: Cell<u64>,
    sending_since_ns: Cell<Option<u64>>,
    /// The arrival of a request whose answer is written but not yet sent.
    unsent: Cell<Option<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    Idle,
    /// A part of a head has come.
    Head,
    /// The service is at work, or waits for the rest of the body.
    Answering,
    /// The service has answered; the answer's body is not yet all written.
    Replying,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    Head,
    Idle,
    Answer,
    Stall,
}

impl Life {
    pub(super) fn new(now_ns: u64) -> Self {
        Self {
            phase: Cell::new(Phase::Idle),
            since_ns: Cell::new(now_ns),
            read_ns: Cell::new(now_ns),
            arrived_ns: Cell::new(now_ns),
            sending_since_ns: Cell::new(None),
            unsent: Cell::new(None),
        }
    }

    /// Bytes have come.
    pub(super) fn read(&self, now_ns: u64) {
        self.read_ns.set(now_ns);
        if self.phase.get() == Phase::Idle {
            self.arrived_ns.set(now_ns);
            self.enter(Phase::Head, now_ns);
        }
    }

    /// A request goes to the service.
    pub(super) fn request(&self, now_ns: u64) {
        if self.phase.get() == Phase::Idle {
            // Pipelined: it came with the bytes of an earlier one.
            self.arrived_ns.set(self.read_ns.get());
        }
        self.enter(Phase::Answering, now_ns);
    }

    /// The service has answered.
    pub(super) fn answered(&self, now_ns: u64) {
        self.enter(Phase::Replying, now_ns);
    }

    /// The whole answer is written.
    pub(super) fn replied(&self, now_ns: u64) {
        if self.phase.get() == Phase::Replying {
            self.unsent.set(Some(self.arrived_ns.get()));
            self.enter(Phase::Idle, now_ns);
        }
    }

    /// A send has begun; when the request arrived whose answer it ends, if it ends one.
    pub(super) fn send_began(&self, now_ns: u64) -> Option<u64> {
        self.sending_since_ns.set(Some(now_ns));
        self.unsent.take()
    }

    /// The send has ended.
    pub(super) fn send_ended(&self) {
        self.sending_since_ns.set(None);
    }

    /// When a limit will be reached if nothing happens before, and which; `None` where only the service can say
    /// when it goes on (an answer that is streamed).
    pub(super) fn limit(&self, options: &Options) -> Option<(u64, Expired)> {
        let of_phase = match self.phase.get() {
            Phase::Idle => Some((options.idle_timeout, Expired::Idle)),
            Phase::Head => Some((options.head_timeout, Expired::Head)),
            Phase::Answering => Some((options.answer_timeout, Expired::Answer)),
            Phase::Replying => None,
        };
        let of_phase = of_phase.map(|(limit, which)| (self.since_ns.get(), limit, which));
        let of_send = self.sending_since_ns.get();
        let of_send = of_send.map(|since_ns| (since_ns, options.stall_timeout, Expired::Stall));
        let limits = of_phase.into_iter().chain(of_send);
        let limits = limits.map(|(since_ns, limit, which)| {
            let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
            (since_ns.saturating_add(limit_ns), which)
        });
        limits.min_by_key(|(at_ns, _)| *at_ns)
    }

    fn enter(&self, phase: Phase, now_ns: u64) {
        self.phase.set(phase);
        self.since_ns.set(now_ns);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Expired, Life};
    use crate::http::Options;

    /// What happens to a connection, at a time in seconds.
    #[derive(Clone, Copy)]
    enum Event {
        Read(u64),
        Request(u64),
        Answered(u64),
        Replied(u64),
        SendBegan(u64),
        SendEnded,
    }
    use Event::*;

    fn second(n: u64) -> u64 {
        Duration::from_secs(n).as_nanos() as u64
    }

    fn check(events: &[Event], limit: Option<(u64, Expired)>) {
        let options = Options {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(30),
            ..Options::default()
        };
        let life = Life::new(0);
        for event in events {
            match *event {
                Read(at) => life.read(second(at)),
                Request(at) => life.request(second(at)),
                Answered(at) => life.answered(second(at)),
                Replied(at) => life.replied(second(at)),
                SendBegan(at) => drop(life.send_began(second(at))),
                SendEnded => life.send_ended(),
            }
        }
        let limit = limit.map(|(at, which)| (second(at), which));
        assert_eq!(life.limit(&options), limit);
    }

    #[test]
    fn each_phase_has_its_limit() {
        let served = [Read(1), Request(1), Answered(2), Replied(3), SendBegan(3)];
        check(&[], Some((60, Expired::Idle)));
        check(&[Read(5)], Some((15, Expired::Head)));
        // A byte now and then does not move the end of the head.
        check(&[Read(5), Read(14)], Some((15, Expired::Head)));
        check(&[Read(5), Request(6)], Some((26, Expired::Answer)));
        // Nor do the bytes of a body that of the answer.
        check(
            &[Read(5), Request(6), Read(20)],
            Some((26, Expired::Answer)),
        );
        check(&[Read(5), Request(6), Answered(7)], None);
        check(
            &[Read(5), Request(6), Answered(7), SendBegan(8)],
            Some((38, Expired::Stall)),
        );
        check(&served, Some((33, Expired::Stall)));
        check(
            &[&served[..], &[SendEnded]].concat(),
            Some((63, Expired::Idle)),
        );
        check(
            &[&served[..], &[SendEnded, Read(40)]].concat(),
            Some((50, Expired::Head)),
        );
    }

    #[test]
    fn service_time_counts_from_the_bytes_that_brought_the_request() {
        let life = Life::new(0);
        life.read(10);
        life.read(20);
        life.request(21);
        life.answered(30);
        assert_eq!(
            life.send_began(31),
            None,
            "the answer's body is not written yet"
        );
        life.replied(40);
        assert_eq!(life.send_began(41), Some(10));
        assert_eq!(life.send_began(42), None, "said once");
        // Pipelined: its bytes came in the read at 20.
        life.request(50);
        life.answered(51);
        life.replied(52);
        assert_eq!(life.send_began(53), Some(20));
    }
}
