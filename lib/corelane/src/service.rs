//! What a shard does with what its peers send: the one trait that a user of the mesh implements.

use std::time::Duration;

use crate::ShardId;

/// One shard's state and how it answers. Each shard has its own value; it never leaves its thread and
/// need not be `Send`.
///
/// All methods are synchronous and run between tasks, so a handler sees the state whole and no borrow
/// outlives it. Work that must wait belongs into a task, which re-enters by
/// [`Mesh::with`](crate::Mesh::with). A panic in any of them ends the node: state that a panic
/// left half-changed is not served.
pub trait Service: Sized + 'static {
    /// How often [`tick`](Self::tick) runs. It also wakes an idle shard, so a service that has nothing
    /// to do by itself makes it long; up to a second, which tells a resting shard from a wedged one.
    const TICK: Duration = Duration::from_millis(100);

    /// What a peer asks. A whole batch of commands is better than one: a call costs about 100 ns.
    type Request: Send + 'static;
    /// What it gets back.
    type Reply: Send + 'static;
    /// What travels on the control lane, which data cannot block: settings, maps, announcements.
    type Control: Send + 'static;

    /// Answers one request of `from` (which is this shard itself for a local call).
    ///
    /// Requests of one shard arrive in the order in which it called.
    fn handle(&mut self, request: Self::Request, from: ShardId) -> Self::Reply;

    /// Takes one control message of `from`, in the order sent, independent of the requests.
    fn control(&mut self, message: Self::Control, from: ShardId);

    /// Runs every [`TICK`](Self::TICK), ten times a second by default: expiry, statistics, whatever needs
    /// time and no request. Keep it to tens of microseconds; the shard serves nobody meanwhile.
    fn tick(&mut self) {}
}
