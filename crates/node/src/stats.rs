//! What one shard counts. Plain numbers of one thread; `INFO` sums the shards' copies.

use std::collections::BTreeMap;

use corelane::tls::Reason;

use crate::catalog::CommandId;
use crate::routing::MoveReason;

/// Counters of one command.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: u64,
    /// Nanoseconds of the runs that were timed.
    pub timed_ns: u64,
    /// Runs that were timed: one in [`TIMED_ONE_IN`].
    pub timed: u64,
    /// Refused before it ran (arity, AUTH, memory).
    pub rejected: u64,
    /// Ran and answered with an error.
    pub failed: u64,
}

/// Reading a clock twice costs as much as a GET, so only one run in this many is timed.
pub(crate) const TIMED_ONE_IN: u64 = 64;

impl CommandStats {
    /// Estimated microseconds of all runs.
    pub fn total_us(&self) -> u64 {
        match self.timed {
            0 => 0,
            timed => {
                (u128::from(self.timed_ns) * u128::from(self.calls) / u128::from(timed) / 1000)
                    as u64
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.timed_ns += other.timed_ns;
        self.timed += other.timed;
        self.rejected += other.rejected;
        self.failed += other.failed;
    }
}

/// A shard's counters since start or `CONFIG RESETSTAT`.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Per command, by [`CommandId`].
    pub commands: Vec<CommandStats>,
    /// Error replies by their first word.
    pub errors: BTreeMap<String, u64>,
    /// Commands executed.
    pub commands_processed: u64,
    /// Connections accepted.
    pub connections_received: u64,
    /// Connections refused at `maxclients`.
    pub connections_rejected: u64,
    /// Connections that were handed to a shard with fewer before they began.
    pub connections_handed_over: u64,
    /// Connections that a hot shard has sent to a less busy one.
    pub connections_shed: u64,
    /// Connections that went to another shard.
    pub connections_moved: u64,
    /// Of these, by their reasons, in the order of [`MoveReason::ALL`].
    pub moves_by_reason: [u64; MoveReason::ALL.len()],
    /// Connections that came from another shard.
    pub connections_arrived: u64,
    /// Connections that were to go to another shard, which did not take them.
    pub connection_moves_refused: u64,
    /// Bytes read from clients.
    pub net_input_bytes: u64,
    /// Bytes sent to clients.
    pub net_output_bytes: u64,
    /// Times that something was read from a client.
    pub reads: u64,
    /// Times that something was sent to a client.
    pub writes: u64,
    /// Commands that went to another shard.
    pub hops: u64,
    /// Data commands that ran on the shard of their connection.
    pub local_commands: u64,
    /// Commands that came to a shard without their keys, which had moved, and were run again.
    pub moved_reruns: u64,
    /// Keys found and not found by reads.
    pub keyspace_hits: u64,
    /// Reads that found no key.
    pub keyspace_misses: u64,
    /// Keys removed because their time had come.
    pub expired_keys: u64,
    /// Keys that had been removed so before these counters began.
    pub(crate) expired_before: u64,
    /// Clients cut off because they did not read their replies.
    pub output_limit_disconnections: u64,
    /// Clients cut off because their query grew over its limit.
    pub query_limit_disconnections: u64,
    /// Clients cut off because they speak HTTP: somebody may have a browser send it.
    pub cross_protocol_disconnections: u64,
    /// Clients ended because clients held more than `maxmemory-clients`.
    pub evicted_clients: u64,
    /// Clients ended after `timeout` seconds of silence.
    pub idle_disconnections: u64,
    /// Clients cut off in the middle of a reply because their shard went to sleep.
    pub retirement_disconnections: u64,
    /// Clients that vanished without a word, found by TCP's asking whether they are there.
    pub half_open_disconnections: u64,
    /// Connections without the load balancer's header that they should begin with.
    pub proxy_refusals: u64,
    /// Protocol errors.
    pub protocol_errors: u64,
    /// TLS handshakes that came to an end, the good one.
    pub tls_handshakes: u64,
    /// Of these, such that took a session up again.
    pub tls_resumed: u64,
    /// Times that the certificates were read anew because somebody asked by a signal.
    pub tls_reloads: u64,
    /// Times that they could not be, and the old ones stayed.
    pub tls_reloads_failed: u64,
    /// TLS handshakes that failed, by [`Reason::ALL`].
    pub tls_failures: [u64; Reason::ALL.len()],
}

/// Distinct error prefixes counted; clients choose none of them, but a bound costs nothing.
const MAX_ERROR_KINDS: usize = 128;

impl Stats {
    pub(crate) fn new(commands: usize) -> Self {
        Self {
            commands: vec![CommandStats::default(); commands],
            ..Self::default()
        }
    }

    /// The counters of one command.
    pub fn command(&mut self, id: CommandId) -> &mut CommandStats {
        &mut self.commands[id.0 as usize]
    }

    /// Counts an error reply, given as it is sent: `-WRONGTYPE Operation…`.
    pub fn count_error(&mut self, reply: &[u8]) {
        let text = reply.strip_prefix(b"-").unwrap_or(reply);
        let end = text
            .iter()
            .position(|b| matches!(b, b' ' | b'\r' | b'\n'))
            .unwrap_or(text.len());
        let prefix = String::from_utf8_lossy(&text[..end]).into_owned();
        if self.errors.len() < MAX_ERROR_KINDS || self.errors.contains_key(&prefix) {
            *self.errors.entry(prefix).or_default() += 1;
        }
    }

    /// Counts a connection that went to another shard.
    pub(crate) fn count_move(&mut self, reason: MoveReason) {
        self.connections_moved += 1;
        self.moves_by_reason[reason as usize] += 1;
    }

    /// Counts a TLS handshake that failed.
    pub fn count_tls_failure(&mut self, reason: Reason) {
        let place = Reason::ALL.iter().position(|known| *known == reason);
        self.tls_failures[place.expect("all reasons are in the list")] += 1;
    }

    /// Adds another shard's counters.
    pub fn add(&mut self, other: &Self) {
        if self.commands.len() < other.commands.len() {
            self.commands
                .resize(other.commands.len(), CommandStats::default());
        }
        for (mine, theirs) in self.commands.iter_mut().zip(&other.commands) {
            mine.add(theirs);
        }
        for (prefix, count) in &other.errors {
            *self.errors.entry(prefix.clone()).or_default() += count;
        }
        for (mine, theirs) in self.moves_by_reason.iter_mut().zip(other.moves_by_reason) {
            *mine += theirs;
        }
        for (mine, theirs) in self.totals_mut().zip(other.clone().totals_mut()) {
            *mine += *theirs;
        }
        for (mine, theirs) in self.tls_failures.iter_mut().zip(other.tls_failures) {
            *mine += theirs;
        }
    }

    fn totals_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        [
            &mut self.commands_processed,
            &mut self.connections_received,
            &mut self.connections_rejected,
            &mut self.connections_handed_over,
            &mut self.connections_shed,
            &mut self.connections_moved,
            &mut self.connections_arrived,
            &mut self.connection_moves_refused,
            &mut self.net_input_bytes,
            &mut self.net_output_bytes,
            &mut self.reads,
            &mut self.writes,
            &mut self.hops,
            &mut self.local_commands,
            &mut self.moved_reruns,
            &mut self.keyspace_hits,
            &mut self.keyspace_misses,
            &mut self.expired_keys,
            &mut self.output_limit_disconnections,
            &mut self.query_limit_disconnections,
            &mut self.cross_protocol_disconnections,
            &mut self.idle_disconnections,
            &mut self.retirement_disconnections,
            &mut self.half_open_disconnections,
            &mut self.proxy_refusals,
            &mut self.protocol_errors,
            &mut self.evicted_clients,
            &mut self.tls_handshakes,
            &mut self.tls_resumed,
            &mut self.tls_reloads,
            &mut self.tls_reloads_failed,
        ]
        .into_iter()
    }
}
