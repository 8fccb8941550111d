//! What is checked against: an object with a state, used by one caller at a time.

use std::hash::Hash;

/// A sequential object.
pub trait Model {
    /// Its state.
    type State: Clone + Eq + Hash;
    /// What can be asked of it.
    type Action: Clone;
    /// What it can answer.
    type Reply: Clone;

    /// The state after `action`, if the object in `state` can give that reply; an unknown reply is always possible.
    fn step(
        state: &Self::State,
        action: &Self::Action,
        reply: Option<&Self::Reply>,
    ) -> Option<Self::State>;

    /// Whether `action`, having got that reply, leaves **every** state as it was: reads, and writes that say that
    /// they did nothing. `false` is always safe; `true` saves the search a choice.
    fn is_inert(action: &Self::Action, reply: Option<&Self::Reply>) -> bool;

    /// The values in a state, if those can be told apart. With [`seen`](Self::seen) and
    /// [`may_make`](Self::may_make) it saves the search what leads nowhere; nothing is always safe.
    fn values(state: &Self::State) -> Vec<&[u8]> {
        let _ = state;
        Vec::new()
    }

    /// Values that must have been in the state when `action` got `reply`.
    fn seen<'a>(action: &'a Self::Action, reply: &'a Self::Reply) -> Vec<&'a [u8]> {
        let _ = (action, reply);
        Vec::new()
    }

    /// Whether `action`, having got that reply, may bring `value` into a state that does not have it.
    fn may_make(action: &Self::Action, reply: Option<&Self::Reply>, value: &[u8]) -> bool {
        let _ = (action, reply, value);
        true
    }
}
