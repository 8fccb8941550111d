//! The hook by which something that is not a task (the mesh between shards) takes part in the loop.

/// Something that the loop asks for work on every turn.
///
/// The loop calls `poll` once a turn and more often while it spins; before it sleeps it calls
/// `prepare_sleep` on them until one says no, and `awake` on all of them afterwards.
pub trait Poller {
    /// Takes what has arrived and pushes out what waits. True: it did some work, so do not sleep yet.
    fn poll(&mut self) -> bool;

    /// Tells the other side that this one is about to sleep and checks once more. False: something has
    /// arrived, do not sleep (`awake` is called all the same).
    fn prepare_sleep(&mut self) -> bool;

    /// Takes the announcement back, if one was made.
    fn awake(&mut self);

    /// Whether answers are outstanding, so that a short spin is worth more than a sleep.
    fn busy(&self) -> bool;

    /// What the log calls it when it holds the thread for too long.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Tells [`name`](Self::name)'s default, as a pointer that lives for ever: what the watchdog calls a poller that holds
    /// the thread.
    #[doc(hidden)]
    fn what(&self) -> &'static fn() -> &'static str {
        crate::stall::name_of::<Self>()
    }
}
