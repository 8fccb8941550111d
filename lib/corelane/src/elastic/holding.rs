//! Holding the map still: for what asks several shards as one thing, and would be wrong if a partition changed
//! its owner in the middle.
//!
//! Moves go first, for they are short: one that waits keeps new holds out. It waits for the holds that live with a
//! patience that begins small and doubles, and lets everybody in who waits before it tries again; so a long hold
//! makes others wait no longer than that, and holds that follow each other without a gap do not keep a move
//! from happening.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use corelane_rt::time;

use super::moving::{FREEZE_PATIENCE, MoveError};
use crate::outside::Holds;
use crate::{Mesh, Service};

/// How long a move keeps new holds out in its first try to begin, while others live.
const FIRST_PATIENCE: Duration = Duration::from_millis(2);

/// How long a move tries to begin, all in all.
const HOLDS_PATIENCE: Duration = Duration::from_secs(10);

/// How long a move waits for the holds that the one before has kept out to come in.
const LET_IN: Duration = Duration::from_millis(2);

/// While this lives, no partition of the node changes its owner, and all shards have the same map.
///
/// Holds do not exclude each other. Keep one as long as one question takes, for moves wait for it; and do not wait
/// for a second one, or for a move or a resize, while holding one: a move that waits keeps new holds out, and
/// each would wait for the other.
#[must_use = "the map is held still until this is dropped"]
pub struct MapHold {
    holds: Arc<Holds>,
}

impl Drop for MapHold {
    fn drop(&mut self) {
        self.holds.leave();
    }
}

impl fmt::Debug for MapHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapHold")
    }
}

impl<S: Service> Mesh<S> {
    /// Holds the map still: until what this resolves to is dropped, no partition changes its owner, none is
    /// between two shards, and all shards have the same map. Resolves at once where nothing moves, and after the
    /// move where something does.
    pub fn hold_map(&self) -> impl Future<Output = MapHold> + use<S> {
        Holding {
            holds: self.core.outside.holds().clone(),
            is_waiting: false,
        }
    }

    /// Waits until no hold lives and keeps new ones out.
    pub(super) async fn shut_holds_out(&self) -> Result<ShutOut, MoveError> {
        let holds = self.core.outside.holds();
        let mut patience = FIRST_PATIENCE;
        let deadline_ns = time::now_ns() + HOLDS_PATIENCE.as_nanos() as u64;
        loop {
            // Whoever does not come in time, its shard being busy, comes after the next move.
            let all_in = poll_fn(|cx| holds.poll_all_in(cx));
            let _ = time::timeout(LET_IN, all_in).await;
            holds.close();
            let shut = ShutOut(holds.clone());
            let none_left = poll_fn(|cx| holds.poll_none_left(cx));
            if time::timeout(patience, none_left).await.is_ok() {
                return Ok(shut);
            }
            drop(shut);
            if time::now_ns() >= deadline_ns {
                return Err(MoveError::Held(HOLDS_PATIENCE));
            }
            patience = FREEZE_PATIENCE.min(patience * 2);
        }
    }
}

/// New holds wait until this is dropped.
pub(super) struct ShutOut(Arc<Holds>);

impl Drop for ShutOut {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A hold that is asked for.
struct Holding {
    holds: Arc<Holds>,
    is_waiting: bool,
}

impl Future for Holding {
    type Output = MapHold;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MapHold> {
        let mut entered = self.holds.try_enter();
        if !entered {
            // First, so that a move that ends right now lets this in before the next one.
            if !self.is_waiting {
                self.is_waiting = true;
                self.holds.begin_waiting();
            }
            entered = self.holds.poll_enter(cx).is_ready();
        }
        match entered {
            true => Poll::Ready(MapHold {
                holds: self.holds.clone(),
            }),
            false => Poll::Pending,
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        if self.is_waiting {
            self.holds.end_waiting();
        }
    }
}
